import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { MIGRATIONS } from './migrations.ts';
import { withStoppedStore } from './stopped-store.ts';

/** Something that is not as it must be. */
export interface Finding {
  readonly check:
    | 'integrity'
    | 'format'
    | 'ledger'
    | 'backlog'
    | 'identities'
    | 'lanes'
    | 'aliases'
    | 'indexes'
    | 'bodies';
  readonly detail: string;
}

/** Findings of SQLite that are shown; one damaged page can make thousands. */
const MOST = 20;

/** A value of the row by its name, as text. */
type Cell = (name: string) => string;

function cellsOf(row: Record<string, SQLOutputValue>): Cell {
  return (name) => {
    const value = row[name];
    return typeof value === 'string' ? value : String(Number(value));
  };
}

/** Each query answers the rows that are wrong; the words are made of a row. */
const CHECKS: readonly {
  readonly check: Finding['check'];
  readonly sql: string;
  readonly words: (of: Cell) => string;
}[] = [
  {
    check: 'ledger',
    // Of settled events retention removes the rows and keeps the counts, so there can be fewer rows than the ledger says, never more.
    sql: `SELECT source, coalesce(accepted, 0) AS accepted, coalesce(c.pending, 0) AS pending, coalesce(r.pending, 0) AS rows,
            coalesce(c.malformed, 0) AS malformed, coalesce(r.malformed, 0) AS malformed_rows,
            coalesce(c.delivered, 0) + coalesce(c.ignored, 0) + coalesce(c.dead, 0) AS settled,
            coalesce(r.delivered, 0) + coalesce(r.ignored, 0) + coalesce(r.dead, 0) AS settled_rows
          FROM counts c FULL JOIN (
            SELECT source, sum(state = 'pending') AS pending, sum(state = 'malformed') AS malformed, sum(state = 'delivered') AS delivered,
              sum(state = 'ignored') AS ignored, sum(state = 'dead') AS dead FROM events NOT INDEXED GROUP BY source
          ) r USING (source)
          WHERE accepted <> c.pending + c.delivered + c.ignored + c.dead OR c.source IS NULL
            OR c.pending <> coalesce(r.pending, 0) OR c.malformed <> coalesce(r.malformed, 0)
            OR coalesce(r.delivered, 0) > coalesce(c.delivered, 0) OR coalesce(r.ignored, 0) > coalesce(c.ignored, 0)
            OR coalesce(r.dead, 0) > coalesce(c.dead, 0)`,
    words: (of) =>
      `source ${of('source')}: accepted ${of('accepted')}, pending ${of('pending')} (rows: ${of('rows')}), settled ${of('settled')} ` +
      `(rows: ${of('settled_rows')}), malformed ${of('malformed')} (rows: ${of('malformed_rows')})`,
  },
  {
    check: 'ledger',
    sql: `SELECT source, coalesce(quarantined, 0) AS n, coalesce(rows, 0) AS rows FROM counts FULL JOIN (
            SELECT source, count(*) AS rows, sum(bytes) AS bytes FROM quarantine NOT INDEXED GROUP BY source
          ) r USING (source) WHERE n <> coalesce(rows, 0) OR coalesce(quarantined_bytes, 0) <> coalesce(r.bytes, 0)`,
    words: (of) => `source ${of('source')}: quarantined ${of('n')} (rows: ${of('rows')})`,
  },
  {
    check: 'backlog',
    sql: `SELECT destination, coalesce(pending, 0) AS n, coalesce(rows, 0) AS found FROM backlog FULL JOIN (
            SELECT destination, count(*) AS rows, sum(replay) AS replays FROM events NOT INDEXED WHERE state = 'pending' GROUP BY destination
          ) USING (destination) WHERE n <> found OR coalesce(replaying, 0) <> coalesce(replays, 0)`,
    words: (of) => `destination ${of('destination')}: pending ${of('n')} (rows: ${of('found')})`,
  },
  {
    check: 'identities',
    sql: `SELECT count(*) AS n FROM (
            SELECT 1 FROM events NOT INDEXED WHERE identity IS NOT NULL GROUP BY source, identity HAVING count(*) > 1
          ) HAVING n > 0`,
    words: (of) => `events that were accepted more than once: ${of('n')}`,
  },
  {
    check: 'lanes',
    sql: `SELECT count(*) AS n FROM (
            SELECT 1 FROM events NOT INDEXED WHERE state = 'pending' AND lane IS NOT NULL
            GROUP BY destination, lane, replay HAVING sum(head) <> 1
          ) HAVING n > 0`,
    words: (of) => `queues of a customer without exactly one head: ${of('n')}`,
  },
  {
    check: 'lanes',
    sql: `SELECT count(*) AS n FROM events NOT INDEXED
          WHERE (state = 'pending' AND lane IS NULL AND head = 0) OR (state <> 'pending' AND head = 1) HAVING n > 0`,
    words: (of) => `events that are marked as head, or not, against the rule: ${of('n')}`,
  },
  {
    check: 'aliases',
    sql: `SELECT count(*) AS n FROM aliases a WHERE EXISTS (
            SELECT 1 FROM aliases b WHERE b.destination = a.destination AND b.lane = a.target
          ) HAVING n > 0`,
    words: (of) => `aliases that lead to a lane which has one itself: ${of('n')}`,
  },
  {
    check: 'aliases',
    sql: `SELECT count(*) AS n FROM events e NOT INDEXED JOIN aliases a ON a.destination = e.destination AND a.lane = e.lane
          WHERE e.state = 'pending' HAVING n > 0`,
    words: (of) => `pending events in the lane of a customer who was merged into another: ${of('n')}`,
  },
  {
    check: 'indexes',
    sql: `SELECT count(*) AS n FROM events NOT INDEXED WHERE identity IS NOT NULL
            AND seq <= (SELECT seq FROM merged WHERE name = 'identities') AND seq NOT IN (SELECT seq FROM identities) HAVING n > 0`,
    words: (of) => `events that a resend would not find: ${of('n')}`,
  },
  {
    check: 'indexes',
    sql: `SELECT count(*) AS n FROM events NOT INDEXED WHERE state = 'pending' AND lane IS NOT NULL
            AND seq <= (SELECT seq FROM merged WHERE name = 'queues') AND seq NOT IN (SELECT seq FROM queues) HAVING n > 0`,
    words: (of) => `pending events that nobody behind them would wait for: ${of('n')}`,
  },
  {
    check: 'indexes',
    sql: `SELECT count(*) AS n FROM queues WHERE seq NOT IN (
            SELECT seq FROM events NOT INDEXED WHERE state = 'pending' AND lane IS NOT NULL
          ) HAVING n > 0`,
    words: (of) => `places in a queue that nobody has: ${of('n')}`,
  },
  {
    check: 'bodies',
    sql: `SELECT count(*) AS n FROM events NOT INDEXED WHERE kept = 1 AND seq NOT IN (SELECT seq FROM bodies) HAVING n > 0`,
    words: (of) => `events whose body is missing: ${of('n')}`,
  },
  {
    check: 'bodies',
    sql: `SELECT count(*) AS n FROM bodies WHERE seq NOT IN (SELECT seq FROM events NOT INDEXED) HAVING n > 0`,
    words: (of) => `bodies that belong to no event: ${of('n')}`,
  },
];

