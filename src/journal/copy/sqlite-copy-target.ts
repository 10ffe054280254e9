import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { StoreError } from '../journal.ts';
import { FIRST_STEP } from '../sqlite/engine/calls.ts';
import { type Database, openDatabase } from '../sqlite/engine/database.ts';
import { fsyncPath } from '../sqlite/engine/intake-log.ts';
import { createFolder, DATABASE_FILE } from '../sqlite/engine/store-folder.ts';
import { writeMarker } from '../sqlite/engine/store-marker.ts';
import { setHeads } from '../sqlite/offline/recount.ts';
import { hasStore, withStoppedStore } from '../sqlite/offline/stopped-store.ts';
import { acceptedIn } from '../sqlite/offline/verify.ts';
import {
  type CopiedEvent,
  type CopiedRefresh,
  type CopiedRow,
  type CopyProgress,
  type CopyTarget,
  type SideTable,
} from './copied-rows.ts';
import { accountOf } from './sqlite-copy-source.ts';

/** Where the copy is made, in the folder of the store, so that no relay takes it for one. */
const PART_FOLDER = '.store-copy';

const BEGINNING: CopyProgress = { step: 'events', after: [], events: 0 };

type Writable = SQLInputValue;

function insert(db: Database, table: string, row: Readonly<Record<string, Writable>>): void {
  const columns = Object.keys(row);
  db.run(
    `INSERT INTO ${table} (${columns.map((column) => `"${column}"`).join(', ')})
     VALUES (${columns.map(() => '?').join(', ')})`,
    ...Object.values(row),
  );
}

/** A value as SQLite stores it. */
function plain(value: CopiedRow[string] | undefined): Writable {
  if (value === undefined) return null;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)
    ? JSON.stringify(value)
    : value;
}

function plainRow(row: CopiedRow): Record<string, Writable> {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, plain(value)]));
}

function insertRefresh(
  db: Database,
  { seq, source, destination }: CopiedEvent,
  { customer, bill, running, ...row }: CopiedRefresh,
): void {
  const flags = { customer: Number(customer), bill: Number(bill), running: Number(running) };
  insert(db, 'refreshes', { seq, source, destination, ...row, ...flags });
}

function insertLanding(db: Database, { seq, destination, settled_at, doubt, isWatched }: CopiedEvent): void {
  if (doubt !== undefined) insert(db, 'doubts', { seq, destination, ...doubt });
  if (isWatched) insert(db, 'watched', { seq, destination, settled_at });
}

function insertEvent(db: Database, event: CopiedEvent): void {
  const { seq, state } = event;
  const isHead = state === 'pending' && (event.lane === null || event.isPinned);
  insert(db, 'events', {
    seq,
    receipt: event.receipt,
    source: event.source,
    destination: event.destination,
    identity: event.identity,
    lane: event.lane,
    own_lane: event.own_lane,
    customer_id: event.customer_id,
    org_id: event.org_id,
    event_name: event.event_name,
    event_id: event.event_id,
    created_at: event.created_at,
    received_at: event.received_at,
    verified_by: event.verified_by,
    traceparent: event.traceparent,
    state,
    reason: event.reason,
    detail: event.detail,
    settled_at: event.settled_at,
    head: Number(isHead),
    due_at: event.due_at,
    failures: event.failures,
    charged: event.charged,
    delivered: event.delivered,
    id_suffix: event.id_suffix,
    replays: event.replays,
    body_bytes: event.body_bytes,
    kept: Number(event.body !== null),
    replay: Number(event.isReplay),
    sent_in: event.sentIn,
  });
  if (event.body !== null) insert(db, 'bodies', { seq, body: event.body });
  if (event.notes !== null) insert(db, 'notes', { seq, json: event.notes });
  for (const [index, row] of event.attempts.entries())
    insert(db, 'attempts', { seq, n: index + 1, ...plainRow(row) });
  for (const row of event.sent) insert(db, 'sent', { seq, ...plainRow(row) });
  for (const row of event.actions) insert(db, 'actions', { seq, ...plainRow(row) });
  if (event.entities !== null) insert(db, 'entities', { seq, json: event.entities });
  if (event.refresh !== undefined) insertRefresh(db, event, event.refresh);
  insertLanding(db, event);
  if (event.differing !== undefined) insert(db, 'differing_copies', { seq, ...plainRow(event.differing) });
}

/** Jobs of SQLite go through the events in the order of acceptance. */
function insertJob(db: Database, { next, until, ...row }: CopiedRow): void {
  const seqOf = (sql: string, receipt: CopiedRow[string] | undefined): number | undefined => {
    const found = db.one(sql, plain(receipt)) as { readonly seq: number | null };
    return found.seq ?? undefined;
  };
  const untilSeq =
    until === null ? 0 : (seqOf('SELECT max(seq) AS seq FROM events WHERE receipt <= ?', until) ?? 0);
  const nextSeq =
    next === null ? 1 : (seqOf('SELECT min(seq) AS seq FROM events WHERE receipt > ?', next) ?? untilSeq + 1);
  insert(db, 'replay_jobs', {
    ...plainRow(row),
    next_seq: nextSeq,
    until_seq: untilSeq,
    span: FIRST_STEP.span,
  });
}

