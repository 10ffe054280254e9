import type { PostgresEngine } from '../engine/engine.ts';
import type { Param } from '../sessions/session.ts';
import {
  type PerPartition,
  REMOVE_BODIES,
  REMOVE_DETAILS,
  REMOVE_MOVED_BODIES,
  REMOVE_RECORDS,
  statementOf,
} from './removal-statements.ts';

/** Blocks of one step: some hundred events, whose removal takes some ten ms. */
const BLOCKS_PER_STEP = 20;
/** The same where only few of the events have something to remove. */
const BLOCKS_PER_DETAIL_STEP = 512;
/** The last position in a partition, wherever it ends by then. */
const END = '(4294967294,65535)';

export interface Walk {
  readonly engine: PostgresEngine;
  /** Undefined for the default partition. */
  readonly day: number | undefined;
  /** Size of the partition in blocks. */
  readonly blocks: number;
  /** Called with what each step has removed, also if that is nothing. */
  readonly onStep: (removed: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Positions in a partition from `from` on, exclusive of `to`. */
export interface Window {
  readonly from: string;
  readonly to: string;
  /** Block at which the next window begins; undefined after the last one. */
  readonly next: number | undefined;
}

/** The window that begins at a block. */
export function windowAt(block: number, blocks: number, size: number): Window {
  const end = block + size;
  const isLast = end >= blocks;
  return {
    from: `(${block},0)`,
    to: isLast ? END : `(${end},0)`,
    next: isLast ? undefined : end,
  };
}

/** Removes what is due in one window. */
export async function removeInWindow(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  statements: PerPartition,
  day: number | undefined,
  { from, to }: Window,
  bounds: { readonly before: number; readonly now?: number },
): Promise<number> {
  const params: Param[] = [day ?? null, bounds.before, from, to];
  if (bounds.now !== undefined) params.push(bounds.now);
  const [row] = await sessions.queryAs<{ removed: number }>('work', statementOf(statements, day), params);
  return row?.removed ?? 0;
}

async function walk(
  { engine, day, blocks, onStep, signal }: Walk,
  statements: PerPartition,
  bounds: { readonly before: number; readonly now?: number },
  size = BLOCKS_PER_STEP,
): Promise<void> {
  let at: number | undefined = 0;
  while (at !== undefined && !signal.aborted) {
    const window = windowAt(at, blocks, size);
    await onStep(await removeInWindow(engine, statements, day, window, bounds));
    at = window.next;
  }
}

/** Deletes the bodies of finished events that were settled up to a time. */
export function walkBodies(of: Walk, settledBefore: number): Promise<void> {
  return walk(of, REMOVE_BODIES, { before: settledBefore });
}

/** Deletes the records without a body of finished events that were received up to a time. */
export function walkRecords(of: Walk, receivedBefore: number): Promise<void> {
  return walk(of, REMOVE_RECORDS, { before: receivedBefore, now: of.engine.now() });
}

/** Deletes what the records that `walkRecords` would delete have in other tables. */
export function walkDetails(of: Walk, receivedBefore: number): Promise<void> {
  const bounds = { before: receivedBefore, now: of.engine.now() };
  return walk(of, REMOVE_DETAILS, bounds, BLOCKS_PER_DETAIL_STEP);
}

/** Deletes the due bodies of a day whose partition was dropped. @returns how many */
export async function removeMovedBodies(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  day: number,
  settledBefore: number,
): Promise<number> {
  const params = [day, settledBefore];
  const [row] = await sessions.queryAs<{ removed: number }>('work', REMOVE_MOVED_BODIES, params);
  return row?.removed ?? 0;
}