function integrity(db: DatabaseSync): Finding[] {
  return db
    .prepare(`PRAGMA integrity_check(${MOST})`)
    .all()
    .flatMap((row) => String(Object.values(row)[0]).split('\n'))
    .filter((detail) => detail !== 'ok')
    .slice(0, MOST)
    .map((detail) => ({ check: 'integrity', detail }));
}

function guarded(check: Finding['check'], look: () => Finding[]): Finding[] {
  try {
    return look();
  } catch (error) {
    return [{ check, detail: `cannot be read: ${error instanceof Error ? error.message : String(error)}` }];
  }
}

/** Looks through an open store. */
export function findingsOf(db: DatabaseSync): Finding[] {
  const format = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  const damage = guarded('integrity', () => integrity(db));
  if (format !== MIGRATIONS.length) {
    const detail = `it is of format ${format} and this program of ${MIGRATIONS.length}: start the relay on it once, or use its own version`;
    return [...damage, { check: 'format', detail }];
  }
  const wrong = CHECKS.flatMap(({ check, sql, words }) =>
    guarded(check, () =>
      db
        .prepare(sql)
        .all()
        .map((row) => ({ check, detail: words(cellsOf(row)) })),
    ),
  );
  return [...damage, ...wrong];
}

/**
 * Looks through the store of a stopped relay: the file itself, the ledger against a recount, one head in each queue, a body where one must be.
 * @throws StoreError when there is none, a relay is running on it, or it cannot even be opened
 */
export function verifyStore(path: string): readonly Finding[] {
  return withStoppedStore(path, findingsOf);
}
