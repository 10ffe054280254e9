/*
 * Whether delivered events have landed; see landings.ts. `spans` has what is not confirmed; of
 * `events`, `doubted` have a doubt. `confirmed` has ranges that do not overlap, at a destination.
 * `marks`: `spans-since` is the time of settlement since when deliveries are counted in spans that
 * still exist or are confirmed; `known-since` is that of `knownSince`. See `setFirstMarks`.
 */
export const LANDINGS = `
CREATE TABLE spans (
  at INTEGER NOT NULL,
  destination TEXT NOT NULL,
  source TEXT NOT NULL,
  events INTEGER NOT NULL DEFAULT 0,
  doubted INTEGER NOT NULL DEFAULT 0,
  events_acknowledged INTEGER NOT NULL DEFAULT 0,
  profiles_acknowledged INTEGER NOT NULL DEFAULT 0,
  events_unanswered INTEGER NOT NULL DEFAULT 0,
  profiles_unanswered INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (at, destination, source)
) WITHOUT ROWID;
CREATE TABLE confirmed (
  destination TEXT NOT NULL,
  from_at INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (destination, from_at)
) WITHOUT ROWID;
CREATE TABLE landings (
  source TEXT PRIMARY KEY,
  landed INTEGER NOT NULL,
  refused_later INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE doubts (
  seq INTEGER PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
  destination TEXT NOT NULL,
  code TEXT NOT NULL,
  detail TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE INDEX doubts_newest ON doubts (destination, at);
CREATE TABLE watched (
  seq INTEGER PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
  destination TEXT NOT NULL,
  settled_at INTEGER NOT NULL
);
CREATE INDEX watched_oldest ON watched (destination, settled_at);
CREATE TABLE marks (
  name TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE reconciliation_notes (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (scope, key)
) WITHOUT ROWID;
`;
