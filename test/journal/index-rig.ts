/* oxlint-disable vitest/no-standalone-expect -- part of the tests in buffered-index.test.ts */
import { packEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import { expect } from 'vitest';
import { runBatch } from '../../src/journal/sqlite/engine/batch.ts';
import type { Engine } from '../../src/journal/sqlite/engine/sqlite-engine.ts';
import { queueKey } from '../../src/journal/queue-key.ts';
import { closeEngine, openEngine } from '../../src/journal/sqlite/engine/open-engine.ts';
import { mergeDueParts } from '../../src/journal/sqlite/engine/indexes.ts';
import type { Call } from '../../src/journal/sqlite/engine/calls.ts';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { claimLimits, sampleEvent, settled } from '../contract/samples.ts';

/** So small that parts are merged and new generations begin constantly. */
export const GENERATION = 4;
const LANES = ['a', 'b', 'c'];

function identityOf(number: number): string {
  return number.toString(16).padStart(64, '0');
}
export function eventOf(number: number) {
  return sampleEvent({ identity: identityOf(number), lane: LANES[number % LANES.length] });
}

const CLAIMANT = { id: 'the only one', destination: 'aep' };

function settleCall(receipt: string): Call {
  return {
    name: 'settle',
    request: { token: CLAIMANT.id, settlements: [settled.delivered(receipt)] },
  };
}

/** Applies random calls to a store and checks its indexes. */
export class IndexRig {
  readonly #path: string;
  engine: Engine;
  /** Receipts by the number of their event. */
  readonly receipts = new Map<number, string>();
  #next = 1;

  constructor(path: string) {
    this.#path = path;
    this.engine = openEngine({ path, keys: [], generationSize: GENERATION });
  }

  #run(...calls: Call[]) {
    const outcomes = runBatch(this.engine, calls);
    mergeDueParts(this.engine.indexes, this.engine.tables);
    return outcomes;
  }

  append(count: number): void {
    const numbers = Array.from({ length: count }, () => this.#next++);
    const outcomes = this.#run(
      ...numbers.map((number): Call => ({ name: 'append', request: packEvents([eventOf(number)]) })),
    );
    for (const [index, number] of numbers.entries()) {
      const outcome = outcomes[index];
      if (outcome?.ok !== true) throw new Error('an event was not accepted');
      const [{ receipt, duplicate }] = outcome.answer as [{ receipt: string; duplicate: boolean }];
      expect(duplicate).toBe(false);
      this.receipts.set(number, receipt);
    }
  }

  /**
   * A batch that is rolled back half way and repeated without the failing call, reusing positions.
   */
  appendWithFailure(): void {
    const [good, bad, other] = [this.#next++, this.#next++, this.#next++];
    const broken = { ...eventOf(bad), receivedAt: Number.NaN };
    const [first, , third] = this.#run(
      { name: 'append', request: packEvents([eventOf(good)]) },
      { name: 'append', request: packEvents([broken]) },
      { name: 'append', request: packEvents([eventOf(other)]) },
    );
    if (first?.ok !== true || third?.ok !== true) throw new Error('a valid call failed');
    this.receipts.set(good, (first.answer as [{ receipt: string }])[0].receipt);
    this.receipts.set(other, (third.answer as [{ receipt: string }])[0].receipt);
  }

  #pick(at: number): string | undefined {
    return [...this.receipts.values()][at % Math.max(1, this.receipts.size)];
  }

  #claimAll(): void {
    this.#run({ name: 'claim', request: { claimant: CLAIMANT, limits: claimLimits() } });
  }

  settle(at: number): void {
    const receipt = this.#pick(at);
    if (receipt === undefined) return;
    this.#claimAll();
    this.#run(settleCall(receipt));
    this.#run({ name: 'release', request: { token: CLAIMANT.id, receipts: [...this.receipts.values()] } });
  }

  /** A batch with so many failing calls that all of it fails. */
  failWholeBatch(at: number): void {
    const receipt = this.#pick(at);
    const broken = { ...eventOf(0), receivedAt: Number.NaN };
    const others = Array.from(
      { length: 20 },
      (): Call => ({ name: 'append', request: packEvents([broken]) }),
    );
    if (receipt === undefined) return;
    const valid: Call[] = [
      { name: 'append', request: packEvents([eventOf(this.#next++)]) },
      settleCall(receipt),
    ];
    const outcomes = this.#run(...valid, ...others);
    expect(outcomes.some(({ ok }) => ok)).toBe(false);
    // A successful call that assigns no position.
    this.#run({ name: 'probe', request: undefined });
  }

  replay(at: number): void {
    const receipt = this.#pick(at);
    const request = { filter: { receipts: [receipt] }, by: 'ada', asNew: false };
    if (receipt !== undefined) this.#run({ name: 'replay', request });
  }

  /** Like a restart after a crash: the indexes are not notified. */
  reopen(): void {
    this.engine.db.close();
    this.open();
  }

  open(): void {
    this.engine = openEngine({ path: this.#path, keys: [], generationSize: GENERATION });
  }

  /** Every event is known, and the head of each queue agrees with the events. */
  check(): void {
    for (const [number, receipt] of this.receipts)
      expect(this.#run({ name: 'append', request: packEvents([eventOf(number)]) })).toMatchObject([
        { ok: true, answer: [{ receipt, duplicate: true }] },
      ]);
    for (const lane of LANES)
      for (const replay of [0, 1]) {
        const { seq } = this.engine.db.one(
          `SELECT min(seq) AS seq FROM events NOT INDEXED WHERE state = 'pending' AND lane = ? AND replay = ?`,
          lane,
          replay,
        ) as { seq: number | null };
        const key = queueKey('aep', lane, replay);
        expect(this.engine.indexes.queues.first(key) ?? null).toBe(seq);
        expect(this.engine.indexes.queues.has(key)).toBe(seq !== null);
      }
  }

  close(): void {
    closeEngine(this.engine);
    expect(verifyStore(this.#path)).toEqual([]);
  }
}
