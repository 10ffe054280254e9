import { setTimeout as sleep } from 'node:timers/promises';
import { costFigures, deliverFlatOut, LIMITS, WARM_UP_EVENTS } from '../flat-out.ts';
import type { Bench, Life, Part } from '../part.ts';
import { startInlet } from '../processes/inlet.ts';
import { relayFolder, type RelayUnderTest } from '../processes/relay.ts';
import { startUsage, type Usage } from '../processes/usage.ts';

const LATER = new URL('../load/later.ts', import.meta.url).href;
/** Ages by which the default retention has removed bodies and records, with a day to spare. */
const DAYS = { body: 4, record: 10 } as const;
const POLL_INTERVAL_MS = 200;
const MAX_RETENTION_MS = 180_000;

async function whenRemoved(relay: RelayUnderTest, records: number): Promise<void> {
  const started = performance.now();
  while ((await relay.removedByAge()) < records) {
    if (performance.now() - started > MAX_RETENTION_MS)
      throw new Error(`retention has removed ${await relay.removedByAge()} of ${records}`);
    await sleep(POLL_INTERVAL_MS);
  }
}

/** Usage of all events of a relay that also carried those of the warm-up, for those measured. */
function shareOf({ cpuSeconds, writtenKib }: Usage, events: number): Usage {
  const share = events / (events + WARM_UP_EVENTS);
  return { cpuSeconds: cpuSeconds * share, writtenKib: writtenKib * share };
}

/** Has a relay accept and deliver events, and remove them as the default retention has it. */
export async function measureLife(bench: Bench, events: number): Promise<Life> {
  const inlet = await startInlet();
  const folder = relayFolder(bench, inlet, { limits: LIMITS });
  const relay = await folder.start(bench.nodeFlags);
  const { usage: delivered } = await deliverFlatOut(bench, inlet, relay, events);
  await relay.stop();
  const remove = async (what: keyof typeof DAYS): Promise<Usage> => {
    bench.log(`${events} events: their age exceeds the retention of the ${what}`);
    const later = await folder.start([`--import=${LATER}?${DAYS[what]}`, ...bench.nodeFlags]);
    const usage = startUsage(later.pid);
    await whenRemoved(later, events + WARM_UP_EVENTS);
    const used = await usage();
    await later.stop();
    return shareOf(used, events);
  };
  const body = await remove('body');
  const record = await remove('record');
  folder.remove();
  await inlet.stop();
  return { events, delivered, body, record };
}

export function wholeLife({ delivered, body, record }: Life): Usage {
  const sum = (field: keyof Usage): number => delivered[field] + body[field] + record[field];
  return { cpuSeconds: sum('cpuSeconds'), writtenKib: sum('writtenKib') };
}

/** What an event costs from its acceptance until nothing of it is stored. */
export const life: Part = async (bench) => {
  const events = bench.short ? 5_000 : 40_000;
  const stages = await measureLife(bench, events);
  bench.shared.life = stages;
  return [
    ...costFigures('accepted and landed', stages.delivered, events),
    ...costFigures('body removed', stages.body, events),
    ...costFigures('record removed', stages.record, events),
    ...costFigures('whole life', wholeLife(stages), events),
  ];
};
