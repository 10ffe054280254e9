import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runBatch } from '../../src/journal/sqlite/batch.ts';
import { type Engine, openEngine } from '../../src/journal/sqlite/engine.ts';
import { queueKey } from '../../src/journal/sqlite/index-keys.ts';
import { mergeDue } from '../../src/journal/sqlite/indexes.ts';
import type { Call } from '../../src/journal/sqlite/protocol.ts';
import { verifyStore } from '../../src/journal/sqlite/verify.ts';
import { sampleEvent, settled, T0 } from '../contract/samples.ts';
import { journalFolder } from './journal-folder.ts';

/** So small that parts are merged, generations begin and entries meet their table all the time. */
const GENERATION = 4;
const LANES = ['a', 'b', 'c'];

const identityOf = (number: number): string => number.toString(16).padStart(64, '0');
const eventOf = (number: number) =>
  sampleEvent({ identity: identityOf(number), lane: LANES[number % LANES.length] });

/** A store under random calls, and what must be found in it. */
class Rig {
  readonly #path: string;
  engine: Engine;
  /** Receipts by the number of their event. */
  readonly receipts = new Map<number, string>();
  #next = 1;

  constructor(path: string) {
    this.#path = path;
    this.engine = openEngine({ path, keys: [], generation: GENERATION });
  }

