import { fileURLToPath } from 'node:url';
import { KEY } from '../../test/helpers/relay-process.ts';
import type { Bench, Figure, Part } from '../part.ts';
import { type CountingInlet, startInlet } from '../processes/inlet.ts';
import { type Platforms, startPlatforms } from '../processes/platforms.ts';
import {
  type DestinationChange,
  relayFolder,
  type RelayUnderTest,
  type SourceChange,
} from '../processes/relay.ts';
import { send } from '../processes/sender.ts';
import { cpuSeconds } from '../processes/usage.ts';
import { alternately, comparisonOf, type Percentiles } from '../statistics.ts';
import { PEAK_RATE } from './steady.ts';

const THIS = fileURLToPath(new URL('../..', import.meta.url));
const BATCH = { batch: { maxWait: '50ms' } };
/** Rows of Capillary's log that every run of the reconciliation reads again. */
const LOG_ROWS = 50_000;
/** Twice the largest limit that `bench/parts/enrichment.ts` has: ten pages a second. */
const CALLS_PER_MINUTE = 600;
const MAX_RATIO = 1.1;

interface Measured {
  readonly times: Percentiles;
  readonly cpus: number;
}

/** Sends at the peak rate, and measures when the events land. */
async function measure(
  { short, log }: Bench,
  inlet: CountingInlet,
  relay: RelayUnderTest,
): Promise<Measured> {
  const job = { ...relay.webhook('header'), connections: 50, rate: PEAK_RATE };
  const run = async (seconds: number, seed: number): Promise<void> => {
    await inlet.reset();
    const count = PEAK_RATE * seconds;
    await send({ ...job, events: { count, body: 330, customers: 20_000, seed } });
    await inlet.whenLanded(count);
  };
  log(`${PEAK_RATE}/s`);
  await run(2, 1);
  const seconds = short ? 3 : 12;
  const cpuBefore = cpuSeconds(relay.pid);
  await run(seconds, 2);
  const cpus = (cpuSeconds(relay.pid) - cpuBefore) / seconds;
  const { others } = await inlet.times();
  return { times: others, cpus };
}

/** In a new folder, with reconciliation if there are platforms to compare with. */
async function inNewFolder(bench: Bench, inlet: CountingInlet, platforms?: Platforms): Promise<Measured> {
  const targets = platforms === undefined ? inlet : { ...inlet, imsUrl: platforms.imsUrl };
  const folder = relayFolder(bench, targets, BATCH);
  const relay = await folder.start(bench.nodeFlags, ...reconcilingWith(platforms));
  const callsBefore = (await platforms?.calls()) ?? 0;
  const measured = await measure(bench, inlet, relay);
  if (platforms) bench.log(`${(await platforms.calls()) - callsBefore} calls to Capillary meanwhile`);
  await relay.stop();
  folder.remove();
  return measured;
}

/** Settings of destination and source; none without platforms. */
function reconcilingWith(platforms: Platforms | undefined): [DestinationChange, SourceChange] | [] {
  if (platforms === undefined) return [];
  const { url } = platforms;
  // `resend: false`: the rows stay unknown, so each run looks all of them up.
  return [
    { platform: { url }, reconcile: { every: '1s' } },
    {
      api: { url, key: 'key', secret: 'secret', callsPerMinute: CALLS_PER_MINUTE },
      webhook: { name: 'bench', url: `${url}/webhooks/acme`, header: { name: 'X-Relay-Key', value: KEY } },
      reconcile: { every: '1s', delay: '1s', resend: false },
    },
  ];
}

/** Two percentiles with reconciliation as ratios to those without, measured alternately. */
async function compareWithReconciliation(bench: Bench, inlet: CountingInlet): Promise<Figure[]> {
  const platforms = await startPlatforms(LOG_ROWS);
  const { a, b } = await alternately(
    bench.short ? 1 : 2,
    () => {
      bench.log('with reconciliation');
      return inNewFolder(bench, inlet, platforms);
    },
    () => {
      bench.log('without');
      return inNewFolder(bench, inlet);
    },
  );
  await platforms.stop();
  return (['p50', 'p99'] as const).map((which) => {
    const valuesOf = (runs: readonly Measured[]) => runs.map(({ times }) => times[which]);
    const { ratio, control } = comparisonOf(valuesOf(a), valuesOf(b));
    return {
      what: `time from sent to landed with / without reconciliation, ${which}`,
      value: ratio,
      unit: '×',
      goal: { most: MAX_RATIO },
      control,
    };
  });
}

/**
 * Time from sending an event until it landed at Adobe, at Capillary's peak rate, also while
 * reconciliation reads the platforms' records all the time.
 */
export const latency: Part = async (bench) => {
  const inlet = await startInlet();
  const { times, cpus } = await inNewFolder(bench, inlet);
  // An older build may not know the settings.
  const compared = bench.build === THIS ? await compareWithReconciliation(bench, inlet) : [];
  await inlet.stop();
  return [
    { what: `time from sent to landed at ${PEAK_RATE}/s, p50`, value: times.p50, unit: 'ms' },
    {
      what: `time from sent to landed at ${PEAK_RATE}/s, p99`,
      value: times.p99,
      unit: 'ms',
      goal: { most: 150 },
    },
    { what: 'CPUs used by the relay', value: cpus, unit: '' },
    ...compared,
  ];
};
