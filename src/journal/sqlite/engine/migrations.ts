import { FIRST_FORMAT } from './first-format.ts';
import { CONTACTS } from './contact-schema.ts';
import { ENRICHMENTS } from './enrichment-schema.ts';
import { LANDINGS } from './landing-schema.ts';
import { RETENTION_SWEEPS } from './sweep-schema.ts';

/*
 * A separate queue for replays. `replay` is 1 on a pending event that was replayed. Each lane has a
 * head among those and one among all others, and a claim reads only the kind it asks for.
 * `events_waiting` excludes replays, because a replayed event is old without being late.
 * `replay_jobs.next_seq` is the next position of a job, `until_seq` its last one. `filter` is the
 * complete filter, encrypted, until the job has finished; `shown` omits what can identify a person.
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

/**
 * What the mapping of a settled event omitted or changed: encrypted JSON of paths and codes. Events
 * without notes have no row.
 */
const NOTES = `
CREATE TABLE notes (
  seq INTEGER PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
  json BLOB NOT NULL
);
`;

/*
 * Merged customers. `aliases.target` is the lane that receives the events of `lane` at a
 * destination; it has no alias itself. `events.own_lane` is the original lane of an event if that
 * is not `lane`.
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

/** The key that everything in the store is encrypted with; no row unless that is certain. */
const ENCRYPTED_WITH = `
CREATE TABLE sealed_with (
  key_id TEXT PRIMARY KEY
) WITHOUT ROWID;
`;

/** W3C traceparent of the span that appended an event; NULL if the process was not traced. */
const TRACEPARENT = `
ALTER TABLE events ADD COLUMN traceparent TEXT;
`;

/*
 * Narrow indexes that are written close to the newest events. An index ordered by random values
 * costs one page write per event and, with many events, no longer fits in memory. So the indexes
 * that only serve lookups (`events_event_id`, `events_customer`, and `events_of_lane` for erasure)
 * are ordered by block of positions first: see filter-sql.ts. The indexes that each append reads
 * are as narrow as possible: `events_identity` and `events_lane` contain the beginning of a hash,
 * and whoever uses them compares the complete value. `events_lane` contains pending events only.
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
 * The same lookup indexes in blocks of 1,024 positions instead of 4,096: the fewer pages a block
 * has, the fewer of them a commit writes.
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
 * The indexes that each append reads are written in key order, part by part, instead of one random
 * page per event: see buffered-index.ts. They start empty and are filled when the store is opened.
 * The lookup indexes use blocks of 512 positions and parts of the texts, so that a commit writes a
 * third of the pages.
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

/* Duplicates whose data differs from that of the first event, by the position of the first. */
const DIFFERING_COPIES = `
CREATE TABLE differing_copies (
  seq INTEGER PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
  copies INTEGER NOT NULL,
  last_at INTEGER NOT NULL
);
`;

/** What events said about the loyalty programs of each organisation: JSON of names and tiers. */
const PROGRAMS = `
CREATE TABLE programs (
  org_id INTEGER PRIMARY KEY,
  json TEXT NOT NULL
);
`;

/*
 * Where the tables stand in the intake log (intake-log.ts): the seed of its checksums, and the
 * number of the last record that the tables contain. `is_closed` is 1 after the relay was stopped.
 */
const INTAKE_LOG = `
CREATE TABLE intake_log (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seed INTEGER NOT NULL,
  position INTEGER NOT NULL,
  is_closed INTEGER NOT NULL
);
`;

/*
 * One row for each request to the inlet. `events.sent_in` lists the requests that delivered an
 * event's messages (sent-requests.ts); other attempts have rows in `attempts`.
 */
const REQUESTS = `
CREATE TABLE requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  status INTEGER,
  xaction TEXT,
  duration_ms REAL NOT NULL,
  batch_size INTEGER NOT NULL
);
ALTER TABLE events ADD COLUMN sent_in TEXT;
`;

/*
 * Only the states that operators list are indexed: an index of all of them is changed twice by each
 * event. Other states are found by scanning.
 */
const DEAD_STATES = `
DROP INDEX events_state;
CREATE INDEX events_state ON events (state) WHERE state IN ('dead', 'malformed');
`;

/** Steps from an empty database to the current format. A released step must never be changed. */
export const MIGRATIONS: readonly string[] = [
  FIRST_FORMAT,
  REPLAY_QUEUE,
  NOTES,
  ALIASES,
  ENCRYPTED_WITH,
  TRACEPARENT,
  NARROW_INDEXES,
  SMALL_BLOCKS,
  BUFFERED_INDEXES,
  DIFFERING_COPIES,
  CONTACTS,
  PROGRAMS,
  INTAKE_LOG,
  REQUESTS,
  RETENTION_SWEEPS,
  DEAD_STATES,
  ENRICHMENTS,
  LANDINGS,
];