function insertRow(db: Database, table: SideTable, row: CopiedRow): void {
  if (table === 'replay_jobs') insertJob(db, row);
  else if (table === 'contact_totals') insert(db, 'contact_scopes', plainRow(row));
  else if (table === 'contacts')
    db.run(
      `INSERT INTO contacts (scope, key, customer)
       VALUES ((SELECT id FROM contact_scopes WHERE destination = ?), ?, ?)`,
      plain(row['destination']),
      plain(row['key']),
      plain(row['customer']),
    );
  else insert(db, table, plainRow(row));
}

/**
 * Whether a copy was stopped after its last change of the database, which removes its progress, and
 * before the file was moved. Then everything is there, and only has to be compared again.
 */
function isComplete(db: DatabaseSync): boolean {
  const row = db
    .prepare(
      `SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'copy_progress')
         AND (EXISTS (SELECT 1 FROM events) OR EXISTS (SELECT 1 FROM counts)) AS complete`,
    )
    .get();
  return row?.['complete'] === 1;
}

function countOfEvents(db: DatabaseSync): number {
  return Number(db.prepare('SELECT count(*) AS n FROM events').get()?.['n']);
}

function readProgress(db: DatabaseSync): { fingerprint: string; progress: CopyProgress } | undefined {
  db.exec('CREATE TABLE IF NOT EXISTS copy_progress (id INTEGER PRIMARY KEY, json TEXT NOT NULL)');
  const row = db.prepare('SELECT json FROM copy_progress').get();
  return row === undefined
    ? undefined
    : (JSON.parse(String(row['json'])) as { fingerprint: string; progress: CopyProgress });
}

/** @throws StoreError if another process is making the copy */
function openPart(folder: string): Database {
  const part = join(folder, PART_FOLDER);
  createFolder(folder);
  const db = openDatabase(part);
  // What is committed survives a loss of power, so that the copy can be continued.
  db.raw.exec('PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000; PRAGMA foreign_keys = OFF');
  return db;
}

/** Whether a copy was stopped between its last two actions. */
function isJustFinished(folder: string): boolean {
  const part = join(folder, PART_FOLDER);
  return existsSync(part) && !existsSync(join(part, DATABASE_FILE));
}

async function nothing(): Promise<void> {
  // The copy is complete.
}

function finishedTarget(folder: string): CopyTarget {
  rmSync(join(folder, PART_FOLDER), { recursive: true });
  return {
    name: `the store in ${folder}`,
    begin: async () => ({ ...BEGINNING, step: 'done' }),
    writeEvents: nothing,
    writeRows: nothing,
    writeCounts: nothing,
    account: async () => withStoppedStore(folder, accountOf),
    finish: nothing,
    close: nothing,
  };
}

/**
 * A new store in a folder. It is made in a folder inside and moved at the end.
 * @throws StoreError if the folder has a store
 */
export function openSqliteTarget(folder: string): CopyTarget {
  if (hasStore(folder) && isJustFinished(folder)) return finishedTarget(folder);
  if (hasStore(folder))
    throw new StoreError(`there is a store in ${folder}`, {
      fix: 'name a new or empty folder: a copy is never added to a store',
    });
  const db = openPart(folder);
  let isOpen = true;
  let fingerprint = '';
  const step = (work: () => void, progress: CopyProgress): void =>
    db.transaction(() => {
      work();
      db.run(
        'INSERT OR REPLACE INTO copy_progress (id, json) VALUES (1, ?)',
        JSON.stringify({ fingerprint, progress }),
      );
    });
  const close = (): void => {
    if (isOpen) db.close();
    isOpen = false;
  };
  return {
    name: `the store in ${folder}`,
    begin: async (given) => {
      fingerprint = given;
      if (isComplete(db.raw)) return { step: 'compare', after: [], events: countOfEvents(db.raw) };
      const found = readProgress(db.raw);
      if (found === undefined) {
        step(() => undefined, BEGINNING);
        return BEGINNING;
      }
      if (found.fingerprint === given) return found.progress;
      throw new StoreError(
        `${folder} has an unfinished copy of another store, or of what this one was before`,
        { fix: `remove ${join(folder, PART_FOLDER)}, or name another folder` },
      );
    },
    writeEvents: async (events, progress) =>
      step(() => {
        for (const event of events) insertEvent(db, event);
      }, progress),
    writeRows: async (table, rows, progress) =>
      step(() => {
        for (const row of rows) insertRow(db, table, row);
      }, progress),
    writeCounts: async ({ ledger, backlog }, progress) =>
      step(() => {
        for (const [source, counts] of Object.entries(ledger)) insert(db, 'counts', { source, ...counts });
        for (const [destination, counts] of Object.entries(backlog))
          insert(db, 'backlog', { destination, ...counts });
        setHeads(db.raw);
      }, progress),
    account: async () => accountOf(db.raw),
    finish: async () => {
      const accepted = acceptedIn(db.raw);
      db.raw.exec('DROP TABLE IF EXISTS copy_progress; PRAGMA wal_checkpoint(TRUNCATE)');
      close();
      const part = join(folder, PART_FOLDER);
      fsyncPath(join(part, DATABASE_FILE));
      if (existsSync(join(folder, DATABASE_FILE)))
        throw new StoreError(`a relay has created a store in ${folder} meanwhile`, {
          fix: `stop it and replace its ${DATABASE_FILE} by that in ${part}`,
        });
      writeMarker(folder, accepted, true);
      renameSync(join(part, DATABASE_FILE), join(folder, DATABASE_FILE));
      fsyncPath(folder);
      rmSync(part, { recursive: true });
    },
    close: async () => close(),
  };
}
