/*
 * `events` holds small rows so that scans are cheap; payloads are beside it. `head` is 1 on the first pending event of each lane and on each
 * pending event without one: what a claim looks at, so that a lane of 100,000 costs a claim as much as a lane of one. `kept` is 1 while
 * the body is there. `retain_as` and `retain_from` say which age of the retention policy a row is under, and since when.
 */
const FIRST = `
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

/*
 * Replays in a queue of their own. `replay` is 1 on a pending event that was replayed: each lane has a head among those and one among the
 * others, and each claim walks over the kind it asks for only. `events_waiting` leaves them out, for a replayed event is old without
 * anything being late. `replay_jobs.next_seq` is the next position that a job looks at, `until_seq` its last;
 * `filter` is whole and sealed until it has finished, `shown` without what can name a person.
 */
const REPLAY_QUEUE = `
ALTER TABLE events ADD COLUMN replay INTEGER NOT NULL DEFAULT 0;
DROP INDEX events_lane;
DROP INDEX events_head;
DROP INDEX events_waiting;
CREATE INDEX events_lane ON events (lane, destination, state, replay) WHERE lane IS NOT NULL;
CREATE INDEX events_head ON events (destination, source, replay, due_at) WHERE head = 1;
CREATE INDEX events_waiting ON events (destination, received_at) WHERE state = 'pending' AND replay = 0;
ALTER TABLE backlog ADD COLUMN replaying INTEGER NOT NULL DEFAULT 0;
CREATE TABLE replay_jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  as_new INTEGER NOT NULL,
  shown TEXT NOT NULL,
  filter BLOB,
  next_seq INTEGER NOT NULL,
  until_seq INTEGER NOT NULL,
  span INTEGER NOT NULL,
  matched INTEGER NOT NULL DEFAULT 0,
  replayed INTEGER NOT NULL DEFAULT 0,
  finished_at INTEGER
);
`;

/** What the mapping left out or changed of a settled event: JSON of paths and codes, sealed. Events without any have no row. */
const NOTES = `
CREATE TABLE notes (
  seq INTEGER PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
  json BLOB NOT NULL
);
`;

/*
 * Customers that were merged. `aliases.target` is the lane that takes the events of `lane` at a destination; it has no alias itself.
 * `events.own_lane` is the lane of the event's own customer where that is not `lane`.
 */
const ALIASES = `
CREATE TABLE aliases (
  destination TEXT NOT NULL,
  lane TEXT NOT NULL,
  target TEXT NOT NULL,
  PRIMARY KEY (destination, lane)
);
CREATE INDEX aliases_target ON aliases (destination, target);
ALTER TABLE events ADD COLUMN own_lane TEXT;
CREATE INDEX events_own_lane ON events (own_lane) WHERE own_lane IS NOT NULL;
`;

/** The key with which everything in the store is closed, once that is so: no row while something else may be found. */
const SEALED_WITH = `
CREATE TABLE sealed_with (
  key_id TEXT PRIMARY KEY
) WITHOUT ROWID;
`;

/** W3C traceparent of the span that journaled an event; NULL where the process was not traced. */
const TRACEPARENT = `
ALTER TABLE events ADD COLUMN traceparent TEXT;
`;

/*
 * Indexes that are written where the newest events are, and narrow ones. An index in the order of random values costs a page written for
 * each event, and more than memory holds once there are many. So what serves look-ups only (`events_event_id`, `events_customer`, and
 * `events_of_lane` for erasure) is ordered by block of positions first: see blocks.ts. What each append asks is as narrow as it can be:
 * `events_identity` and `events_lane` hold the beginning of a hash, and who looks there compares the whole of it.
 * `events_lane` knows of pending events only.
 */
const NARROW_INDEXES = `
DROP INDEX events_identity;
DROP INDEX events_lane;
DROP INDEX events_event_id;
DROP INDEX events_customer;
CREATE INDEX events_identity ON events (substr(identity, 1, 8)) WHERE identity IS NOT NULL;
CREATE INDEX events_lane ON events (substr(lane, 1, 12), destination, replay) WHERE lane IS NOT NULL AND state = 'pending';
CREATE INDEX events_of_lane ON events (seq >> 12, substr(lane, 1, 12)) WHERE lane IS NOT NULL;
CREATE INDEX events_event_id ON events (seq >> 12, event_id) WHERE event_id IS NOT NULL;
CREATE INDEX events_customer ON events (seq >> 12, customer_id) WHERE customer_id IS NOT NULL;
`;

/*
 * The same look-up indexes in blocks of 1,024 positions instead of 4,096: the fewer pages a block has, the fewer of them the events of one commit
 * lie on.
 */
const SMALL_BLOCKS = `
DROP INDEX events_of_lane;
DROP INDEX events_event_id;
DROP INDEX events_customer;
CREATE INDEX events_of_lane ON events (seq >> 10, substr(lane, 1, 12)) WHERE lane IS NOT NULL;
CREATE INDEX events_event_id ON events (seq >> 10, event_id) WHERE event_id IS NOT NULL;
CREATE INDEX events_customer ON events (seq >> 10, customer_id) WHERE customer_id IS NOT NULL;
`;

/*
 * What each append asks is in indexes that are written in the order of their keys, part after part, instead of one page anywhere for each event:
 * see buffered-index.ts. They are empty at first, and filled when the store is opened. The look-up indexes have blocks of 512 positions and
 * parts of the texts: a third of the pages for the events of one commit.
 */
const BUFFERED_INDEXES = `
DROP INDEX events_identity;
DROP INDEX events_lane;
DROP INDEX events_of_lane;
DROP INDEX events_event_id;
DROP INDEX events_customer;
CREATE INDEX events_of_lane ON events (seq >> 9, substr(lane, 1, 8)) WHERE lane IS NOT NULL;
CREATE INDEX events_event_id ON events (seq >> 9, substr(event_id, -12)) WHERE event_id IS NOT NULL;
CREATE INDEX events_customer ON events (seq >> 9, customer_id) WHERE customer_id IS NOT NULL;
CREATE TABLE identities (
  key INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (key, seq)
) WITHOUT ROWID;
CREATE TABLE queues (
  key INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (key, seq)
) WITHOUT ROWID;
CREATE TABLE merged (
  name TEXT PRIMARY KEY,
  seq INTEGER NOT NULL
) WITHOUT ROWID;
`;

/** Steps from an empty database to the current one. Append only: a step that was released is never changed. */
export const MIGRATIONS: readonly string[] = [
  FIRST,
  REPLAY_QUEUE,
  NOTES,
  ALIASES,
  SEALED_WITH,
  TRACEPARENT,
  NARROW_INDEXES,
  SMALL_BLOCKS,
  BUFFERED_INDEXES,
];
