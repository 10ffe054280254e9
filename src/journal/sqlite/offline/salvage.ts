import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { PAYLOAD_LOST } from '../../event-reasons.ts';
import { StoreError } from '../../journal.ts';
import { openDatabase } from '../engine/database.ts';
import { INDEX_TABLES } from '../engine/indexes.ts';
import { INTAKE_LOG_FILES } from '../engine/intake-log.ts';
import type { IntakeRecord } from '../engine/intake-records.ts';
import { createPayloadCipher, parseKey, type PayloadCipher } from '../../payload-cipher.ts';
import { SWEPT_TABLE } from '../engine/sweep-schema.ts';
import { createFolder, DATABASE_FILE } from '../engine/store-folder.ts';
import { readMarker, writeMarker } from '../engine/store-marker.ts';
import {
  type AppliedWal,
  type CopiedTable,
  copyTable,
  copyWholeTable,
  openRepairedCopy,
  type RepairedCopy,
  tryRead,
} from './damaged-copy.ts';
import { type IntakeLogState, type LogPosition, logPositionOf, readIntakeLog } from './intake-log-state.ts';
import { cipherFor } from './payload-check.ts';
import { plausibilityCheck } from './plausible-rows.ts';
import { recount } from './recount.ts';
import { replaceSchema } from './schema-repair.ts';
import { applyToSalvaged, recordsOfLost, restorePayloads, withRestored } from './salvage-log.ts';
import { databaseFileOf, isInUse, withStoppedStore } from './stopped-store.ts';
import { acceptedIn, type Finding, findingsOf } from './verify.ts';

