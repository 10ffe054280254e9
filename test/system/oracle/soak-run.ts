import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../../src/simulator/random.ts';
import { eventStream } from './event-stream.ts';
import { createFaultSchedule, type FaultSchedule } from './fault-schedule.ts';
import { createHarness, type Harness, ORG_ID, type Verdict } from './harness.ts';
import { restartAtRandom } from './relay-lifecycle.ts';

/** Short enough that the simulator's memory of landed records never overflows. */
const RECORDER_POLL_INTERVAL_MS = 500;
/** Estimated time of a start, which is not part of the uptime between two stops. */
const ESTIMATED_STARTUP_MS = 500;
const MIN_MEAN_UPTIME_MS = 100;

export interface SoakOptions {
  readonly seed: number;
  /** How long events are posted; longer if the stops need more time. */
  readonly durationMs: number;
  /** Stops of the relay: four of five by SIGKILL, the others by SIGTERM. */
  readonly stops: number;
  readonly postsPerSecond: number;
  readonly maxBurstMs: number;
  readonly maxQuietMs: number;
  /** Include requests that Adobe never answers: each takes half a minute. */
  readonly hangs: boolean;
  /** `_id` prefix of the events that the simulated Adobe rejects permanently. */
  readonly poisonIdPrefix?: string | undefined;
  /** Time after the last fault within which everything must have landed. */
  readonly settleTimeoutMs: number;
  /** Called with a line for each fault, stop and finding. */
  readonly log: (text: string) => void;
}

export interface SoakResult extends Verdict {
  readonly faults: FaultSchedule;
  readonly harness: Omit<Harness, 'verify' | 'close'>;
}

async function pollUntilAborted({ recorder }: Harness, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await recorder.poll();
    await sleep(RECORDER_POLL_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function runWithRestarts({ lifecycle }: Harness, options: SoakOptions): Promise<void> {
  const { stops, durationMs, seed, log } = options;
  const endsAt = performance.now() + durationMs;
  const meanUptimeMs = Math.max(MIN_MEAN_UPTIME_MS, durationMs / Math.max(1, stops) - ESTIMATED_STARTUP_MS);
  await restartAtRandom(lifecycle, { random: createRandom(seed + 2), stops, meanUptimeMs, log });
  await sleep(Math.max(0, endsAt - performance.now()));
}

/**
 * Posts events while faults and restarts happen, then verifies the result. The seed decides what
 * happens; the timing depends on the machine.
 */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const { seed, poisonIdPrefix, postsPerSecond, log } = options;
  const harness = await createHarness({ seed, poisonIdPrefix, postsPerSecond, log });
  const stopping = new AbortController();
  const { signal } = stopping;
  const faults = createFaultSchedule({
    ...options,
    simulator: harness.simulator,
    random: createRandom(seed + 1),
    poisonIdPrefix,
    resumeDelivery: () => harness.resumeDelivery(),
  });
  try {
    const eachKindInjected = faults.injectEachKind(signal);
    const work = [
      harness.postEvents(eventStream(harness.random, seed, ORG_ID), signal),
      eachKindInjected.then(() => faults.injectBursts(signal)),
      pollUntilAborted(harness, signal),
    ];
    // The second part never resolves first, but it rejects as soon as any work fails.
    await Promise.race([
      Promise.all([runWithRestarts(harness, options), eachKindInjected]),
      Promise.all(work),
    ]);
    stopping.abort();
    await Promise.all(work);
    return { ...(await harness.verify(options.settleTimeoutMs)), faults, harness };
  } finally {
    stopping.abort();
    await harness.close();
  }
}
