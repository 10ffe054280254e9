/*
 * What was fetched for events, encrypted, and the events of which something is still missing.
 * `refreshes.lane` is the lane whose customer is to be refreshed, NULL if the customer is not.
 * `running` is 1 while the event is pending because of the refresh. `since` is the time since when
 * the event, or the customer's part that it took over, has been waiting.
 */
export const ENRICHMENTS = `
CREATE TABLE entities (
  seq INTEGER PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
  json BLOB NOT NULL
);
CREATE TABLE refreshes (
  seq INTEGER PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
  source TEXT NOT NULL,
  destination TEXT NOT NULL,
  lane TEXT,
  customer INTEGER NOT NULL,
  bill INTEGER NOT NULL,
  since INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  running INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX refreshes_lane ON refreshes (lane, destination) WHERE lane IS NOT NULL;
CREATE INDEX refreshes_route ON refreshes (running, source, destination, seq, due_at);
CREATE INDEX refreshes_due ON refreshes (due_at) WHERE running = 0;
`;
