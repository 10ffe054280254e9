import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Counts, Times } from '../load/arrivals.ts';
import { freePort } from '../../test/helpers/free-port.ts';
import { waitUntilUp, endChild, startChild } from './child.ts';

const INLET = fileURLToPath(new URL('../load/inlet.ts', import.meta.url));

/** An Adobe in a process of its own that counts what lands. */
export interface CountingInlet {
  readonly imsUrl: string;
  readonly inletUrl: string;
  counts(): Promise<Counts>;
  times(): Promise<Times>;
  reset(): Promise<void>;
  /** Resolves when so many different events have landed. Throws when none landed for a minute. */
  landed(events: number): Promise<void>;
  end(): Promise<void>;
}

const PATIENCE = 60_000;

/** @param latency ms until an answer */
export async function startInlet(latency = 0): Promise<CountingInlet> {
  const port = await freePort();
  const child = startChild([INLET, '--port', String(port), '--latency', String(latency)]);
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
    landed: async (events) => {
      let last = 0;
      let since = performance.now();
      for (;;) {
        const { events: now } = await counts();
        if (now >= events) return;
        if (now > last) since = performance.now();
        if (performance.now() - since > PATIENCE)
          throw new Error(`${now} of ${events} events have landed, and none for a minute`);
        last = now;
        await sleep(20);
      }
    },
    end: () => endChild(child),
  };
}
