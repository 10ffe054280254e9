import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Counts, Times } from '../load/arrivals.ts';
import { freePort } from '../../src/simulator/free-port.ts';
import { waitUntilUp, stopChild, startChild } from './child.ts';

const INLET = fileURLToPath(new URL('../load/inlet.ts', import.meta.url));

/** A simulated Adobe (bench/load/inlet.ts) in its own process that counts what lands. */
export interface CountingInlet {
  readonly imsUrl: string;
  readonly inletUrl: string;
  counts(): Promise<Counts>;
  times(): Promise<Times>;
  reset(): Promise<void>;
  /**
   * Resolves when this many distinct events have landed.
   * @throws Error if none landed for a minute
   */
  whenLanded(events: number): Promise<void>;
  stop(): Promise<void>;
}

const MAX_STALL_MS = 60_000;
const POLL_INTERVAL_MS = 20;

/** @param latencyMs delay of each response */
export async function startInlet(latencyMs = 0): Promise<CountingInlet> {
  const port = await freePort();
  const child = startChild([INLET, '--port', String(port), '--latency', String(latencyMs)]);
  const url = `http://127.0.0.1:${port}`;
  await waitUntilUp(`${url}/counts`, child);
  const read = async <T>(path: string): Promise<T> => (await (await fetch(`${url}${path}`)).json()) as T;
  const counts = (): Promise<Counts> => read('/counts');
  return {
    imsUrl: `${url}/ims/token/v3`,
    inletUrl: `${url}/collection/inlet`,
    counts,
    times: () => read('/times'),
    reset: async () => void (await read('/reset')),
    whenLanded: async (events) => {
      let last = 0;
      let lastProgress = performance.now();
      for (;;) {
        const { events: now } = await counts();
        if (now >= events) return;
        if (now > last) lastProgress = performance.now();
        if (performance.now() - lastProgress > MAX_STALL_MS)
          throw new Error(`${now} of ${events} events have landed, and none for a minute`);
        last = now;
        await sleep(POLL_INTERVAL_MS);
      }
    },
    stop: () => stopChild(child),
  };
}