  #run(...calls: Call[]) {
    const outcomes = runBatch(this.engine, calls);
    mergeDue(this.engine.db, this.engine.indexes);
    return outcomes;
  }

  append(count: number): void {
    const numbers = Array.from({ length: count }, () => this.#next++);
    const outcomes = this.#run(
      ...numbers.map((number): Call => ({ name: 'append', request: eventOf(number) })),
    );
    for (const [index, number] of numbers.entries()) {
      const outcome = outcomes[index];
      if (outcome?.ok !== true) throw new Error('an event was not taken');
      const { receipt, duplicate } = outcome.answer as { receipt: string; duplicate: boolean };
      expect(duplicate).toBe(false);
      this.receipts.set(number, receipt);
    }
  }

  /** A batch that is undone half way and done again without the event that fails: positions are given again. */
  appendWithBroken(): void {
    const [good, bad, other] = [this.#next++, this.#next++, this.#next++];
    const broken = { ...eventOf(bad), receivedAt: Number.NaN };
    const [first, , third] = this.#run(
      { name: 'append', request: eventOf(good) },
      { name: 'append', request: broken },
      { name: 'append', request: eventOf(other) },
    );
    if (first?.ok !== true || third?.ok !== true) throw new Error('a sound call failed');
    this.receipts.set(good, (first.answer as { receipt: string }).receipt);
    this.receipts.set(other, (third.answer as { receipt: string }).receipt);
  }

  #pick(at: number): string | undefined {
    return [...this.receipts.values()][at % Math.max(1, this.receipts.size)];
  }

  settle(at: number): void {
    const receipt = this.#pick(at);
    if (receipt !== undefined) this.#run({ name: 'settle', request: settled.delivered(receipt) });
  }

  /** A batch in which too many calls fail for any of it to be kept. */
  allInVain(at: number): void {
    const receipt = this.#pick(at);
    const broken = { ...eventOf(0), receivedAt: Number.NaN };
    const others = Array.from({ length: 20 }, (): Call => ({ name: 'append', request: broken }));
    if (receipt === undefined) return;
    const sound: Call[] = [
      { name: 'append', request: eventOf(this.#next++) },
      { name: 'settle', request: settled.delivered(receipt) },
    ];
    const outcomes = this.#run(...sound, ...others);
    expect(outcomes.some(({ ok }) => ok)).toBe(false);
    // Something that is kept, and gives no position.
    this.#run({ name: 'probe', request: undefined });
  }

  replay(at: number): void {
    const receipt = this.#pick(at);
    const request = { filter: { receipts: [receipt] }, by: 'ada', asNew: false, now: T0 };
    if (receipt !== undefined) this.#run({ name: 'replay', request });
  }

  /** As after a crash: nothing is told to anybody before. */
  reopen(): void {
    this.engine.db.close();
    this.engine = openEngine({ path: this.#path, keys: [], generation: GENERATION });
  }

  /** Each event is known, and the first of each queue is who the events themselves say it is. */
  check(): void {
    for (const [number, receipt] of this.receipts)
      expect(this.#run({ name: 'append', request: eventOf(number) })).toEqual([
        { ok: true, answer: { receipt, duplicate: true } },
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

  end(): void {
    this.engine.db.close();
    expect(verifyStore(this.#path)).toEqual([]);
  }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('append' as const), at: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('settle' as const), at: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('all in vain' as const), at: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replay' as const), at: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('broken' as const), at: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const), at: fc.constant(0) }) },
);

const take = (rig: Rig, { do: what, at }: { readonly do: string; readonly at: number }): void => {
  if (what === 'append') rig.append(at);
  if (what === 'settle') rig.settle(at);
  if (what === 'all in vain') rig.allInVain(at);
  if (what === 'replay') rig.replay(at);
  if (what === 'broken') rig.appendWithBroken();
  if (what === 'reopen') rig.reopen();
};

const countOf = (engine: Engine, table: string): unknown =>
  engine.db.one(`SELECT count(*) AS n FROM ${table}`);

describe('the buffered indexes', () => {
  it('know what the events say, through parts, generations, failed batches and restarts', {
    timeout: 120_000,
  }, async () => {
    expect.hasAssertions();
    const sequence = fc.array(step, { minLength: 5, maxLength: 60, size: 'max' });
    const property = fc.asyncProperty(sequence, async (steps) => {
      const rig = new Rig(await journalFolder());
      for (const one of steps) take(rig, one);
      rig.check();
      rig.reopen();
      rig.check();
      rig.end();
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it('never write an event that is delivered before its generation is merged to the table of queues', async () => {
    const engine = openEngine({ path: await journalFolder(), keys: [], generation: GENERATION });
    for (let number = 1; number <= 50; number += 1) {
      const [appended] = runBatch(engine, [{ name: 'append', request: eventOf(number) }]);
      const { receipt } = (appended as { answer: { receipt: string } }).answer;
      runBatch(engine, [{ name: 'settle', request: settled.delivered(receipt) }]);
      mergeDue(engine.db, engine.indexes);
    }
    expect(countOf(engine, 'queues')).toEqual({ n: 0 });
    expect(engine.db.one(`SELECT seq FROM merged WHERE name = 'queues'`)).toMatchObject({
      seq: expect.any(Number),
    });
    engine.db.close();
  });

  it('are filled from the events where their tables know nothing', async () => {
    const path = await journalFolder();
    const rig = new Rig(path);
    rig.append(100);
    rig.engine.db.raw.exec('DELETE FROM identities; DELETE FROM queues; DELETE FROM merged');
    rig.reopen();
    expect(rig.engine.db.one('SELECT count(*) > 80 AS most FROM identities')).toEqual({ most: 1 });
    rig.check();
    rig.end();
  });
});

describe('store verify', () => {
  it('tells of events that the indexes have lost', async () => {
    const path = await journalFolder();
    const rig = new Rig(path);
    for (let batch = 0; batch < 20; batch += 1) rig.append(5);
    rig.engine.db.raw.exec('DELETE FROM identities WHERE seq = 5; DELETE FROM queues WHERE seq = 6');
    rig.engine.db.raw.exec('INSERT INTO queues (key, seq) VALUES (1, 1000)');
    rig.engine.db.close();
    expect(verifyStore(path).map(({ detail }) => detail)).toEqual([
      'events that a resend would not find: 1',
      'pending events that nobody behind them would wait for: 1',
      'places in a queue that nobody has: 1',
    ]);
  });
});
