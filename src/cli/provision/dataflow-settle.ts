import { setTimeout as sleep } from 'node:timers/promises';
import type { FlowObject } from '../../adobe/platform/flow-service.ts';
import type { StepResult } from './step-engine.ts';

/**
 * AEP can drop data in the first five minutes after a dataflow was made or changed.
 * Source: docs/platforms/adobe.md#delays
 */
export const SETTLE_MS = 300_000;

/**
 * When a dataflow was made or last changed, epoch ms on this machine's clock.
 * @param clockAheadMs of the platform, whose clock has dated the dataflow
 */
export function changedAtOf({ updatedAt }: Pick<FlowObject, 'updatedAt'>, clockAheadMs: number): number {
  return updatedAt - clockAheadMs;
}

/**
 * When the youngest dataflow is old enough for data.
 * @param settleMs how old a dataflow has to be
 * @returns epoch ms; undefined if all are old enough
 */
export function settledAt(
  results: readonly Pick<StepResult, 'kind' | 'changedAt'>[],
  settleMs: number,
  now: number,
): number | undefined {
  const times = results.flatMap(({ kind, changedAt }) => (kind === 'dataflow' ? (changedAt ?? []) : []));
  // Adobe's clock can be ahead of ours: the wait is never longer than a whole one.
  const at = Math.min(Math.max(0, ...times), now) + settleMs;
  return at > now ? at : undefined;
}

/** How often a waiting command shows that it is alive. */
const PROGRESS_MS = 60_000;

/** Waits until then. May be ended: the next run waits for the rest. */
export async function waitUntil(
  at: number,
  onProgress: (leftMs: number) => void,
  { now = Date.now, wait = sleep }: { now?: () => number; wait?: (ms: number) => Promise<void> } = {},
): Promise<void> {
  for (let left = at - now(); left > 0; left = at - now()) {
    onProgress(left);
    await wait(Math.min(left, PROGRESS_MS));
  }
}
