import { statSync } from 'node:fs';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { describeWalDamage, TORN_WAL } from '../engine/damage.ts';
import { describeMissing, foreignLogs } from '../engine/intake-recovery.ts';
import { MIGRATIONS } from '../engine/migrations.ts';
import { HAS_BODY } from '../engine/sweep-schema.ts';
import { describeShortfall, readMarker } from '../engine/store-marker.ts';
import { damagedWal, hasTornEnd } from '../engine/wal-frames.ts';
import { LANDING_DIFFERENCES, SPAN_DIFFERENCES, STRAY_DOUBTS } from './landing-checks.ts';
import { cipherFor, damagedPayloads } from './payload-check.ts';
import { logPositionOf, readIntakeLog } from './intake-log-state.ts';
import { databaseFileOf, withStoppedStore } from './stopped-store.ts';

/** An inconsistency in the store. */
export interface Finding {
  readonly check:
    | 'integrity'
    | 'format'
    | 'ledger'
    | 'backlog'
    | 'identities'
    | 'lanes'
    | 'aliases'
    | 'contacts'
    | 'indexes'
    | 'bodies'
    | 'refreshes'
    | 'landings'
    | 'payloads'
    | 'log'
    | 'account';
  readonly detail: string;
}

/** One damaged page can cause thousands of integrity findings. */
const MAX_INTEGRITY_FINDINGS = 20;

/** Returns the value of a column as text. */
type Cell = (name: string) => string;

function cellsOf(row: Record<string, SQLOutputValue>): Cell {
  return (name) => {
    const value = row[name];
    return typeof value === 'string' ? value : String(Number(value));
  };
}

