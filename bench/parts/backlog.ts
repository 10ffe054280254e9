import { setTimeout as sleep } from 'node:timers/promises';
import { compare } from '../statistics.ts';
import { fillStore, SMALL_POD, sizesOf, storeBytes } from '../full-store.ts';
import type { Bench, Figure, Part } from '../part.ts';
import { type CountingInlet, startInlet } from '../processes/inlet.ts';
import { relayFolder, type RelayUnderTest } from '../processes/relay.ts';
import { peakMib } from '../processes/usage.ts';
import { acceptRate } from './accept.ts';

/** ms until an answer of the inlet. */
const LATENCY = 20;

function rate(of: RelayUnderTest, count: number): Promise<number> {
  return acceptRate(of.webhook('header'), 330, count);
}

async function versusEmpty(
  bench: Bench,
  inlet: CountingInlet,
  full: RelayUnderTest,
): Promise<readonly Figure[]> {
  bench.report('accepting beside the backlog, and into an empty store, in turn');
  const folder = relayFolder(inlet);
  const empty = await folder.start(SMALL_POD);
  await empty.deliver(false);
  const count = bench.short ? 4_000 : 10_000;
  await rate(empty, 2_000);
  const { ratio, control, a, b } = await compare(
    bench.short ? 1 : 3,
    () => rate(full, count),
    () => rate(empty, count),
  );
  await empty.end();
  folder.remove();
  return [
    { what: 'accepted beside the backlog', value: a, unit: '/s' },
    { what: 'accepted into an empty store', value: b, unit: '/s' },
    { what: 'beside the backlog to empty', value: ratio, unit: '×', goal: { least: 0.9 }, control },
  ];
}

/** Events a second that land, over some seconds after the first have. */
async function drainRate(inlet: CountingInlet, relay: RelayUnderTest, seconds: number): Promise<number> {
  await relay.deliver(true);
  await inlet.landed(5_000);
  const { events: before } = await inlet.counts();
  const begun = performance.now();
  await sleep(seconds * 1_000);
  const { events } = await inlet.counts();
  return ((events - before) * 1_000) / (performance.now() - begun);
}

/** A million events that wait: what they cost, whether the intake minds them, how fast they go out, how soon a restarted relay is ready. */
export const backlog: Part = async (bench) => {
  const sizes = sizesOf(bench);
  const inlet = await startInlet(LATENCY);
  const { folder, relay, grown } = await fillStore(bench, inlet, sizes);
  bench.shared.grown = grown;
  const pending = grown.at(-1)?.events ?? 0;
  const rows = await versusEmpty(bench, inlet, relay);
  const bytes = storeBytes(folder) / (await relay.ledger()).pending;
  const peakFilling = peakMib(relay.pid);
  await relay.end('SIGKILL');

  bench.report('restart after a kill');
  const seconds = bench.short ? 4 : 10;
  const again = await folder.start(SMALL_POD);
  const { readyMs } = again;
  bench.report('delivering events and profile records');
  const both = await drainRate(inlet, again, seconds);
  const peakDraining = peakMib(again.pid);
  await again.end('SIGKILL');

  bench.report('delivering events alone');
  await inlet.reset();
  const alone = await folder.start(SMALL_POD, { profile: undefined });
  const events = await drainRate(inlet, alone, seconds);
  const peakAlone = peakMib(alone.pid);
  await alone.end('SIGKILL');
  folder.remove();
  await inlet.end();
  const from = `from the backlog, inlet ${LATENCY} ms away`;
  return [
    ...rows,
    { what: `disk an event, ${pending} pending`, value: bytes, unit: 'B' },
    { what: 'restart to ready after a kill', value: readyMs, unit: 'ms', goal: { most: 2_000 } },
    { what: `landed ${from}, with profile records`, value: both, unit: '/s' },
    { what: `landed ${from}, events alone`, value: events, unit: '/s', goal: { least: 5_000 } },
    { what: 'most resident memory, accepting', value: peakFilling, unit: 'MiB', goal: { most: 256 } },
    {
      what: 'most resident memory, delivering',
      value: Math.max(peakDraining, peakAlone),
      unit: 'MiB',
      goal: { most: 256 },
    },
  ];
};
