import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { INTAKE_LOG_FILES } from '../engine/intake-log.ts';
import { type IntakeRecord, readableRecords, recordsAfter, seedOf } from '../engine/intake-records.ts';
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

/** The files of the intake log in a folder. */
export function contentsOf(folder: string): Buffer[] {
  return INTAKE_LOG_FILES.map((name) => join(folder, name))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file));
}

/** Reads the intake log in the folder of a stopped relay. */
export function readIntakeLog(folder: string, at: LogPosition | undefined): IntakeLogState {
  const contents = contentsOf(folder);
  const seed = at?.seed ?? contents.map(seedOf).find((each) => each !== undefined);
  const missingFiles =
    at === undefined || at.isClosed ? [] : INTAKE_LOG_FILES.filter((name) => !existsSync(join(folder, name)));
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
