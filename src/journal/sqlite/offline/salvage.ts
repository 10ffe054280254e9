import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { PAYLOAD_LOST } from '../../event-reasons.ts';
import { StoreError } from '../../journal.ts';
import { openDatabase } from '../engine/database.ts';
import { INDEX_TABLES } from '../engine/indexes.ts';
import { createFolder, DATABASE_FILE } from '../engine/store-folder.ts';
import {
  type CopiedTable,
  copyTable,
  copyWholeTable,
  openRepairedCopy,
  type Row,
  tryRead,
} from './damaged-copy.ts';
import { recount } from './recount.ts';
import { databaseFileOf, isInUse, withStoppedStore } from './stopped-store.ts';
import { type Finding, findingsOf } from './verify.ts';

export interface SalvageReport {
  readonly tables: readonly CopiedTable[];
  /** Receipts of events that an index still contains but whose rows could not be read. */
  readonly lost: readonly string[];
  /** Receipts of pending events that lost their payload; they are dead letters now. */
  readonly bodiless: readonly string[];
  /** Accepted events of all sources before (if readable) and after. */
  readonly accepted: { readonly before?: number; readonly after: number };
  /** Findings of `verify` in the new store; normally none. */
  readonly findings: readonly Finding[];
}

const STATES: readonly unknown[] = ['pending', 'delivered', 'ignored', 'dead', 'malformed'];

/** Damage can leave zero bytes in a text. */
function isDamagedText(value: SQLInputValue | undefined): boolean {
  return typeof value === 'string' && value.includes('\0');
}

function isPlausibleEvent(row: Row): boolean {
  return (
    STATES.includes(row['state']) &&
    typeof row['receipt'] === 'string' &&
    typeof row['source'] === 'string' &&
    Number.isSafeInteger(row['received_at']) &&
    !Object.values(row).some(isDamagedText)
  );
}

/** An unencrypted accepted body must be JSON; an encrypted one is verified when it is decrypted. */
function isPlausibleBody(row: Row, state: unknown): boolean {
  const { body } = row;
  if (!(body instanceof Uint8Array) || state === 'malformed' || body[0] !== 0)
    return body instanceof Uint8Array;
  return tryRead(() => JSON.parse(Buffer.from(body.subarray(1)).toString('utf8')) as unknown) !== undefined;
}

/** Checks the rows of `events` and `bodies`. Bodies must be copied after their events. */
function plausibilityCheck(to: DatabaseSync): (table: string, row: Row) => boolean {
  const stateOf = to.prepare('SELECT state FROM events WHERE seq = ?');
  return (table, row) => {
    if (table === 'events') return isPlausibleEvent(row);
    return table !== 'bodies' || isPlausibleBody(row, stateOf.get(row['seq'] ?? null)?.['state']);
  };
}

/** Refuses only a running relay; any other problem is what salvage is for. */
function assertStopped(path: string): void {
  try {
    withStoppedStore(path, () => undefined);
  } catch (error) {
    if (isInUse(error)) throw error;
  }
}

function assertEmpty(folder: string): void {
  createFolder(folder);
  if (readdirSync(folder).length > 0)
    throw new StoreError(`${folder} is not empty; salvage needs an empty folder`);
}

/**
 * The key by which a table is copied in ranges; undefined for tables without one, which are copied
 * row by row.
 */
function keyOf(db: DatabaseSync, table: string): string | undefined {
  const { wr } = db.prepare('SELECT wr FROM pragma_table_list(?)').get(table) ?? {};
  if (wr === 0) return 'rowid';
  return table === 'attempts' ? 'seq' : undefined;
}

function copyTables(from: DatabaseSync, to: DatabaseSync): CopiedTable[] {
  const context = { from, to, isPlausible: plausibilityCheck(to) };
  const tables = to
    .prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid`,
    )
    .all()
    .map(({ name }) => String(name))
    // The index tables are rebuilt from the events when the store is opened.
    .filter((table) => !INDEX_TABLES.includes(table))
    .filter((table) => tryRead(() => from.prepare(`SELECT 1 FROM ${table} LIMIT 0`)) !== undefined);
  return tables.map((table) => {
    const key = keyOf(to, table);
    return key === undefined ? copyWholeTable(context, table) : copyTable(context, table, key);
  });
}

function lostReceipts(from: DatabaseSync, to: DatabaseSync): string[] {
  const known = to.prepare('SELECT 1 FROM events WHERE receipt = ?');
  const lost: string[] = [];
  // As far as the index can be read.
  tryRead(() => {
    for (const { receipt } of from.prepare('SELECT receipt FROM events INDEXED BY events_receipt').iterate())
      if (known.get(String(receipt)) === undefined) lost.push(String(receipt));
  });
  return lost;
}

/** Positions are never reused, not even those of lost events. */
function restoreSequences(from: DatabaseSync, to: DatabaseSync): void {
  const rows = tryRead(() => from.prepare('SELECT name, seq FROM sqlite_sequence').all()) ?? [];
  for (const { name, seq } of rows)
    to.prepare('UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?').run(Number(seq), String(name));
}

function acceptedIn(db: DatabaseSync): number {
  return Number(db.prepare('SELECT coalesce(sum(accepted), 0) AS n FROM counts').get()?.['n']);
}

function fillNewStore(from: DatabaseSync, to: DatabaseSync): SalvageReport {
  to.exec('PRAGMA foreign_keys = OFF');
  const before = tryRead(() => acceptedIn(from));
  const tables = copyTables(from, to);
  restoreSequences(from, to);
  const lost = lostReceipts(from, to);
  const now = Date.now();
  recount(to, now);
  const bodiless = to
    .prepare('SELECT receipt FROM events WHERE reason = ? AND settled_at = ?')
    .all(PAYLOAD_LOST, now);
  return {
    tables,
    lost,
    bodiless: bodiless.map(({ receipt }) => String(receipt)),
    accepted: { ...(before === undefined ? {} : { before }), after: acceptedIn(to) },
    findings: findingsOf(to),
  };
}

/**
 * Copies everything readable from a damaged store to a new one in an empty folder. It works on a
 * copy of the damaged file in that folder, so it temporarily needs twice the space. The original is
 * never changed.
 * @throws StoreError if there is no store, a relay is running on it, or the folder is not empty
 */
export function salvageStore(path: string, folder: string): SalvageReport {
  const original = databaseFileOf(path);
  assertStopped(path);
  assertEmpty(folder);
  const to = openDatabase(folder);
  const copy = join(folder, 'damaged.db');
  let from: DatabaseSync | undefined;
  try {
    to.raw.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    from = openRepairedCopy(original, copy, join(folder, DATABASE_FILE));
    return fillNewStore(from, to.raw);
  } finally {
    tryRead(() => from?.close());
    for (const suffix of ['', '-wal', '-shm']) if (existsSync(copy + suffix)) rmSync(copy + suffix);
    to.close();
  }
}
