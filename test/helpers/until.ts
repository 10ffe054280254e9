import { setTimeout as delay } from 'node:timers/promises';
import { WAIT_LIMIT_MS } from './limits.ts';

const POLL_INTERVAL_MS = 10;

/**
 * Polls until the result is truthy, and resolves with it.
 * @throws Error if there is no such result within `WAIT_LIMIT_MS`
 */
export async function until<T>(
  poll: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + WAIT_LIMIT_MS;
  for (;;) {
    const result = await poll();
    if (result) return result;
    if (performance.now() > deadline)
      throw new Error(`waited ${WAIT_LIMIT_MS / 1_000} s for: ${poll.toString()}`);
    await delay(POLL_INTERVAL_MS);
  }
}
