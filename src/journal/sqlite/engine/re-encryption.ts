import type { SQLInputValue } from 'node:sqlite';
import { hitFailpoint } from '../../../telemetry/failpoints.ts';
import type { AnswerOf, ReencryptionPosition, RequestOf } from './calls.ts';
import type { Database } from './database.ts';
import type { Engine } from './sqlite-engine.ts';
import { isReadable } from '../../payload-cipher.ts';
import { withSecureDelete } from './payloads.ts';

interface EncryptedColumns {
  readonly table: string;
  readonly columns: readonly string[];
}

/** Everything that is encrypted. All of these tables have rowids. */
export const ENCRYPTED_COLUMNS: readonly EncryptedColumns[] = [
  { table: 'bodies', columns: ['body'] },
  { table: 'sent', columns: ['json'] },
  { table: 'profiles', columns: ['state'] },
  { table: 'notes', columns: ['json'] },
  { table: 'entities', columns: ['json'] },
  { table: 'quarantine', columns: ['headers', 'body'] },
  { table: 'replay_jobs', columns: ['filter'] },
];

/** Bounds of what one step reads in a few ms. A larger row forms a step of its own. */
const MAX_STEP_ROWS = 512;
const MAX_STEP_BYTES = 1_048_576;

const START = { table: 0, after: 0, unreadable: 0 } as const;

type Row = Readonly<Record<string, SQLInputValue>>;

function blobsOf(row: Row, { columns }: EncryptedColumns): [string, Uint8Array][] {
  return columns.flatMap((column) => {
    const value = row[column];
    return value instanceof Uint8Array ? [[column, value] as [string, Uint8Array]] : [];
  });
}

/** Rows after a position, within the bounds of a step; `isLast` if the table has no more. */
function rowsAfter(
  { db }: Engine,
  target: EncryptedColumns,
  after: number,
): { rows: Row[]; isLast: boolean } {
  const rows: Row[] = [];
  let bytes = 0;
  const statement = db.sql(
    `SELECT rowid AS at, ${target.columns.join(', ')} FROM ${target.table} WHERE rowid > ? ORDER BY rowid`,
  );
  for (const row of statement.iterate(after) as Iterable<unknown> as Iterable<Row>) {
    rows.push(row);
    for (const [, blob] of blobsOf(row, target)) bytes += blob.byteLength;
    if (rows.length >= MAX_STEP_ROWS || bytes >= MAX_STEP_BYTES) return { rows, isLast: false };
  }
  return { rows, isLast: true };
}

/** Writes the payloads of a row in the current form, unless they have it. */
function reencryptRow(
  engine: Engine,
  target: EncryptedColumns,
  row: Row,
): { reencrypted: number; unreadable: number } {
  const count = { reencrypted: 0, unreadable: 0 };
  for (const [column, stored] of blobsOf(row, target)) {
    if (engine.cipher.isCurrent(stored)) continue;
    const plain = engine.cipher.decrypt(stored);
    const at = Number(row['at']);
    if (!isReadable(plain)) {
      // No key will ever read a damaged one, so the store can be complete without it.
      if (plain === 'key-unknown') count.unreadable += 1;
      else engine.reportUnreadable(`the ${column} of row ${at} of ${target.table}`, plain);
      continue;
    }
    engine.db.run(
      `UPDATE ${target.table} SET ${column} = ? WHERE rowid = ?`,
      engine.cipher.encrypt(plain),
      at,
    );
    count.reencrypted += 1;
    hitFailpoint('journal-reencrypting');
  }
  return count;
}

/** Whether everything in the store has the form that is written now. */
export function isSealed(db: Database): boolean {
  return db.one('SELECT 1 FROM sealed_with') !== undefined;
}

/** The share of all rows that has been processed at this position, from 0 to 1. */
function shareAt({ db }: Engine, position: ReencryptionPosition): number {
  let total = 0;
  let processed = 0;
  for (const [index, { table }] of ENCRYPTED_COLUMNS.entries()) {
    const { first, last } = db.one(
      `SELECT coalesce(min(rowid), 1) AS first, coalesce(max(rowid), 0) AS last FROM ${table}`,
    ) as { first: number; last: number };
    const size = last - first + 1;
    total += size;
    if (index < position.table) processed += size;
    if (index === position.table) processed += Math.min(size, Math.max(0, position.after - first + 1));
  }
  return total === 0 ? 1 : processed / total;
}

function nextOf(at: ReencryptionPosition, rows: readonly Row[], isLast: boolean): ReencryptionPosition {
  return isLast ? { ...at, table: at.table + 1, after: 0 } : { ...at, after: Number(rows.at(-1)?.['at']) };
}

/**
 * Encrypts with the first key whatever another key encrypted or is not encrypted, or without keys
 * gives a checksum to what earlier versions stored without one, and overwrites the old content in
 * the file. Payloads whose key is unknown are left as they are; because of them the store does not
 * count as complete, so the next process tries again.
 */
export function reencrypt(engine: Engine, request: RequestOf<'reencrypt'>): AnswerOf<'reencrypt'> {
  const { recoveries } = engine;
  // What earlier steps have written may have been undone.
  const from = request.from?.recoveries === recoveries ? request.from : { ...START, recoveries };
  const target = ENCRYPTED_COLUMNS[from.table];
  if (target === undefined || engine.sealed.isComplete)
    return { reencrypted: 0, unreadable: from.unreadable, share: 1 };
  let reencrypted = 0;
  let { unreadable } = from;
  const { rows, isLast } = rowsAfter(engine, target, from.after);
  withSecureDelete(engine, () => {
    for (const row of rows) {
      const count = reencryptRow(engine, target, row);
      reencrypted += count.reencrypted;
      unreadable += count.unreadable;
    }
  });
  if (reencrypted > 0) engine.log.clearLater();
  const next = { ...nextOf(from, rows, isLast), unreadable };
  if (next.table < ENCRYPTED_COLUMNS.length)
    return { reencrypted, unreadable, share: shareAt(engine, next), next };
  if (unreadable === 0) {
    engine.db.run('INSERT INTO sealed_with (key_id) VALUES (?)', engine.cipher.formId);
    engine.sealed.isComplete = true;
  }
  return { reencrypted, unreadable, share: 1 };
}
