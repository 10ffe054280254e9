import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../../src/simulator/random.ts';
import { createJudge, type Judge, ORG_ID, type Verdict } from './judge.ts';
import { liveThrough } from './lives.ts';
import { supply } from './supply.ts';
import { createWeather, type Weather } from './weather.ts';

/** ms between two looks at what landed, so that the simulator's memory never overflows. */
const LOOK = 500;
/** ms that a start takes, about: what is left of a life after it. */
const START = 500;

export interface TrialOptions {
  readonly seed: number;
  /** How long events are posted; longer when the kills need it. */
  readonly ms: number;
  /** Ends of a life: four of five by SIGKILL, the others by SIGTERM. */
  readonly kills: number;
  readonly rate: number;
  /** ms of a burst of faults at most, and of a fair spell. */
  readonly burst: number;
  readonly spell: number;
  /** Requests that Adobe never answers are among the faults: each costs half a minute. */
  readonly hangs: boolean;
  /** Start of the `_id` of the events that Adobe refuses for good. */
  readonly poison?: string | undefined;
  /** ms until everything must have arrived after the last fault. */
  readonly patience: number;
  /** A line for each fault, kill and finding. */
  readonly told: (text: string) => void;
}

export interface Trial extends Verdict {
  readonly weather: Weather;
  readonly judge: Omit<Judge, 'judge' | 'close'>;
}

const keepLooking = async (judge: Judge, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await judge.witness.look();
    await sleep(LOOK, undefined, { signal }).catch(() => undefined);
  }
};

const liveOn = async (judge: Judge, options: TrialOptions): Promise<void> => {
  const { kills, ms, seed, told } = options;
  const end = performance.now() + ms;
  const mean = Math.max(100, ms / Math.max(1, kills) - START);
  await liveThrough(judge.lives, { random: createRandom(seed + 2), kills, mean, told });
  await sleep(Math.max(0, end - performance.now()));
};

/** Events, faults and deaths for a time, then the judgement. The seed decides what happens; when, the machine does. */
export const runTrial = async (options: TrialOptions): Promise<Trial> => {
  const { seed, poison, told } = options;
  const judge = await createJudge({ seed, poison, rate: options.rate, told });
  const ending = new AbortController();
  const { signal } = ending;
  const weather = createWeather({
    ...options,
    simulator: judge.simulator,
    random: createRandom(seed + 1),
    poison,
    mend: () => judge.mend(),
  });
  try {
    const paraded = weather.parade(signal);
    const work = [
      judge.capillary.run(supply(judge.random, seed, ORG_ID), signal),
      paraded.then(() => weather.run(signal)),
      keepLooking(judge, signal),
    ];
    await Promise.race([Promise.all([liveOn(judge, options), paraded]), Promise.all(work)]);
    ending.abort();
    await Promise.all(work);
    return { ...(await judge.judge(options.patience)), weather, judge };
  } finally {
    ending.abort();
    await judge.close();
  }
};
