import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../src/simulator/random.ts';
import type { Findings } from './findings.ts';
import type { Obligation, Obligations } from './obligations.ts';

/** ms between a failed try and the next. */
const RETRY = 25;
/** ms that no answer may take. */
const PATIENCE = 20_000;
/** Share of events whose answer was lost that are sent again much later and not at once. */
const LATE = 0.3;

export interface CapillaryCounts {
  posts: number;
  duplicatesAnswered: number;
  /** POSTs without an answer. */
  lost: number;
  /** 429 and 503. */
  refused: number;
}

/** A Capillary that keeps at every event until it is answered with 200, and remembers what was promised. */
export interface Capillary {
  readonly counts: CapillaryCounts;
  /** Posts one event until its 200. */
  deliver(obligation: Obligation): Promise<void>;
  /** Posts from the supply until the signal aborts, then everything that is still without an answer. */
  run(bodies: Iterator<string>, signal: AbortSignal): Promise<void>;
}

export interface CapillaryParts {
  readonly obligations: Obligations;
  readonly findings: Findings;
  /** The relay's webhook, as soon as there is one that takes events. */
  readonly webhook: () => Promise<string>;
  readonly headers: Readonly<Record<string, string>>;
  readonly random: Random;
  /** Posts a second. */
  readonly rate: number;
  readonly concurrency: number;
}

export const createCapillary = (parts: CapillaryParts): Capillary => {
  const { obligations, findings, random } = parts;
  const counts = { posts: 0, duplicatesAnswered: 0, lost: 0, refused: 0 };
  const late: Obligation[] = [];

  const promised = (one: Obligation, known: string | undefined, wasAnswered: boolean, text: string): void => {
    one.answered ??= performance.now();
    const { status, receipt } = JSON.parse(text) as { status: string; receipt: string };
    if (status === 'duplicate') counts.duplicatesAnswered += 1;
    if (wasAnswered && status === 'accepted')
      findings.add(`${one.id}: forgotten, was accepted a second time`);
    if (known !== undefined && known !== receipt)
      findings.add(`${one.id}: receipt ${known} became ${receipt}`);
    one.receipt = receipt;
  };

  /** True when it is settled. */
  const post = async (one: Obligation, url: string): Promise<boolean> => {
    const known = one.receipt;
    const wasAnswered = one.answered !== undefined;
    counts.posts += 1;
    one.sends += 1;
    one.sentAt ??= Date.now();
    one.began ??= performance.now();
    const answer = await fetch(url, {
      method: 'POST',
      headers: parts.headers,
      body: one.body,
      signal: AbortSignal.timeout(PATIENCE),
    });
    // From here on it is promised, even if the rest of the answer never comes.
    if (answer.status === 200) one.answered ??= performance.now();
    const text = await answer.text();
    if (answer.status === 200) promised(one, known, wasAnswered, text);
    else if (answer.status === 429 || answer.status === 503) counts.refused += 1;
    else findings.add(`${one.id}: answered ${answer.status} ${text.slice(0, 200)}`);
    return answer.status === 200;
  };

  /** False when it was put off. */
  const tryOn = async (one: Obligation, mayPutOff: boolean): Promise<void> => {
    for (;;) {
      const url = await parts.webhook();
      try {
        if (await post(one, url)) return;
      } catch (error) {
        counts.lost += 1;
        if (error instanceof Error && error.name === 'TimeoutError')
          findings.add(`${one.id}: no answer in 20 s`);
        if (mayPutOff && random() < LATE) {
          late.push(one);
          return;
        }
      }
      await sleep(RETRY);
    }
  };

  const work = async (bodies: Iterator<string>, signal: AbortSignal, turn: () => Promise<void>) => {
    while (!signal.aborted) {
      await turn();
      const again = late.length > 0 && random() < 0.1 ? late.shift() : undefined;
      await tryOn(again ?? obligations.of(bodies.next().value as string), true);
    }
  };

  return {
    counts,
    deliver: (one) => tryOn(one, false),
    async run(bodies, signal) {
      const started = performance.now();
      let turns = 0;
      const turn = async (): Promise<void> => {
        turns += 1;
        await sleep(Math.max(0, started + (turns * 1_000) / parts.rate - performance.now()));
      };
      await Promise.all(Array.from({ length: parts.concurrency }, () => work(bodies, signal, turn)));
      await Promise.all(late.splice(0).map((one) => tryOn(one, false)));
    },
  };
};
