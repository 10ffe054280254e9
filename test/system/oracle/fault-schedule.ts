import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, randomInteger } from '../../../src/simulator/random.ts';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import { type Fault, faultSequence, oneFaultPerKind, poisonRule } from './faults.ts';

const POLL_INTERVAL_MS = 10;
/** Polls between two resumptions of delivery while a fault has not hit a request yet. */
const POLLS_PER_RESUME = 50;

export interface FaultSchedule {
  /** Kind → number of requests that were hit. */
  readonly hitsByKind: ReadonlyMap<string, number>;
  /** Injects each kind of fault, one after the other, until it has hit a request. */
  injectEachKind(signal: AbortSignal): Promise<void>;
  /** Injects bursts of faults with quiet periods in between until the signal aborts. */
  injectBursts(signal: AbortSignal): Promise<void>;
}

export function createFaultSchedule(options: {
  readonly simulator: Simulator;
  readonly random: Random;
  readonly hangs: boolean;
  readonly poisonIdPrefix: string | undefined;
  readonly maxBurstMs: number;
  readonly maxQuietMs: number;
  /** Called with a summary of each burst when it ends. */
  readonly log: (text: string) => void;
  /** Called after each burst: resumes a paused destination, as an operator would. */
  readonly resumeDelivery: () => Promise<void>;
}): FaultSchedule {
  const { simulator, random, poisonIdPrefix, maxBurstMs, maxQuietMs } = options;
  const permanent = poisonIdPrefix === undefined ? [] : [poisonRule(poisonIdPrefix)];
  const hitsByKind = new Map<string, number>();
  const upcoming = faultSequence(random, options);

  const inject = (faults: readonly Fault[]): void => {
    const rules = faults.map(({ rule }) => rule);
    const isTotal = faults.some((fault) => fault.isTotal);
    simulator.setFaults(isTotal ? [...rules, ...permanent] : [...permanent, ...rules]);
    if (faults.some(({ revokesTokens }) => revokesTokens)) simulator.revokeTokens();
  };

  const injectedRules = (faults: readonly Fault[]) =>
    simulator.faults().slice(faults.some((fault) => fault.isTotal) ? 0 : permanent.length);

  const stopInjecting = (): void => simulator.setFaults(permanent);

  const countHits = (faults: readonly Fault[], ms: number): void => {
    const rules = injectedRules(faults);
    const summaries = faults.map(({ kind, rule }, index) => {
      const hits = rules[index]?.fired ?? 0;
      hitsByKind.set(kind, (hitsByKind.get(kind) ?? 0) + hits);
      return `${kind} ×${hits} ${JSON.stringify(rule.then)}`;
    });
    options.log(`burst of ${ms} ms: ${summaries.join(' | ')}`);
  };

  return {
    hitsByKind,
    async injectEachKind(signal) {
      for (const fault of oneFaultPerKind(random)) {
        const started = performance.now();
        const { probability: _, ...rule } = fault.rule;
        const certain = { ...fault, rule: { times: 5, ...rule } };
        inject([certain]);
        const hasHit = (): boolean => (injectedRules([certain])[0]?.fired ?? 0) > 0;
        for (let polls = 1; !hasHit() && !signal.aborted; polls += 1) {
          await sleep(POLL_INTERVAL_MS);
          // The destination may have been paused after the last resumption.
          if (polls % POLLS_PER_RESUME === 0) await options.resumeDelivery();
        }
        countHits([certain], Math.round(performance.now() - started));
        stopInjecting();
        await options.resumeDelivery();
      }
    },
    async injectBursts(signal) {
      const wait = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
      stopInjecting();
      while (!signal.aborted) {
        await wait(randomInteger(random, maxQuietMs / 4, maxQuietMs));
        const drawn = Array.from({ length: randomInteger(random, 1, 3) }, () => upcoming.next().value);
        const total = drawn.find((fault) => fault.isTotal);
        const faults = total === undefined ? drawn : [total];
        const ms = randomInteger(random, maxBurstMs / 4, maxBurstMs);
        inject(faults);
        await wait(ms);
        countHits(faults, ms);
        stopInjecting();
        await options.resumeDelivery();
      }
    },
  };
}
