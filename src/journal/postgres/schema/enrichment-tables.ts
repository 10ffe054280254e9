/*
 * What was fetched for events, and which of them wait for a refresh; see Enrichments.
 *
 * What was fetched is a column of `bodies`, so that whoever removes a body removes it too: relays
 * of the first format erase customers and drop partitions during a rolling update.
 *
 * A row of `refreshes` waits, or its event is pending because of it (`is_running`). `replays` is
 * that of the event when it was made pending. A row that is running although its event is no longer
 * pending, or was replayed since, is over: a settlement that says nothing about the enrichment of
 * its event does not read this table, and relays of the first format do not know it.
 *
 * `lane` is that of the event when it was settled, or the one into which that was merged.
 */
export const ENRICHMENT_TABLES = `
ALTER TABLE bodies ADD COLUMN entities bytea;

CREATE TABLE refreshes (
  receipt uuid PRIMARY KEY,
  day integer NOT NULL,
  seq bigint NOT NULL,
  source text NOT NULL,
  destination text NOT NULL,
  lane text,
  lane_key integer NOT NULL,
  customer boolean NOT NULL,
  bill boolean NOT NULL,
  is_running boolean NOT NULL DEFAULT false,
  replays integer NOT NULL DEFAULT 0,
  attempts integer NOT NULL,
  due_at bigint NOT NULL,
  since bigint NOT NULL
) WITH (
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_analyze_scale_factor = 0.05,
  autovacuum_analyze_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX refreshes_newest ON refreshes (source, destination, seq, due_at) WHERE NOT is_running;
CREATE INDEX refreshes_due ON refreshes (due_at) WHERE NOT is_running;
CREATE INDEX refreshes_running ON refreshes (receipt) WHERE is_running;
CREATE INDEX refreshes_lane ON refreshes (lane_key) WHERE customer;
`;
