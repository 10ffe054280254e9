/* oxlint-disable vitest/no-standalone-expect -- part of the test below */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClaimLimits } from '../../src/journal/journal.ts';
import { slotOf } from '../../src/journal/postgres/engine/lane-keys.ts';
import type { ClaimEnd, HeldClaim } from '../../src/journal/postgres/queue/held-claim.ts';
import { createQueueOwner, type QueueOwner } from '../../src/journal/postgres/queue/queue-owner.ts';
import { FakeLeases } from './postgres-queue-owner-rig.ts';
import { type MemoryEntry, QueueInMemory } from './queue-in-memory.ts';

const LANES = [null, 'a', 'b', 'c', 'd'] as const;
const SOURCES = ['acme', 'shop'];
const ALL: ClaimLimits = { sources: SOURCES, events: 1_000, replays: 1_000, bytes: 1e9 };

const lane = fc.nat({ max: LANES.length - 1 });
const pick = fc.nat({ max: 50 });
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('begin'), lane, pick, at: fc.nat({ max: 2 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('commit'), lane, pick, at: fc.nat({ max: 2 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('claim'), lane, pick, at: fc.nat({ max: 4 }) }) },
  { weight: 7, arbitrary: fc.record({ do: fc.constant('end'), lane, pick, at: fc.nat({ max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('older'), lane, pick, at: fc.nat({ max: 1 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('overtake'), lane, pick, at: fc.nat({ max: 1 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove'), lane, pick, at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('slot'), lane, pick, at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('server'), lane, pick, at: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('time'), lane, pick, at: fc.nat({ max: 20 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The owner of a queue in memory, a test's knowledge of it, and the rules of the contract. */
class Scenario {
  readonly queue = new QueueInMemory();
  readonly leases = new FakeLeases(() => Promise.resolve());
  readonly owner: QueueOwner;
  /** By seq. */
  readonly held = new Map<number, { readonly row: MemoryEntry; readonly claim: HeldClaim }>();
  readonly running: Promise<unknown>[] = [];
  /** Lanes into which an older event was queued: their order is only compared at rest. */
  readonly disturbed = new Set<string | null>();
  #position = 1_000;
  #older = 1_000;
  #steps = 0;
  #epoch = 1;

  constructor(deliver: <T>(execute: () => T) => Promise<T>) {
    this.owner = createQueueOwner(this.queue.engine(deliver), this.leases, { monotonic: () => this.#steps });
  }

  row(of: { lane: number; pick: number }, overrides: Partial<MemoryEntry>): MemoryEntry {
    const pos = (this.#position += 1);
    return {
      stream: 0,
      pos,
      seq: pos,
      source: SOURCES[of.pick % 5 === 0 ? 1 : 0]!,
      lane: LANES[of.lane]!,
      laneKey: of.lane,
      isReplay: of.pick % 4 === 0,
      isPinned: false,
      bodyBytes: 2,
      dueAt: this.queue.now,
      isCommitted: false,
      begunAt: this.#steps,
      committedAt: Number.POSITIVE_INFINITY,
      ...overrides,
    };
  }

  run(of: Step): void {
    this.#steps += 1;
    const { queue, leases } = this;
    if (of.do === 'begin') queue.rows.push(this.row(of, { stream: of.at }));
    if (of.do === 'commit') this.#commit(of.at);
    if (of.do === 'claim') this.running.push(this.claim({ ...ALL, events: of.at, replays: of.pick % 3 }));
    if (of.do === 'end') this.running.push(this.#end(of));
    if (of.do === 'older') this.#queueOlder(of);
    if (of.do === 'overtake') this.#overtake(of);
    if (of.do === 'remove') this.#remove(of);
    if (of.do === 'time') queue.now += of.at;
    if (of.do === 'server') leases.changeServer('x');
    if (of.do === 'slot') this.#moveSlot(of.lane);
  }

  #commit(stream: number): void {
    for (const row of this.queue.rows)
      if (row.stream === stream && !row.isCommitted)
        Object.assign(row, { isCommitted: true, committedAt: this.#steps });
  }

  async claim(limits: ClaimLimits): Promise<number[]> {
    const { token, events } = await this.owner.claim({ id: 'one', destination: 'x' }, limits);
    return events.map(({ receipt }) => {
      const seq = Number(receipt);
      const row = this.queue.rows.find((each) => each.seq === seq);
      const claim = this.owner.claims.find(token, receipt);
      // The slot was lost since.
      if (claim === undefined) return seq;
      if (row === undefined) {
        // The entry has left since it was read.
        this.running.push(this.owner.claims.end([{ claim, end: { kind: 'lost' } }]));
        return seq;
      }
      expect(this.held.has(seq)).toBe(false);
      for (const other of this.held.values())
        if (row.lane !== null) expect(other.row.lane).not.toBe(row.lane);
      if (row.lane !== null && !this.disturbed.has(row.lane)) {
        const before = this.queue.of(row.lane, row.isReplay);
        const early = before.filter((each) => each.seq < seq && each.committedAt < row.begunAt);
        expect(early).toEqual([]);
      }
      expect(row.dueAt).toBeLessThanOrEqual(this.queue.now);
      this.held.set(seq, { row, claim });
      return seq;
    });
  }

  async #end({ pick: n, at }: Step): Promise<void> {
    const each = [...this.held.values()][n % Math.max(1, this.held.size)];
    if (each === undefined) return;
    const { row, claim } = each;
    this.held.delete(row.seq);
    const isThere = this.queue.rows.includes(row);
    let end: ClaimEnd = { kind: isThere ? 'left' : 'lost' };
    if (isThere && at === 0) end = { kind: 'released' };
    else if (isThere && at === 1) end = { kind: 'waiting', dueAt: (row.dueAt = this.queue.now + n) };
    else this.queue.rows = this.queue.rows.filter((other) => other !== row);
    await this.owner.claims.end([{ claim, end }]);
  }

  /** As `pinHeads` does it for an event that is replayed or promoted. */
  #queueOlder(of: Step): void {
    const name = LANES[of.lane]!;
    // Of two that are queued at the same time, either may go first.
    if (this.queue.rows.some((row) => row.lane === name && !row.isCommitted)) return;
    const older = this.row(of, { seq: (this.#older -= 1), isCommitted: true, stream: 9 });
    if (name !== null) {
      const head = this.queue.headOf(name, older.isReplay);
      if (head !== undefined && head.seq > older.seq) head.isPinned = true;
      this.disturbed.add(name);
    }
    this.queue.rows.push(older);
  }

  /** As a reroute into this destination does it: only a claimed head stays the head. */
  #overtake(of: Step): void {
    const name = LANES[of.lane]!;
    if (name === null || this.queue.rows.some((row) => row.lane === name && !row.isCommitted)) return;
    const older = this.row(of, { seq: (this.#older -= 1), isCommitted: true, stream: 9 });
    const { isReplay } = older;
    const head = this.queue.headOf(name, isReplay);
    const claimed = this.owner.claims.claimedHead({ destination: 'x', lane: name, isReplay });
    const isFirst = this.queue.of(name, isReplay).every(({ seq }) => seq >= (head?.seq ?? 0));
    if (head !== undefined && isFirst) head.isPinned = claimed?.pos === head.pos;
    this.disturbed.add(name);
    this.queue.rows.push(older);
    this.owner.claims.lanesMoved('x');
  }

  /** As another process that reroutes an event. */
  #remove({ pick: n }: Step): void {
    const rows = this.queue.committed();
    const row = rows[n % Math.max(1, rows.length)];
    if (row === undefined) return;
    this.queue.rows = this.queue.rows.filter((each) => each !== row);
    this.owner.claims.lanesMoved('x');
  }

  #moveSlot(laneKey: number): void {
    const slot = slotOf(laneKey);
    const isOwned = this.leases.claimable('x').has(slot);
    if (!isOwned) this.leases.owned.get('x')?.set(slot, (this.#epoch += 1));
    else {
      this.leases.lose('x', [slot]);
      for (const [seq, { row }] of this.held) if (slotOf(row.laneKey) === slot) this.held.delete(seq);
    }
  }

  /**
   * The expected event in whose place one was claimed: the two queues of a lane do not wait for
   * each other, so the head of the replays may be read before the other head.
   */
  #standsFor(seq: number, expected: readonly number[]): number {
    const row = this.queue.rows.find((each) => each.seq === seq)!;
    if (row.lane === null || !row.isReplay) return seq;
    expect(this.queue.headOf(row.lane, true)?.seq).toBe(seq);
    const other = this.queue.headOf(row.lane, false)?.seq;
    return other !== undefined && expected.includes(other) ? other : seq;
  }

  /** Once nothing is in flight, everything that is due can be claimed, in order. */
  async compareAtRest(): Promise<void> {
    await Promise.all(this.running.splice(0));
    for (const stream of [0, 1, 2]) this.#commit(stream);
    for (let slot = 0; slot < LANES.length; slot += 1)
      if (!this.leases.claimable('x').has(slot)) this.#moveSlot(slot);
    const busy = new Set([...this.held.values()].map(({ row }) => row.lane));
    const free = this.queue.claimable(ALL, (name) => busy.has(name));
    const expected = free.filter((seq) => !this.held.has(seq));
    const claimed: number[] = [];
    for (let idle = 0; idle < 30; idle += 1) claimed.push(...(await this.claim(ALL)));
    const position = (seq: number): [number, number, number] => {
      const row = this.queue.rows.find((each) => each.seq === seq)!;
      return [Number(row.isReplay), row.dueAt, seq];
    };
    const sorted = claimed
      .map((seq) => this.#standsFor(seq, expected))
      .toSorted((a, b) => {
        const [one, two] = [position(a), position(b)];
        return one[0] - two[0] || one[1] - two[1] || one[2] - two[2];
      });
    expect(sorted).toEqual(expected);
    for (const seq of this.held.keys()) {
      const { row, claim } = this.held.get(seq)!;
      this.held.delete(seq);
      this.queue.rows = this.queue.rows.filter((other) => other !== row);
      await this.owner.claims.end([{ claim, end: { kind: 'left' } }]);
    }
    await Promise.all(this.running.splice(0));
    expect(this.leases.held('x').size).toBe(0);
  }
}

it('a head that an older event has overtaken is not claimed, although that has not been read yet', async () => {
  const scenario = new Scenario((execute) => Promise.resolve(execute()));
  await scenario.leases.join('x');
  const rows = [
    scenario.row({ lane: 3, pick: 1 }, { isCommitted: true }),
    ...[0, 0, 0].map((none) => scenario.row({ lane: none, pick: 1 }, { isCommitted: true })),
    scenario.row({ lane: 3, pick: 1 }, { seq: 5, stream: 9, isCommitted: true }),
  ];
  scenario.queue.rows.push(...rows);
  const { events } = await scenario.owner.claim({ id: 'one', destination: 'x' }, { ...ALL, events: 1 });
  expect(events.map(({ receipt }) => receipt)).toEqual(['5']);
});

describe('the owner of a queue, over any sequence of steps', () => {
  it('keeps the order of lanes and loses no entry, whatever answers arrive late', async () => {
    expect.hasAssertions();
    const rounds = fc.array(fc.array(step, { maxLength: 25, size: 'max' }), {
      minLength: 1,
      maxLength: 4,
      size: 'max',
    });
    await fc.assert(
      fc.asyncProperty(
        rounds,
        fc.scheduler(),
        fc.infiniteStream(fc.boolean()),
        async (all, scheduler, early) => {
          const scenario = new Scenario(async (execute) => {
            // The snapshot is that of the beginning or that of the end of the statement.
            if (early.next().value === true) return scheduler.schedule(Promise.resolve(execute()));
            return scheduler.schedule(Promise.resolve()).then(execute);
          });
          await scenario.leases.join('x');
          for (const steps of all) {
            for (const each of steps) {
              scenario.run(each);
              await Promise.resolve();
              if (scheduler.count() > 0 && each.pick % 2 === 0) await scheduler.waitNext(1);
            }
            await scheduler.waitFor(scenario.compareAtRest());
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
