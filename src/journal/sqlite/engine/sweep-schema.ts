/*
 * Retention walks over the events in the order of their positions, so that most of what it removes
 * is a range. `swept` holds the position up to which it has removed bodies, whole records, and
 * details of records. An event that is settled, or still has to keep its body, behind the position
 * of the bodies is marked `late` and removed by its own time: those few have an index.
 */
export const RETENTION_SWEEPS = `
DROP INDEX events_retain;
ALTER TABLE events DROP COLUMN retain_as;
ALTER TABLE events DROP COLUMN retain_from;
ALTER TABLE events ADD COLUMN late INTEGER NOT NULL DEFAULT 0;
CREATE INDEX events_late ON events (settled_at) WHERE late = 1 AND state IN ('delivered', 'ignored');
CREATE INDEX events_dead ON events (settled_at) WHERE state = 'dead';
CREATE INDEX events_malformed ON events (received_at) WHERE state = 'malformed';
CREATE TABLE swept (
  name TEXT PRIMARY KEY,
  seq INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO swept (name, seq) VALUES ('bodies', 0), ('records', 0), ('details', 0);
`;

/** The table of positions; a salvaged store begins at its start again. */
export const SWEPT_TABLE = 'swept';

/** SQL for the position up to which bodies were removed. */
export const SWEPT_BODIES = `(SELECT seq FROM swept WHERE name = 'bodies')`;

/** SQL for events that are late, exactly as in their index. */
export const IS_LATE = `late = 1 AND state IN ('delivered', 'ignored')`;

/** SQL for events whose body the walk has removed. */
export const IS_SWEPT = `(late = 0 AND state IN ('delivered', 'ignored') AND seq <= ${SWEPT_BODIES})`;

/** SQL, 1 for events whose body is stored: `kept` is 0 once it was removed in any other way. */
export const HAS_BODY = `(kept = 1 AND NOT ${IS_SWEPT})`;