export interface SalvageReport {
  readonly tables: readonly CopiedTable[];
  /** Receipts of events that an index still contains but whose rows could not be read. */
  readonly lost: readonly string[];
  /** Receipts of pending events that lost their payload; they are dead letters now. */
  readonly bodiless: readonly string[];
  /** Accepted events of all sources before (if readable) and after. */
  readonly accepted: { readonly before?: number; readonly after: number };
  /** Pages that the write-ahead log of the old store held. */
  readonly wal: AppliedWal;
  /** Records of the intake log that the old tables lacked and the new ones have. */
  readonly fromLog: number;
  /** What the new store lacks of what the old one accounts for, in sentences; empty if nothing. */
  readonly missing: readonly string[];
  /** Findings of `verify` in the new store; normally none. */
  readonly findings: readonly Finding[];
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

function copyTables(from: DatabaseSync, to: DatabaseSync, cipher: PayloadCipher): CopiedTable[] {
  const context = { from, to, isPlausible: plausibilityCheck(to, cipher) };
  const tables = to
    .prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid`,
    )
    .all()
    .map(({ name }) => String(name))
    // The index tables are rebuilt from the events at the next start; retention begins again.
    .filter((table) => !INDEX_TABLES.includes(table) && table !== SWEPT_TABLE)
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

/** The accepted events that the old store accounts for. */
interface Before {
  /** Undefined if nothing says it. */
  readonly accepted?: number;
  /** ISO time of the marker, if only that says it: more were accepted since. */
  readonly asOf?: string;
}

function acceptedBefore(from: DatabaseSync, path: string): Before {
  const counted = tryRead(() => acceptedIn(from));
  const marker = readMarker(path);
  if (marker !== undefined && marker.accepted > (counted ?? -1))
    return { accepted: marker.accepted, asOf: marker.at };
  return counted === undefined ? {} : { accepted: counted };
}

function missingAccepted({ accepted, asOf }: Before, after: number): string {
  if (accepted === undefined)
    return 'how many events were accepted is unknown: their count could not be read';
  if (accepted <= after) return '';
  const missing = accepted - after;
  return asOf === undefined
    ? `accepted events: ${missing} of ${accepted}`
    : `accepted events: at least ${missing}, of ${accepted} as of ${asOf}`;
}

/** What the new store lacks, in sentences. */
function missingFrom(
  { tables, lost, bodiless, accepted, wal, fromLog }: Omit<SalvageReport, 'missing'>,
  {
    original,
    isSchemaLost,
    log,
    before,
  }: Pick<SalvageParts, 'original' | 'isSchemaLost'> & { log: IntakeLogState; before: Before },
): string[] {
  const unreadable = tables.reduce((sum, table) => sum + table.unreadable, 0);
  const size = statSync(original, { throwIfNoEntry: false })?.size;
  return [
    size === undefined ? 'relay.db is gone: only its logs could be read' : '',
    size === 0 ? 'relay.db is empty: only its logs could be read' : '',
    isSchemaLost && (size ?? 0) > 0
      ? 'the schema of relay.db is damaged: its tables were looked for in their usual places'
      : '',
    ...log.missingFiles.map((name) => `${name}, which may have held accepted events`),
    log.missing > 0
      ? `records of the intake log that cannot be read: ${log.missing} (accepted events, malformed bodies or quarantined requests)`
      : '',
    wal.damaged > 0 ? `damaged pages of the write-ahead log: ${wal.damaged}` : '',
    (size ?? 0) === 0 && fromLog > 0
      ? 'outcomes of delivery: events of the intake log that were delivered are pending, and are delivered again under the same _id'
      : '',
    missingAccepted(before, accepted.after),
    unreadable > 0 ? `unreadable or damaged rows: ${unreadable}` : '',
    lost.length > 0 ? `events of which only the receipt is known: ${lost.length}` : '',
    bodiless.length > 0 ? `payloads of pending events: ${bodiless.length}` : '',
  ].filter((line) => line !== '');
}

function cipherOf(from: DatabaseSync, encryptionKeys: readonly string[]): PayloadCipher {
  return tryRead(() => cipherFor(from, encryptionKeys)) ?? createPayloadCipher(encryptionKeys.map(parseKey));
}

/** Whether the tables can be found at all. */
function isSchemaReadable(from: DatabaseSync): boolean {
  return tryRead(() => from.prepare('SELECT 1 FROM events LIMIT 0').all()) !== undefined;
}

interface SalvageParts {
  readonly path: string;
  readonly original: string;
  readonly copy: RepairedCopy;
  readonly isSchemaLost: boolean;
  readonly to: DatabaseSync;
  readonly encryptionKeys: readonly string[];
}

/** What was copied from the tables of the old store, before its intake log is applied. */
type CopiedTables = Pick<SalvageReport, 'tables' | 'lost' | 'bodiless'> & {
  readonly before: Before;
  readonly at: LogPosition | undefined;
  /** Events whose rows are lost, but which the intake log still has. */
  readonly found: readonly IntakeRecord[];
};

function fillNewStore({ path, copy, to, encryptionKeys }: SalvageParts): CopiedTables {
  const { db: from } = copy;
  to.exec('PRAGMA foreign_keys = OFF');
  const before = acceptedBefore(from, path);
  const copied = copyTables(from, to, cipherOf(from, encryptionKeys));
  const at = logPositionOf(from);
  const restored = restorePayloads(path, at, { from, to });
  const tables = copied.map((table) => (table.table === 'bodies' ? withRestored(table, restored) : table));
  // The new store begins an intake log of its own.
  to.exec('DELETE FROM intake_log');
  restoreSequences(from, to);
  const lost = lostReceipts(from, to);
  const now = Date.now();
  recount(to, now);
  const bodiless = to
    .prepare('SELECT receipt FROM events WHERE reason = ? AND settled_at = ?')
    .all(PAYLOAD_LOST, now);
  const known = to.prepare('SELECT 1 FROM events WHERE receipt = ?');
  const found = recordsOfLost(path, at, {
    lost: new Set(lost),
    gap: (before.accepted ?? 0) - acceptedIn(to),
    isKnown: (receipt) => known.get(receipt) !== undefined,
  });
  return { tables, lost, bodiless: bodiless.map(({ receipt }) => String(receipt)), before, at, found };
}

/** Completes the new store with the intake log of the old one. */
function reportOn(
  folder: string,
  { before, at, found, ...copied }: CopiedTables,
  parts: Omit<SalvageParts, 'to'>,
): SalvageReport {
  const log = readIntakeLog(parts.path, at);
  const fromLog = applyToSalvaged(folder, [...found, ...log.waiting]);
  return withStoppedStore(folder, (db) => {
    const isKnown = db.prepare('SELECT 1 FROM events WHERE receipt = ?');
    const report = {
      ...copied,
      lost: copied.lost.filter((receipt) => isKnown.get(receipt) === undefined),
      accepted: {
        ...(before.accepted === undefined ? {} : { before: before.accepted }),
        after: acceptedIn(db),
      },
      wal: parts.copy.wal,
      fromLog,
      findings: findingsOf(db, parts.encryptionKeys),
    };
    return { ...report, missing: missingFrom(report, { ...parts, log, before }) };
  });
}

/** The database file, which may be gone or empty if one of its logs exists. */
function originalOf(path: string): string {
  const file = join(path, DATABASE_FILE);
  const hasLog = [`${DATABASE_FILE}-wal`, ...INTAKE_LOG_FILES].some((name) => existsSync(join(path, name)));
  return hasLog ? file : databaseFileOf(path);
}

/**
 * Copies everything readable from a damaged store to a new one in an empty folder. It works on a
 * copy of the damaged file in that folder, so it temporarily needs twice the space. The original is
 * never changed. Damaged payloads are not copied; encrypted ones are checked if their keys are
 * given.
 * @throws StoreError if there is no store, a relay is running on it, or the folder is not empty
 */
export function salvageStore(
  path: string,
  folder: string,
  encryptionKeys: readonly string[] = [],
): SalvageReport {
  const original = originalOf(path);
  assertStopped(path);
  assertEmpty(folder);
  const to = openDatabase(folder);
  const file = join(folder, 'damaged.db');
  let db: DatabaseSync | undefined;
  let isOpen = true;
  try {
    to.raw.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const copy = openRepairedCopy(original, file, join(folder, DATABASE_FILE));
    ({ db } = copy);
    const isSchemaLost = !isSchemaReadable(db);
    if (isSchemaLost) {
      db.close();
      db = replaceSchema(file, to.raw);
    }
    const parts = { path, original, copy: { ...copy, db }, isSchemaLost, encryptionKeys };
    const copied = fillNewStore({ ...parts, to: to.raw });
    to.close();
    isOpen = false;
    const report = reportOn(folder, copied, parts);
    writeMarker(folder, Math.max(report.accepted.before ?? 0, report.accepted.after), true);
    return report;
  } finally {
    tryRead(() => db?.close());
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true });
    if (isOpen) to.close();
  }
}
