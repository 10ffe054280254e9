import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { StoreError } from '../journal.ts';
import { DATABASE_FILE, openDatabase } from './database.ts';
import { openMendedCopy } from './mended-copy.ts';
import { INDEX_TABLES } from './indexes.ts';
import { PAYLOAD_LOST, recount } from './recount.ts';
import { attempt, rescueTable, rescueWhole, type RescuedTable, type Row } from './rescue.ts';
import { fileOf, withStoppedStore } from './stopped-store.ts';
import { type Finding, findingsOf } from './verify.ts';

export interface Salvage {
  readonly tables: readonly RescuedTable[];
  /** Receipts of events that an index still knows and of which nothing else could be read. */
  readonly lost: readonly string[];
  /** Receipts of pending events that are there without their payload; they are dead letters now. */
  readonly bodiless: readonly string[];
  /** Sums of the ledger before, as far as it could be read, and after. */
  readonly accepted: { readonly before?: number; readonly after: number };
  /** What `verify` says of the new store: nothing. */
  readonly findings: readonly Finding[];
}

const STATES: readonly unknown[] = ['pending', 'delivered', 'ignored', 'dead', 'malformed'];

/** Damage leaves zeroes where texts were. */
function isTorn(value: SQLInputValue | undefined): boolean {
  return typeof value === 'string' && value.includes('\0');
}

function isSaneEvent(row: Row): boolean {
  return (
    STATES.includes(row['state']) &&
    typeof row['receipt'] === 'string' &&
    typeof row['source'] === 'string' &&
    Number.isSafeInteger(row['received_at']) &&
    !Object.values(row).some(isTorn)
  );
}

/** A clear body that was accepted is JSON, so one that is none is torn; a sealed one proves itself when it is opened. */
function isSaneBody(row: Row, state: unknown): boolean {
  const { body } = row;
  if (!(body instanceof Uint8Array) || state === 'malformed' || body[0] !== 0)
    return body instanceof Uint8Array;
  return attempt(() => JSON.parse(Buffer.from(body.subarray(1)).toString('utf8')) as unknown) !== undefined;
}

/** Whether a row can be what it says it is. Bodies come after their events. */
function sanity(to: DatabaseSync): (table: string, row: Row) => boolean {
  const stateOf = to.prepare('SELECT state FROM events WHERE seq = ?');
  return (table, row) => {
    if (table === 'events') return isSaneEvent(row);
    return table !== 'bodies' || isSaneBody(row, stateOf.get(row['seq'] ?? null)?.['state']);
  };
}

/** Tells of a running relay; other troubles are what salvage is for. */
function expectStopped(path: string): void {
  try {
    withStoppedStore(path, () => undefined);
  } catch (error) {
    if (error instanceof StoreError && error.message.includes('stop it first')) throw error;
  }
}

function expectEmpty(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).length > 0)
    throw new StoreError(`${folder} is not empty; salvage writes into a new folder`);
}

/** By what each table is gone through; undefined for the small ones, which are read as a whole. */
function keyOf(db: DatabaseSync, table: string): string | undefined {
  const { wr } = db.prepare('SELECT wr FROM pragma_table_list(?)').get(table) ?? {};
  if (wr === 0) return 'rowid';
  return table === 'attempts' ? 'seq' : undefined;
}

function rescueAll(from: DatabaseSync, to: DatabaseSync): RescuedTable[] {
  const parts = { from, to, sane: sanity(to) };
  const tables = to
    .prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid`,
    )
    .all()
    .map(({ name }) => String(name))
    // What these hold is read from the events again, when the store is opened.
    .filter((table) => !INDEX_TABLES.includes(table))
    .filter((table) => attempt(() => from.prepare(`SELECT 1 FROM ${table} LIMIT 0`)) !== undefined);
  return tables.map((table) => {
    const key = keyOf(to, table);
    return key === undefined ? rescueWhole(parts, table) : rescueTable(parts, table, key);
  });
}

function lostOf(from: DatabaseSync, to: DatabaseSync): string[] {
  const known = to.prepare('SELECT 1 FROM events WHERE receipt = ?');
  const lost: string[] = [];
  // As far as the index goes.
  attempt(() => {
    for (const { receipt } of from.prepare('SELECT receipt FROM events INDEXED BY events_receipt').iterate())
      if (known.get(String(receipt)) === undefined) lost.push(String(receipt));
  });
  return lost;
}

/** Positions are never given twice, not even those of events that are lost. */
function keepSequence(from: DatabaseSync, to: DatabaseSync): void {
  const rows = attempt(() => from.prepare('SELECT name, seq FROM sqlite_sequence').all()) ?? [];
  for (const { name, seq } of rows)
    to.prepare('UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?').run(Number(seq), String(name));
}

function acceptedIn(db: DatabaseSync): number {
  return Number(db.prepare('SELECT coalesce(sum(accepted), 0) AS n FROM counts').get()?.['n']);
}

function fill(from: DatabaseSync, to: DatabaseSync): Salvage {
  to.exec('PRAGMA foreign_keys = OFF');
  const before = attempt(() => acceptedIn(from));
  const tables = rescueAll(from, to);
  keepSequence(from, to);
  const lost = lostOf(from, to);
  const now = Date.now();
  recount(to, now);
  const buried = to
    .prepare('SELECT receipt FROM events WHERE reason = ? AND settled_at = ?')
    .all(PAYLOAD_LOST, now);
  return {
    tables,
    lost,
    bodiless: buried.map(({ receipt }) => String(receipt)),
    accepted: { ...(before === undefined ? {} : { before }), after: acceptedIn(to) },
    findings: findingsOf(to),
  };
}

/**
 * Copies all that can be read of a damaged store into a new one in an empty folder. Works on a copy of the damaged file there, so it needs
 * twice its room for a while; the original is never written to.
 * @throws StoreError when there is none, a relay is running on it, or the folder is not empty
 */
export function salvageStore(path: string, folder: string): Salvage {
  const original = fileOf(path);
  expectStopped(path);
  expectEmpty(folder);
  const to = openDatabase(folder);
  const copy = join(folder, 'damaged.db');
  let from: DatabaseSync | undefined;
  try {
    to.raw.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    from = openMendedCopy(original, copy, join(folder, DATABASE_FILE));
    return fill(from, to.raw);
  } finally {
    attempt(() => from?.close());
    for (const side of ['', '-wal', '-shm']) if (existsSync(copy + side)) rmSync(copy + side);
    to.close();
  }
}
