import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './part.ts';
import type { CountingInlet } from './processes/inlet.ts';
import { relayFolder, type RelayFolder, type RelayUnderTest } from './processes/relay.ts';
import { send } from './processes/sender.ts';
import { cpuSeconds } from './processes/usage.ts';

/** Processor time of the relay until so many events were stored, seconds. */
export interface GrowthPoint {
  readonly events: number;
  readonly cpuSeconds: number;
}

/** A relay that has taken very many events and delivered none. */
interface FullStore {
  readonly folder: RelayFolder;
  readonly relay: RelayUnderTest;
  readonly grown: readonly GrowthPoint[];
}

/** Events stored at which the cost is looked at; a backlog is the last. */
export function sizesOf({ short }: Bench): readonly number[] {
  return short ? [1_000, 10_000, 50_000] : [10_000, 100_000, 1_000_000];
}

/** What Adobe allows at the most. */
const LIMITS = { messagesPerSecond: 10_000, requestsPerSecond: 1_000 };

/** As in a container of 512 MiB, half of which V8 takes for old objects by itself. Without a limit it rather takes memory than collects. */
export const SMALL_POD = ['--max-old-space-size=256'];

/** Events sent by one sender; between two the time is looked at. */
const PORTION = 100_000;
/** ms after which a store is left as it is: the whole bench is to end within ten minutes on a slow machine too. */
const ENOUGH = 200_000;

/** Fills a store through the webhook, with a stop at each of the sizes. On a slow machine the last one is what was reached. */
export async function fillStore(
  { report: told, nodeFlags: flags }: Bench,
  inlet: CountingInlet,
  sizes: readonly number[],
): Promise<FullStore> {
  const folder = relayFolder(inlet, { limits: LIMITS });
  const relay = await folder.start([...SMALL_POD, ...flags]);
  await relay.deliver(false);
  const target = relay.webhook('header');
  const take = async (count: number, seed: number): Promise<void> => {
    const events = { count, body: 330, customers: 200_000, seed };
    await send({ ...target, connections: 200, events });
  };
  await take(1_000, 1);
  const before = cpuSeconds(relay.pid);
  const begun = performance.now();
  const isEnough = (): boolean => performance.now() - begun > ENOUGH;
  const grown: GrowthPoint[] = [];
  let stored = 0;
  for (const size of sizes) {
    told(`storing up to ${size} events`);
    while (stored < size && !isEnough()) {
      const count = Math.min(PORTION, size - stored);
      await take(count, stored + 2);
      stored += count;
    }
    grown.push({ events: stored, cpuSeconds: cpuSeconds(relay.pid) - before });
  }
  return { folder, relay, grown };
}

/** Bytes of the store on the disk, the log that SQLite writes ahead included. */
export function storeBytes(folder: RelayFolder): number {
  return ['relay.db', 'relay.db-wal'].reduce(
    (sum, name) => sum + (statSync(join(folder.store, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