/** Each query returns one row per inconsistency, from which the description is built. */
const CHECKS: readonly {
  readonly check: Finding['check'];
  readonly sql: string;
  readonly describe: (cell: Cell) => string;
}[] = [
  {
    check: 'ledger',
    // Retention deletes the rows of settled events but not their counts, so there can be fewer rows
    // than the ledger says, never more.
    sql: `SELECT source, coalesce(accepted, 0) AS accepted,
            coalesce(c.pending, 0) AS pending, coalesce(r.pending, 0) AS rows,
            coalesce(c.malformed, 0) AS malformed, coalesce(r.malformed, 0) AS malformed_rows,
            coalesce(c.delivered, 0) + coalesce(c.ignored, 0) + coalesce(c.dead, 0) AS settled,
            coalesce(r.delivered, 0) + coalesce(r.ignored, 0) + coalesce(r.dead, 0) AS settled_rows
          FROM counts c FULL JOIN (
            SELECT source, sum(state = 'pending') AS pending, sum(state = 'malformed') AS malformed,
              sum(state = 'delivered') AS delivered, sum(state = 'ignored') AS ignored,
              sum(state = 'dead') AS dead FROM events NOT INDEXED GROUP BY source
          ) r USING (source)
          WHERE accepted <> c.pending + c.delivered + c.ignored + c.dead OR c.source IS NULL
            OR c.pending <> coalesce(r.pending, 0) OR c.malformed <> coalesce(r.malformed, 0)
            OR coalesce(r.delivered, 0) > coalesce(c.delivered, 0)
            OR coalesce(r.ignored, 0) > coalesce(c.ignored, 0)
            OR coalesce(r.dead, 0) > coalesce(c.dead, 0)`,
    describe: (cell) =>
      `source ${cell('source')}: accepted ${cell('accepted')}, ` +
      `pending ${cell('pending')} (rows: ${cell('rows')}), ` +
      `settled ${cell('settled')} (rows: ${cell('settled_rows')}), ` +
      `malformed ${cell('malformed')} (rows: ${cell('malformed_rows')})`,
  },
  {
    check: 'ledger',
    sql: `SELECT source, coalesce(quarantined, 0) AS n, coalesce(rows, 0) AS rows FROM counts FULL JOIN (
            SELECT source, count(*) AS rows, sum(bytes) AS bytes FROM quarantine NOT INDEXED GROUP BY source
          ) r USING (source)
          WHERE n <> coalesce(rows, 0) OR coalesce(quarantined_bytes, 0) <> coalesce(r.bytes, 0)`,
    describe: (cell) => `source ${cell('source')}: quarantined ${cell('n')} (rows: ${cell('rows')})`,
  },
  {
    check: 'backlog',
    sql: `SELECT destination, coalesce(pending, 0) AS n, coalesce(rows, 0) AS found FROM backlog FULL JOIN (
            SELECT destination, count(*) AS rows, sum(replay) AS replays FROM events NOT INDEXED
            WHERE state = 'pending' GROUP BY destination
          ) USING (destination) WHERE n <> found OR coalesce(replaying, 0) <> coalesce(replays, 0)`,
    describe: (cell) => `destination ${cell('destination')}: pending ${cell('n')} (rows: ${cell('found')})`,
  },
  {
    check: 'identities',
    sql: `SELECT count(*) AS n FROM (
            SELECT 1 FROM events NOT INDEXED WHERE identity IS NOT NULL
            GROUP BY source, identity HAVING count(*) > 1
          ) HAVING n > 0`,
    describe: (cell) => `events that were accepted more than once: ${cell('n')}`,
  },
  {
    check: 'lanes',
    sql: `SELECT count(*) AS n FROM (
            SELECT 1 FROM events NOT INDEXED WHERE state = 'pending' AND lane IS NOT NULL
            GROUP BY destination, lane, replay HAVING sum(head) <> 1
          ) HAVING n > 0`,
    describe: (cell) => `customer queues without exactly one head: ${cell('n')}`,
  },
  {
    check: 'lanes',
    sql: `SELECT count(*) AS n FROM events NOT INDEXED
          WHERE (state = 'pending' AND lane IS NULL AND head = 0) OR (state <> 'pending' AND head = 1)
          HAVING n > 0`,
    describe: (cell) => `events with a wrong head mark: ${cell('n')}`,
  },
  {
    check: 'aliases',
    sql: `SELECT count(*) AS n FROM aliases a WHERE EXISTS (
            SELECT 1 FROM aliases b WHERE b.destination = a.destination AND b.lane = a.target
          ) HAVING n > 0`,
    describe: (cell) => `aliases whose target has an alias itself: ${cell('n')}`,
  },
  {
    check: 'aliases',
    sql: `SELECT count(*) AS n FROM events e NOT INDEXED
          JOIN aliases a ON a.destination = e.destination AND a.lane = e.lane
          WHERE e.state = 'pending' HAVING n > 0`,
    describe: (cell) => `pending events in the lane of a customer who was merged into another: ${cell('n')}`,
  },
  {
    check: 'contacts',
    sql: `SELECT destination FROM contact_scopes s WHERE
            counted <> (SELECT count(*) FROM contacts WHERE scope = s.id)
            OR shared <> (SELECT count(*) FROM shared_contacts c WHERE c.destination = s.destination)`,
    describe: (cell) => `destination ${cell('destination')}: the number of counted contacts is wrong`,
  },
  {
    check: 'indexes',
    sql: `SELECT count(*) AS n FROM events NOT INDEXED WHERE identity IS NOT NULL
            AND seq <= (SELECT seq FROM merged WHERE name = 'identities')
            AND seq NOT IN (SELECT seq FROM identities) HAVING n > 0`,
    describe: (cell) =>
      `events missing from the identity index, so that a resend would be accepted again: ${cell('n')}`,
  },
  {
    check: 'indexes',
    sql: `SELECT count(*) AS n FROM events NOT INDEXED WHERE state = 'pending' AND lane IS NOT NULL
            AND seq <= (SELECT seq FROM merged WHERE name = 'queues')
            AND seq NOT IN (SELECT seq FROM queues) HAVING n > 0`,
    describe: (cell) =>
      `pending events missing from the queue index, so that later events could overtake them: ${cell('n')}`,
  },
  {
    check: 'indexes',
    sql: `SELECT count(*) AS n FROM queues WHERE seq NOT IN (
            SELECT seq FROM events NOT INDEXED WHERE state = 'pending' AND lane IS NOT NULL
          ) HAVING n > 0`,
    describe: (cell) => `queue index entries without a pending event: ${cell('n')}`,
  },
  {
    check: 'bodies',
    sql: `SELECT count(*) AS n FROM events NOT INDEXED
          WHERE ${HAS_BODY} AND seq NOT IN (SELECT seq FROM bodies) HAVING n > 0`,
    describe: (cell) => `events whose body is missing: ${cell('n')}`,
  },
  {
    check: 'bodies',
    sql: `SELECT count(*) AS n FROM bodies
          WHERE seq NOT IN (SELECT seq FROM events NOT INDEXED) HAVING n > 0`,
    describe: (cell) => `bodies without an event: ${cell('n')}`,
  },
  {
    check: 'refreshes',
    sql: `SELECT count(*) AS n FROM refreshes r LEFT JOIN events e USING (seq)
          WHERE e.state IS NOT CASE r.running WHEN 1 THEN 'pending' ELSE 'delivered' END HAVING n > 0`,
    describe: (cell) => `refreshes of events in another state: ${cell('n')}`,
  },
  {
    check: 'landings',
    sql: LANDING_DIFFERENCES,
    describe: (cell) =>
      `source ${cell('source')}: landed ${cell('landed')} (rows: ${cell('landed_rows')}), ` +
      `refused later ${cell('refused')} (rows: ${cell('refused_rows')})`,
  },
  {
    check: 'landings',
    sql: SPAN_DIFFERENCES,
    describe: (cell) => `periods with fewer deliveries than there are: ${cell('n')}`,
  },
  {
    check: 'landings',
    sql: STRAY_DOUBTS,
    describe: (cell) => `doubts about events that are not delivered: ${cell('n')}`,
  },
];

