import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, randomInteger } from '../../../src/simulator/random.ts';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import { eachTrouble, type Fault, poisonRule, troubles } from './faults.ts';

/** Looks, 10 ms apart, between two mendings while nothing is hit. */
const MEND_LOOKS = 50;

export interface Weather {
  /** Kind → requests that were hit. */
  readonly fired: ReadonlyMap<string, number>;
  /** Each kind of trouble, one after the other, until it has hit a request. */
  parade(signal: AbortSignal): Promise<void>;
  /** Troubles in bursts with fair spells between, until the signal aborts; fair afterwards. */
  run(signal: AbortSignal): Promise<void>;
}

export const createWeather = (parts: {
  readonly simulator: Simulator;
  readonly random: Random;
  readonly hangs: boolean;
  readonly poison: string | undefined;
  /** ms of a burst at most, and of a fair spell. */
  readonly burst: number;
  readonly spell: number;
  /** Told of each burst as it ends. */
  readonly told: (text: string) => void;
  /** An operator looks after the destination: after each burst. */
  readonly mend: () => Promise<void>;
}): Weather => {
  const { simulator, random } = parts;
  const always = parts.poison === undefined ? [] : [poisonRule(parts.poison)];
  const fired = new Map<string, number>();
  const coming = troubles(random, parts);

  const begin = (faults: readonly Fault[]): void => {
    simulator.setFaults([...always, ...faults.map(({ rule }) => rule)]);
    if (faults.some(({ revokes }) => revokes)) simulator.revokeTokens();
  };

  const count = (faults: readonly Fault[], ms: number): void => {
    const hits = simulator.faults().slice(always.length);
    const words = faults.map(({ kind, rule }, index) => {
      const times = hits[index]?.fired ?? 0;
      fired.set(kind, (fired.get(kind) ?? 0) + times);
      return `${kind} ×${times} ${JSON.stringify(rule.then)}`;
    });
    parts.told(`burst of ${ms} ms: ${words.join(' | ')}`);
  };

  return {
    fired,
    async parade(signal) {
      for (const fault of eachTrouble(random)) {
        const began = performance.now();
        const { probability: _, ...rule } = fault.rule;
        const once = { ...fault, rule: { times: 5, ...rule } };
        begin([once]);
        const hasHit = (): boolean => (simulator.faults()[always.length]?.fired ?? 0) > 0;
        for (let looks = 1; !hasHit() && !signal.aborted; looks += 1) {
          await sleep(10);
          // A wait that began only after the last mending must not hold up the parade.
          if (looks % MEND_LOOKS === 0) await parts.mend();
        }
        count([once], Math.round(performance.now() - began));
        simulator.setFaults(always);
        await parts.mend();
      }
    },
    async run(signal) {
      const wait = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
      simulator.setFaults(always);
      while (!signal.aborted) {
        await wait(randomInteger(random, parts.spell / 4, parts.spell));
        const faults = Array.from({ length: randomInteger(random, 1, 3) }, () => coming.next().value);
        const ms = randomInteger(random, parts.burst / 4, parts.burst);
        begin(faults);
        await wait(ms);
        count(faults, ms);
        simulator.setFaults(always);
        await parts.mend();
      }
    },
  };
};
