import type { ChildProcess } from 'node:child_process';
import { createRandom } from '../../../src/simulator/random.ts';
import type { Failpoint } from '../../../src/telemetry/failpoints.ts';
import { WAIT_LIMIT_MS } from '../../helpers/limits.ts';
import type { RelayConfig } from '../../helpers/relay-process.ts';
import { eventStream } from './event-stream.ts';
import { createHarness, type Harness, ORG_ID, type Verdict } from './harness.ts';

const PRELOAD = new URL('../../helpers/crash-at-failpoint.mjs', import.meta.url).href;
const SEED = 11;
/** Messages that land after a restart before posting ends. */
const LANDED_AFTER_RESTART = 10;

/** A harness whose relay can be made to crash at a failpoint. */
export interface CrashHarness {
  readonly harness: Harness;
  /** Starts posting events; posting continues through crashes and restarts. */
  startPosting(): void;
  /** Stops posting; resolves once each posted event has its 200. */
  stopPosting(): Promise<void>;
  /**
   * Starts a relay that kills itself when it reaches the failpoint for the nth time.
   * @returns the signal that ended the process
   */
  crashAt(failpoint: Failpoint, times: number, call?: string): Promise<NodeJS.Signals | null>;
  /** Starts the relay again and verifies everything. */
  restartAndVerify(): Promise<Verdict>;
  close(): Promise<void>;
}

export async function createCrashHarness(change?: (config: RelayConfig) => void): Promise<CrashHarness> {
  const harness = await createHarness({
    seed: SEED,
    postsPerSecond: 150,
    concurrency: 8,
    ...(change && { change }),
  });
  const stopping = new AbortController();
  let posting: Promise<void> | undefined;

  const stopPosting = async (): Promise<void> => {
    stopping.abort();
    await posting;
  };

  return {
    harness,
    stopPosting,
    startPosting() {
      posting = harness.postEvents(eventStream(createRandom(SEED), SEED, ORG_ID), stopping.signal);
      // Handled when it is awaited; until then a rejection must not count as unhandled.
      posting.catch(() => undefined);
    },
    async crashAt(failpoint, times, call) {
      const crashAt = [failpoint, times, ...(call === undefined ? [] : [call])].join('#');
      const env = { NODE_OPTIONS: `--import=${PRELOAD}`, CRASH_AT: crashAt };
      let child: ChildProcess | undefined;
      await harness.lifecycle.start({ env, onSpawn: (spawned) => (child = spawned) }).then(
        (relay) => relay.exited,
        () => undefined,
      );
      return child?.signalCode ?? null;
    },
    async restartAndVerify() {
      const { landed: before } = harness.simulator.stats();
      await harness.lifecycle.start();
      if (!stopping.signal.aborted) {
        await harness.simulator.until(
          ({ landed }) => landed >= before + LANDED_AFTER_RESTART,
          AbortSignal.timeout(WAIT_LIMIT_MS),
        );
      }
      await stopPosting();
      return harness.verify(WAIT_LIMIT_MS);
    },
    async close() {
      stopping.abort();
      await harness.close();
    },
  };
}
