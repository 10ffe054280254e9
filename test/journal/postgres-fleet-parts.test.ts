import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FleetNotice } from '../../src/journal/fleet.ts';
import { createDatabaseClock } from '../../src/journal/postgres/fleet/database-clock.ts';
import { fairShare } from '../../src/journal/postgres/fleet/fair-share.ts';
import { createNotices, type Notices } from '../../src/journal/postgres/fleet/notices.ts';
import { createSlotExchange } from '../../src/journal/postgres/fleet/slot-exchange.ts';
import { createSlotOwnership } from '../../src/journal/postgres/fleet/slot-ownership.ts';
import { until } from '../helpers/until.ts';

describe('the fair share of a replica', () => {
  it('sums up to all slots, and differs by one at most', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 80 }),
        fc.string(),
        (ids, destination) => {
          const shares = ids.map((id) => fairShare(destination, id, ids));
          expect(shares.reduce((sum, share) => sum + share, 0)).toBe(64);
          expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it('gives the rest of different destinations to different replicas', () => {
    const ids = ['a', 'b', 'c'];
    const first = new Set(
      Array.from({ length: 20 }, (_, n) => ids.find((id) => fairShare(`destination ${n}`, id, ids) === 22)),
    );
    expect(first.size).toBe(3);
  });

  it('is nothing for one that does not deliver to the destination', () => {
    expect(fairShare('aep', 'x', ['a', 'b'])).toBe(0);
  });
});

describe("the estimate of the database's clock", () => {
  function clocks() {
    const state = { time: 1_000, ahead: 50_000 };
    const clock = createDatabaseClock(
      () => state.time,
      () => 7_000,
    );
    /** The database reads its clock after `there` ms, and the answer takes `back` ms. */
    const ask = (there: number, back: number): void => {
      const sentAt = state.time;
      const now = sentAt + there + state.ahead;
      state.time += there + back;
      clock.observe(sentAt, state.time, now);
    };
    return { state, clock, ask };
  }

  it("is this machine's until the first answer", () => {
    expect(clocks().clock.now()).toBe(7_000);
  });

  it('is off by at most half of the shortest round trip', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ there: fc.nat(500), back: fc.nat(500), pause: fc.nat(5_000) }), {
          minLength: 1,
          maxLength: 20,
        }),
        (asked) => {
          const { state, clock, ask } = clocks();
          let last = 0;
          let shortest = Infinity;
          for (const { there, back, pause } of asked) {
            ask(there, back);
            shortest = Math.min(shortest, there + back);
            const error = Math.abs(clock.now() - state.time - state.ahead);
            // A clock that would go back stands still, at most for the error that it had.
            expect(error).toBeLessThanOrEqual((asked[0]!.there + asked[0]!.back) / 2 + 5);
            expect(clock.error).toBeLessThanOrEqual(shortest / 2 + 50);
            expect(clock.now()).toBeGreaterThanOrEqual(last);
            last = clock.now();
            state.time += pause;
          }
        },
      ),
    );
  });

  it('follows a clock that was set, in either direction', () => {
    const { state, clock, ask } = clocks();
    ask(1, 1);
    state.ahead += 3_600_000;
    ask(1, 1);
    expect(Math.abs(clock.now() - state.time - state.ahead)).toBeLessThanOrEqual(2);
    state.ahead -= 3_600_000;
    ask(1, 1);
    expect(Math.abs(clock.now() - state.time - state.ahead)).toBeLessThanOrEqual(2);
    state.ahead -= 500;
    const before = clock.now();
    ask(1, 1);
    expect(clock.now()).toBe(before);
    state.time += 600;
    expect(Math.abs(clock.now() - state.time - state.ahead)).toBeLessThanOrEqual(2);
  });
});

describe('slots that are given back', () => {
  it('are not owned any more while the database is told', async () => {
    const [replica, slots] = ['me', [1, 2]];
    const ownership = createSlotOwnership({ replica, isFresh: () => true, monotonic: () => 0, drainMs: 0 });
    ownership.add('aep');
    ownership.took(
      'aep',
      slots.map((slot) => [slot, 1]),
    );
    ownership.aimAt('aep', 1);
    const owned: number[][] = [];
    const query = () => {
      owned.push(slots.filter((slot) => ownership.isOwned('aep', slot, 1)));
      return Promise.resolve([]);
    };
    await createSlotExchange({ sessions: { query }, replica, ownership, leaseMs: 5 }).giveBack();
    expect(owned).toEqual([[1]]);
  });
});

describe('notices', () => {
  function replicas(fails = false) {
    const payloads: string[] = [];
    const heard = { notices: [] as FleetNotice[], claimable: [] as string[], looks: 0 };
    let others: Notices | undefined;
    const make = (replica: string): Notices =>
      createNotices({
        replica,
        send: async (payload) => {
          payloads.push(payload);
          others?.received(payload);
          if (fails) throw new Error('lost');
        },
        intervalMs: 5,
        listeners: {
          onNotice: (notice) => void heard.notices.push(notice),
          onClaimable: (destination) => void heard.claimable.push(destination),
          onLook: () => void (heard.looks += 1),
        },
      });
    const own = make('own');
    others = make('other');
    return { own, payloads, heard };
  }
  const throttled = (n: number): FleetNotice => ({ kind: 'throttled', destination: `d${n}`, forMs: n });

  it.each(['hello', '{}', 'null', '"own"'])('of somebody else are ignored: %s', (text) => {
    const { own, heard } = replicas();
    own.received(text);
    expect(heard).toEqual({ notices: [], claimable: [], looks: 0 });
  });

  it('go together, and one message after the other', async () => {
    const { own, payloads, heard } = replicas();
    own.publish(throttled(1));
    for (let n = 2; n <= 50; n += 1) own.publish(throttled(n));
    own.look();
    for (let n = 0; n < 50; n += 1) own.hintClaimable('aep');
    expect(payloads).toHaveLength(1);
    await until(() => heard.looks === 1);
    expect(payloads).toHaveLength(2);
    expect(heard.notices).toHaveLength(50);
    expect(heard.claimable).toEqual(['aep']);
  });

  it('are split where they do not fit into one payload', async () => {
    const { own, payloads, heard } = replicas();
    const names = Array.from({ length: 200 }, (_, n) => `${n}`.padStart(100, 'ä'));
    for (const name of names) own.hintClaimable(name);
    for (let n = 0; n < 200; n += 1) own.publish(throttled(n));
    await until(() => heard.claimable.length === 200 && heard.notices.length === 200);
    expect(new Set(heard.claimable)).toEqual(new Set(names));
    for (const payload of payloads) expect(Buffer.byteLength(payload)).toBeLessThan(8_000);
  });

  it('go on after one was lost', async () => {
    const { own, payloads } = replicas(true);
    own.look();
    own.publish(throttled(1));
    await until(() => payloads.length === 2);
    own.close();
    own.publish(throttled(2));
    expect(payloads).toHaveLength(2);
  });
});
