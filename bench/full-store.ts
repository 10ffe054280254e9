import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from './flat-out.ts';
import type { Bench, GrowthPoint } from './part.ts';
import type { CountingInlet } from './processes/inlet.ts';
import { relayFolder, type RelayFolder, type RelayUnderTest } from './processes/relay.ts';
import { send } from './processes/sender.ts';
import { cpuSeconds } from './processes/usage.ts';

/** A relay with a large backlog: it has accepted many events and delivered none. */
interface FullStore {
  readonly folder: RelayFolder;
  readonly relay: RelayUnderTest;
  readonly growth: readonly GrowthPoint[];
}

/** Numbers of stored events at which the CPU time is read; the last is the size of the backlog. */
export function sizesOf({ short }: Bench): readonly number[] {
  return short ? [1_000, 10_000, 50_000] : [10_000, 100_000, 1_000_000];
}

/**
 * As in a container of 512 MiB, where V8 uses half for old objects by default. Without a limit it
 * allocates more memory instead of collecting garbage.
 */
export const SMALL_POD = ['--max-old-space-size=256'];

/** Events per sender run; the time limit is checked between two runs. */
const EVENTS_PER_RUN = 100_000;
/**
 * Filling stops after this time, so that the whole bench takes under ten minutes on a slow machine.
 */
const FILL_TIMEOUT_MS = 200_000;

/**
 * Fills a store through the webhook and reads the CPU time at each of the sizes. On a slow machine
 * the last sizes are smaller than requested.
 */
export async function fillStore(
  bench: Bench,
  inlet: CountingInlet,
  sizes: readonly number[],
): Promise<FullStore> {
  const folder = relayFolder(bench, inlet, { limits: LIMITS });
  const relay = await folder.start([...SMALL_POD, ...bench.nodeFlags]);
  await relay.setDelivering(false);
  const target = relay.webhook('header');
  const store = async (count: number, seed: number): Promise<void> => {
    const events = { count, body: 330, customers: 200_000, seed };
    await send({ ...target, connections: 200, events });
  };
  await store(1_000, 1);
  const cpuBefore = cpuSeconds(relay.pid);
  const started = performance.now();
  const isTimedOut = (): boolean => performance.now() - started > FILL_TIMEOUT_MS;
  const growth: GrowthPoint[] = [];
  let stored = 0;
  for (const size of sizes) {
    bench.log(`storing up to ${size} events`);
    while (stored < size && !isTimedOut()) {
      const count = Math.min(EVENTS_PER_RUN, size - stored);
      await store(count, stored + 2);
      stored += count;
    }
    growth.push({ events: stored, cpuSeconds: cpuSeconds(relay.pid) - cpuBefore });
  }
  return { folder, relay, growth };
}

/** Bytes of the store on disk, including its logs. */
export function storeBytes({ store }: RelayFolder): number {
  return readdirSync(store).reduce((sum, name) => sum + statSync(join(store, name)).size, 0);
}
