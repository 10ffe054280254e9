import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { applyRecord } from '../engine/append.ts';
import { INTAKE_LOG_FILES } from '../engine/intake-log.ts';
import { type IntakeRecord, readableRecords, recordsAfter, seedOf } from '../engine/intake-records.ts';
import { closeEngine, openEngine } from '../engine/open-engine.ts';
import { tryRead } from './damaged-copy.ts';

/** Where the tables of a store stand in its intake log. */
export interface LogPosition {
  readonly seed: number | undefined;
  /** Number of the last record that the tables contain. */
  readonly position: number;
  readonly isClosed: boolean;
}

/** What the intake log of a store holds that its tables lack. */
export interface IntakeLogState {
  /** Records that the next start applies. */
  readonly waiting: readonly IntakeRecord[];
  /** Records that were acknowledged and cannot be read. */
  readonly missing: number;
  /** Files that a store needs that was not stopped properly. */
  readonly missingFiles: readonly string[];
}

/** Undefined if the store has none, because an earlier version wrote it, or it cannot be read. */
export function logPositionOf(db: DatabaseSync): LogPosition | undefined {
  const row = tryRead(() => db.prepare('SELECT seed, position, is_closed FROM intake_log').get());
  return row === undefined
    ? undefined
    : { seed: Number(row['seed']), position: Number(row['position']), isClosed: row['is_closed'] === 1 };
}

function contentsOf(folder: string): Buffer[] {
  return INTAKE_LOG_FILES.map((name) => join(folder, name))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file));
}

/** Reads the intake log in the folder of a stopped relay. */
export function readIntakeLog(folder: string, at: LogPosition | undefined): IntakeLogState {
  const contents = contentsOf(folder);
  const seed = at?.seed ?? contents.map(seedOf).find((each) => each !== undefined);
  const missingFiles =
    at === undefined || at.isClosed
      ? []
      : INTAKE_LOG_FILES.filter((name) => !existsSync(join(folder, name)));
  if (seed === undefined) return { waiting: [], missing: 0, missingFiles };
  const { records, missing } = recordsAfter(contents, at?.position ?? firstNumber(contents, seed) - 1, seed);
  return { waiting: records, missing, missingFiles };
}

function firstNumber(contents: readonly Buffer[], seed: number): number {
  let first = Number.POSITIVE_INFINITY;
  for (const content of contents)
    for (const { number } of readableRecords(content, seed)) first = Math.min(first, number);
  return Number.isFinite(first) ? first : 1;
}

/** Records of events whose rows are lost, although the tables contained them. */
export function recordsOfLost(
  folder: string,
  at: LogPosition | undefined,
  lost: ReadonlySet<string>,
): IntakeRecord[] {
  const seed = at?.seed;
  if (seed === undefined || lost.size === 0) return [];
  const known = recordsAfter(contentsOf(folder), 0, seed).records;
  return known.filter((record) => record.number <= at!.position && lost.has(receiptOf(record)));
}

function receiptOf({ head }: IntakeRecord): string {
  const { receipt } = JSON.parse(Buffer.from(head).toString('utf8')) as { receipt?: string };
  return receipt ?? '';
}

/**
 * Adds to a salvaged store what only the intake log of the old one holds. Events become pending.
 * @returns how many records were added
 */
export function applyToSalvaged(folder: string, records: readonly IntakeRecord[]): number {
  if (records.length === 0) return 0;
  const engine = openEngine({ path: folder, keys: [] });
  let applied = 0;
  try {
    engine.tables.begin();
    for (const record of records) {
      const isKnown =
        record.kind !== 'differingCopy' &&
        engine.db.one(
          'SELECT 1 FROM events WHERE receipt = ?1 UNION ALL SELECT 1 FROM quarantine WHERE receipt = ?1',
          receiptOf(record),
        ) !== undefined;
      if (isKnown) continue;
      engine.db.step(() => applyRecord(engine, record));
      applied += 1;
    }
    engine.accounts.counts.commitBatch();
    engine.accounts.backlog.commitBatch();
    engine.indexes.identities.commit();
    engine.indexes.queues.commit();
  } finally {
    closeEngine(engine);
  }
  return applied;
}