function integrityFindings(db: DatabaseSync): Finding[] {
  return db
    .prepare(`PRAGMA integrity_check(${MAX_INTEGRITY_FINDINGS})`)
    .all()
    .flatMap((row) => String(Object.values(row)[0]).split('\n'))
    .filter((detail) => detail !== 'ok')
    .slice(0, MAX_INTEGRITY_FINDINGS)
    .map((detail) => ({ check: 'integrity', detail }));
}

function withReadErrors(check: Finding['check'], run: () => Finding[]): Finding[] {
  try {
    return run();
  } catch (error) {
    return [{ check, detail: `cannot be read: ${error instanceof Error ? error.message : String(error)}` }];
  }
}

function payloadFindings(db: DatabaseSync, encryptionKeys: readonly string[]): Finding[] {
  return damagedPayloads(db, cipherFor(db, encryptionKeys)).map((detail) => ({ check: 'payloads', detail }));
}

/** Checks an open store. Encrypted payloads are checked if their keys are given. */
export function findingsOf(db: DatabaseSync, encryptionKeys: readonly string[]): Finding[] {
  const format = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  const damage = withReadErrors('integrity', () => integrityFindings(db));
  if (format !== MIGRATIONS.length) {
    const detail =
      `the store has format ${format}, but this version needs ${MIGRATIONS.length}: ` +
      'start the relay on it once, or use the version that wrote it';
    return [...damage, { check: 'format', detail }];
  }
  const inconsistencies = CHECKS.flatMap(({ check, sql, describe }) =>
    withReadErrors(check, () =>
      db
        .prepare(sql)
        .all()
        .map((row) => ({ check, detail: describe(cellsOf(row)) })),
    ),
  );
  const payloads = withReadErrors('payloads', () => payloadFindings(db, encryptionKeys));
  return [...damage, ...inconsistencies, ...payloads];
}

export function acceptedIn(db: DatabaseSync): number {
  return Number(db.prepare('SELECT coalesce(sum(accepted), 0) AS n FROM counts').get()?.['n']);
}

/** A store that holds less than the marker in its folder says. */
function accountFindings(folder: string, db: DatabaseSync): Finding[] {
  return withReadErrors('account', () => {
    const detail = describeShortfall(readMarker(folder), acceptedIn(db));
    return detail === undefined ? [] : [{ check: 'account', detail }];
  });
}

/** What cannot be read of the two logs. */
function logFindings(path: string, db: DatabaseSync): Finding[] {
  const damage = damagedWal(databaseFileOf(path));
  const at = logPositionOf(db);
  const { missing, missingFiles } = readIntakeLog(path, at);
  return [
    ...(damage === undefined ? [] : [describeWalDamage(damage)]),
    ...(at?.seed === undefined ? [] : foreignLogs(path, at.seed)),
    ...(missing === 0 ? [] : [describeMissing(missing, at?.isClosed === true)]),
    ...missingFiles.map((name) => `${name} is missing, though the relay was not stopped properly`),
  ].map((detail) => ({ check: 'log', detail }));
}

/** What is no damage, but worth knowing before the next start. */
export function storeNotes(path: string): readonly string[] {
  const file = databaseFileOf(path);
  return damagedWal(file) === undefined && hasTornEnd(file) ? [TORN_WAL] : [];
}

/**
 * Checks the store of a stopped relay: the file itself, the ledger against the rows, one head in
 * each queue, a body for each event that must have one, and the payloads, as far as keys are given.
 * @throws StoreError if there is none, a relay is running on it, or it cannot be opened
 */
export function verifyStore(path: string, encryptionKeys: readonly string[] = []): readonly Finding[] {
  if (statSync(databaseFileOf(path)).size === 0)
    return [{ check: 'account', detail: 'relay.db is empty: whatever it held is gone' }];
  return withStoppedStore(path, (db) => [
    ...logFindings(path, db),
    ...accountFindings(path, db),
    ...findingsOf(db, encryptionKeys),
  ]);
}
