import type { SQLInputValue } from 'node:sqlite';
import { hitFailpoint } from '../../telemetry/failpoints.ts';
import type { SealPosition } from '../journal.ts';
import type { Database } from './database.ts';
import type { Engine } from './engine.ts';
import { overwriting } from './erase.ts';
import type { AnswerOf, RequestOf } from './protocol.ts';

interface SealedColumns {
  readonly table: string;
  readonly columns: readonly string[];
}

/** Everything that is kept sealed. All of these tables have rowids. */
export const SEALED: readonly SealedColumns[] = [
  { table: 'bodies', columns: ['body'] },
  { table: 'sent', columns: ['json'] },
  { table: 'profiles', columns: ['state'] },
  { table: 'notes', columns: ['json'] },
  { table: 'quarantine', columns: ['headers', 'body'] },
  { table: 'replay_jobs', columns: ['filter'] },
];

/** Rows and bytes that one step reads: a few ms. A single row may be larger and is a step of its own. */
const STEP_ROWS = 512;
const STEP_BYTES = 1_048_576;

const START: SealPosition = { table: 0, after: 0, unreadable: 0 };

type Row = Readonly<Record<string, SQLInputValue>>;

/**
 * Called when the store is opened, before anything is written: what is written from now on is closed with `keyId`, so that the store is no
 * longer closed with another key throughout.
 */
export function forgetOtherKeys(db: Database, keyId: string | undefined): void {
  db.run('DELETE FROM sealed_with WHERE key_id IS NOT ?', keyId ?? null);
}

function isDone({ db }: Engine, keyId: string): boolean {
  return db.one('SELECT 1 FROM sealed_with WHERE key_id = ?', keyId) !== undefined;
}

function blobsOf(row: Row, { columns }: SealedColumns): [string, Uint8Array][] {
  return columns.flatMap((column) => {
    const value = row[column];
    return value instanceof Uint8Array ? [[column, value] as [string, Uint8Array]] : [];
  });
}

/** Rows behind a position, within the bounds of a step; `isLast` when the table has no more. */
function rowsAfter({ db }: Engine, part: SealedColumns, after: number): { rows: Row[]; isLast: boolean } {
  const rows: Row[] = [];
  let bytes = 0;
  const statement = db.sql(
    `SELECT rowid AS at, ${part.columns.join(', ')} FROM ${part.table} WHERE rowid > ? ORDER BY rowid`,
  );
  for (const row of statement.iterate(after) as Iterable<unknown> as Iterable<Row>) {
    rows.push(row);
    for (const [, blob] of blobsOf(row, part)) bytes += blob.byteLength;
    if (rows.length >= STEP_ROWS || bytes >= STEP_BYTES) return { rows, isLast: false };
  }
  return { rows, isLast: true };
}

/** Seals the payloads of a row anew where that is needed. */
function sealRow(engine: Engine, part: SealedColumns, row: Row): { sealed: number; unreadable: number } {
  const count = { sealed: 0, unreadable: 0 };
  for (const [column, stored] of blobsOf(row, part)) {
    if (engine.seal.isCurrent(stored)) continue;
    const plain = engine.seal.open(stored);
    if (plain === undefined) {
      count.unreadable += 1;
      continue;
    }
    const at = row['at'] ?? null;
    engine.db.run(`UPDATE ${part.table} SET ${column} = ? WHERE rowid = ?`, engine.seal.close(plain), at);
    count.sealed += 1;
    hitFailpoint('journal-sealing');
  }
  return count;
}

/** How much of all positions is behind this one, from 0 to 1. */
function shareAt({ db }: Engine, position: SealPosition): number {
  let all = 0;
  let behind = 0;
  for (const [index, { table }] of SEALED.entries()) {
    const { first, last } = db.one(
      `SELECT coalesce(min(rowid), 1) AS first, coalesce(max(rowid), 0) AS last FROM ${table}`,
    ) as { first: number; last: number };
    const size = last - first + 1;
    all += size;
    if (index < position.table) behind += size;
    if (index === position.table) behind += Math.min(size, Math.max(0, position.after - first + 1));
  }
  return all === 0 ? 1 : behind / all;
}

function nextOf(at: SealPosition, rows: readonly Row[], isLast: boolean): SealPosition {
  return isLast ? { ...at, table: at.table + 1, after: 0 } : { ...at, after: Number(rows.at(-1)?.['at']) };
}

/**
 * Seals anew, with the first key, what another key closed or what is clear; old content is overwritten. What cannot be opened stays as it
 * is and keeps the store from counting as done, so that the next process looks again.
 */
export function reseal(engine: Engine, { from = START }: RequestOf<'reseal'>): AnswerOf<'reseal'> {
  const { keyId } = engine.seal;
  const part = SEALED[from.table];
  if (keyId === undefined || part === undefined || isDone(engine, keyId))
    return { sealed: 0, unreadable: from.unreadable, share: 1 };
  let sealed = 0;
  let { unreadable } = from;
  const { rows, isLast } = rowsAfter(engine, part, from.after);
  overwriting(engine, () => {
    for (const row of rows) {
      const did = sealRow(engine, part, row);
      sealed += did.sealed;
      unreadable += did.unreadable;
    }
  });
  const next = { ...nextOf(from, rows, isLast), unreadable };
  if (next.table < SEALED.length) return { sealed, unreadable, share: shareAt(engine, next), next };
  if (unreadable === 0) engine.db.run('INSERT INTO sealed_with (key_id) VALUES (?)', keyId);
  return { sealed, unreadable, share: 1 };
}
