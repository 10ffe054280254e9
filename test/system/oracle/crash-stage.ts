import type { ChildProcess } from 'node:child_process';
import type { Moment } from '../../../src/observability/moments.ts';
import { createRandom } from '../../../src/simulator/random.ts';
import type { RelayConfig } from '../../helpers/relay-process.ts';
import { createJudge, type Judge, ORG_ID, type Verdict } from './judge.ts';
import { supply } from './supply.ts';

const PRELOAD = new URL('../../helpers/crash-at.mjs', import.meta.url).href;
const SEED = 11;

/** A judge whose relay can be made to crash at a moment. */
export interface CrashStage {
  readonly judge: Judge;
  /** Begins to post events, through crashes and restarts. */
  post(): void;
  /** Ends that, once each event that was begun has its 200. */
  stopPosting(): Promise<void>;
  /** A life that is to end as it passes the moment for the nth time; resolves with the signal that ended it. */
  crashAt(moment: Moment, times: number, call?: string): Promise<NodeJS.Signals | null>;
  /** Starts the relay again and judges it. */
  restartAndJudge(): Promise<Verdict>;
  close(): Promise<void>;
}

export const createCrashStage = async (change?: (config: RelayConfig) => void): Promise<CrashStage> => {
  const judge = await createJudge({ seed: SEED, rate: 150, concurrency: 8, ...(change && { change }) });
  const ending = new AbortController();
  let posting: Promise<void> | undefined;

  const stopPosting = async (): Promise<void> => {
    ending.abort();
    await posting;
  };

  return {
    judge,
    stopPosting,
    post() {
      posting = judge.capillary.run(supply(createRandom(SEED), SEED, ORG_ID), ending.signal);
      // Whoever awaits it hears of it; until then it is nobody's.
      posting.catch(() => undefined);
    },
    async crashAt(moment, times, call) {
      const spec = [moment, times, ...(call === undefined ? [] : [call])].join('#');
      const env = { NODE_OPTIONS: `--import=${PRELOAD}`, CRASH_AT: spec };
      let child: ChildProcess | undefined;
      await judge.lives.start({ env, spawned: (made) => (child = made) }).then(
        (relay) => relay.exited,
        () => undefined,
      );
      return child?.signalCode ?? null;
    },
    async restartAndJudge() {
      await judge.lives.start();
      await stopPosting();
      return judge.judge(30_000);
    },
    async close() {
      ending.abort();
      await judge.close();
    },
  };
};
