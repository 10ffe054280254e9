/*
 * `events` has small rows so that scans are cheap; payloads are in their own tables. `head` is 1 on
 * the first pending event of each lane and on each pending event without a lane. Claims read heads
 * only, so a lane of 100,000 events costs a claim no more than a lane of one. `kept` is 1 while the
 * body exists. `retain_as` and `retain_from` say which retention rule applies to a row, and from
 * when.
 */
export const FIRST_FORMAT = `
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  receipt TEXT NOT NULL,
  source TEXT NOT NULL,
  destination TEXT NOT NULL,
  identity BLOB,
  lane TEXT,
  customer_id TEXT,
  org_id INTEGER NOT NULL DEFAULT 0,
  event_name TEXT NOT NULL DEFAULT '',
  event_id TEXT,
  created_at INTEGER,
  received_at INTEGER NOT NULL,
  verified_by TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  detail TEXT,
  settled_at INTEGER,
  head INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0,
  charged INTEGER NOT NULL DEFAULT 0,
  delivered INTEGER NOT NULL DEFAULT 0,
  id_suffix TEXT NOT NULL DEFAULT '',
  replays INTEGER NOT NULL DEFAULT 0,
  body_bytes INTEGER NOT NULL,
  kept INTEGER NOT NULL DEFAULT 1,
  retain_as TEXT GENERATED ALWAYS AS (
    CASE
      WHEN state IN ('dead', 'malformed') THEN state
      WHEN state IN ('delivered', 'ignored') THEN CASE kept WHEN 1 THEN 'body' ELSE 'record' END
    END
  ) VIRTUAL,
  retain_from INTEGER GENERATED ALWAYS AS (
    CASE
      WHEN state = 'dead' OR (state IN ('delivered', 'ignored') AND kept = 1) THEN settled_at
      ELSE received_at
    END
  ) VIRTUAL
);
CREATE UNIQUE INDEX events_receipt ON events (receipt);
CREATE UNIQUE INDEX events_identity ON events (source, identity) WHERE identity IS NOT NULL;
CREATE INDEX events_lane ON events (lane, destination, state) WHERE lane IS NOT NULL;
CREATE INDEX events_head ON events (destination, source, due_at) WHERE head = 1;
CREATE INDEX events_waiting ON events (destination, received_at) WHERE state = 'pending';
CREATE INDEX events_state ON events (state);
CREATE INDEX events_event_id ON events (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX events_customer ON events (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX events_retain ON events (retain_as, retain_from) WHERE retain_as IS NOT NULL;

CREATE TABLE bodies (
  seq INTEGER PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
  body BLOB NOT NULL
);
CREATE TABLE attempts (
  seq INTEGER NOT NULL REFERENCES events (seq) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  outcome TEXT NOT NULL,
  status INTEGER,
  detail TEXT,
  xaction_id TEXT,
  duration_ms REAL NOT NULL,
  batch_size INTEGER NOT NULL,
  PRIMARY KEY (seq, n)
) WITHOUT ROWID;
CREATE TABLE sent (
  id INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL REFERENCES events (seq) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  json BLOB NOT NULL
);
CREATE INDEX sent_seq ON sent (seq);
CREATE TABLE actions (
  id INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL REFERENCES events (seq) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  action TEXT NOT NULL
);
CREATE INDEX actions_seq ON actions (seq);
CREATE TABLE profiles (
  destination TEXT NOT NULL,
  lane TEXT NOT NULL,
  state BLOB NOT NULL,
  PRIMARY KEY (destination, lane)
);
CREATE TABLE quarantine (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  receipt TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ip TEXT NOT NULL,
  reasons TEXT NOT NULL,
  headers BLOB NOT NULL,
  body BLOB NOT NULL,
  bytes INTEGER NOT NULL
);
CREATE INDEX quarantine_source ON quarantine (source);
CREATE INDEX quarantine_expires ON quarantine (expires_at);
CREATE TABLE counts (
  source TEXT PRIMARY KEY,
  accepted INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  delivered INTEGER NOT NULL,
  ignored INTEGER NOT NULL,
  dead INTEGER NOT NULL,
  malformed INTEGER NOT NULL,
  quarantined INTEGER NOT NULL,
  quarantined_bytes INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE backlog (
  destination TEXT PRIMARY KEY,
  pending INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE pauses (
  destination TEXT PRIMARY KEY,
  by TEXT NOT NULL,
  at INTEGER NOT NULL
) WITHOUT ROWID;
`;
