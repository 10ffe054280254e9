import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Settlement } from '../../src/journal/journal.ts';
import { sampleAttempt, settled, sha256, T0 } from '../contract/samples.ts';
import { type ReplicaInTest, settleRig } from './postgres-settle-rig.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');

function count(replica: ReplicaInTest, key: number, customers: readonly number[], limit = 2) {
  return replica.countContacts({
    destination: 'aep',
    source: 'acme',
    customers: customers.map((customer) => ({
      lane: sha256(`${customer}`),
      contacts: [{ key, kind: 'email', masked: 'a\0*' }],
    })),
    limit,
  });
}

describe('contacts that several replicas count', () => {
  it('are shared by exactly one of them when one customer too many has them', async () => {
    const { replica, sql } = await settleRig();
    const replicas = await Promise.all([replica(), replica(), replica()]);
    for (let key = 1; key <= 10; key += 1) {
      const answers = await Promise.all(
        [1, 2, 3, 4, 5, 6].map((customer) => count(replicas[customer % 3]!, key, [customer], 5)),
      );
      expect(answers.flatMap(({ newlyShared }) => newlyShared)).toEqual([key]);
    }
    expect(await sql('SELECT counted::int, shared::int FROM contact_totals')).toEqual([
      { counted: 10, shared: 10 },
    ]);
    expect(await sql('SELECT count(*)::int AS n FROM contacts')).toEqual([{ n: 10 }]);
  });

  it('occupy one connection of each replica while they wait for the lock', async () => {
    const { replica } = await settleRig();
    let [underWay, most] = [0, 0];
    const one = await replica({
      wrap: (sessions) => ({
        ...sessions,
        transaction: async (purpose, work) => {
          underWay += 1;
          most = Math.max(most, underWay);
          try {
            return await sessions.transaction(purpose, work);
          } finally {
            underWay -= 1;
          }
        },
      }),
    });
    const answers = await Promise.all([1, 2, 3, 4, 5].map((customer) => count(one, 1, [customer], 4)));
    expect(answers.flatMap(({ newlyShared }) => newlyShared)).toEqual([1]);
    expect(most).toBe(1);
  });

  it('need no lock once all of them are known', async () => {
    const { replica, sql } = await settleRig();
    let transactions = 0;
    const one = await replica({
      wrap: (sessions) => ({
        ...sessions,
        transaction: (purpose, work) => {
          transactions += 1;
          return sessions.transaction(purpose, work);
        },
      }),
    });
    for (let times = 0; times < 3; times += 1) await count(one, 1, [1, 2]);
    expect(transactions).toBe(1);
    expect((await count(one, 1, [3])).newlyShared).toEqual([1]);
    expect((await count(one, 1, [4, 5])).shared).toEqual([1, 1]);
    expect(transactions).toBe(2);
    expect(await one.sharedContacts({ limit: 9 })).toEqual({
      contacts: [{ destination: 'aep', key: 1, source: 'acme', kind: 'email', masked: 'a\0*', at: T0 }],
      total: 1,
    });
    expect(await sql('SELECT customer FROM contacts')).toEqual([{ customer: '-1' }]);
  });

  it('are counted together while a transaction is under way, each request with its own answer', async () => {
    const { replica, sql } = await settleRig();
    let transactions = 0;
    const one = await replica({
      wrap: (sessions) => ({
        ...sessions,
        transaction: (purpose, work) => {
          transactions += 1;
          return sessions.transaction(purpose, work);
        },
      }),
    });
    // The first is under way; the others wait for it, and are two transactions at most.
    const answers = await Promise.all([
      count(one, 1, [1]),
      ...[2, 3, 4].map((customer) => count(one, 1, [customer])),
      count(one, 2, [1]),
      count(one, 1, [1, 5], 9),
    ]);
    expect(answers.map(({ newlyShared }) => newlyShared)).toEqual([[], [], [1], [], [], []]);
    expect(answers.map(({ shared }) => shared)).toEqual([[], [], [1], [1], [], [1, 1]]);
    expect(transactions).toBe(2);
    expect(await sql('SELECT key::int, customer = -1 AS shared FROM contacts ORDER BY key')).toEqual([
      { key: 1, shared: true },
      { key: 2, shared: false },
    ]);
    expect(await sql('SELECT counted::int, shared::int FROM contact_totals')).toEqual([
      { counted: 2, shared: 1 },
    ]);
  });

  it('are bounded, and make room when they are shared', async () => {
    const { replica } = await settleRig();
    const one = await replica({ bounds: { counted: 4, shared: 1 } });
    await count(one, 1, [1, 2]);
    await count(one, 2, [1]);
    expect(await count(one, 3, [1, 2])).toEqual({ shared: [], newlyShared: [], uncounted: 1 });
    expect(await count(one, 1, [3])).toEqual({ shared: [1], newlyShared: [1], uncounted: 0 });
    expect(await count(one, 3, [2])).toEqual({ shared: [], newlyShared: [], uncounted: 0 });
    expect(await count(one, 3, [3])).toEqual({ shared: [3], newlyShared: [], uncounted: 0 });
  });

  it('are forgotten with an erased customer, and one with a merged one', async () => {
    const { replica, put, sql } = await settleRig();
    const one = await replica();
    for (const key of [1, 2]) await count(one, key, [1, 2], 9);
    await count(one, 3, [1], 9);
    const lanes = [1, 2].map((customer) => sha256(`${customer}`));
    const [first, second] = await put({ lane: lanes[1] }, { lane: lanes[1] });
    const alias = { from: lanes[0]!, to: lanes[1]!, profile: null };
    await one.settleOne({ ...settled.delivered(first!), alias });
    expect(await sql('SELECT counted::int FROM contact_totals')).toEqual([{ counted: 3 }]);
    expect(await sql('SELECT DISTINCT customer FROM contacts')).toHaveLength(1);
    await one.settleOne({ ...settled.delivered(second!), erase: [lanes[1]!] });
    expect(await sql('SELECT counted::int FROM contact_totals')).toEqual([{ counted: 0 }]);
  });
});

describe('erasure on PostgreSQL', () => {
  it('deletes bodies, sent messages, notes, details and profiles, and counts the bytes', async () => {
    const { replica, put, sql, counts, event } = await settleRig();
    const one = await replica();
    const notes = [{ path: 'a', code: 'b' }];
    const [dead, last] = await put({ lane: ANN }, { lane: ANN });
    const [kept] = await put({ lane: ANN });
    await one.settleOne({ ...settled.dead(dead!), attempts: [sampleAttempt()], notes } as Settlement);
    expect(await counts()).toMatchObject({ stored_bytes: 12 });
    const profiles = [{ lane: ANN, state: '{}' }];
    await one.settleOne({ ...settled.delivered(last!), profiles, erase: [ANN] });
    expect(await counts()).toMatchObject({ stored_bytes: 4, pending: 1, dead: 1, delivered: 1 });
    expect(await sql('SELECT * FROM sent')).toEqual([]);
    expect(await sql('SELECT detail FROM attempts')).toEqual([{ detail: null }]);
    expect(await event(dead!)).toMatchObject({ state: 'x', detail: null, notes: null });
    const [row] = await sql('SELECT e.receipt FROM bodies JOIN events e USING (seq)');
    expect(row).toEqual({ receipt: kept });
    // A profile that is written in the same step replaces the erased one.
    expect(await one.profiles('aep', [ANN])).toEqual(new Map([[ANN, '{}']]));
  });
});

describe('profiles on PostgreSQL', () => {
  it('are encrypted, and removed and left out once damaged', async () => {
    const { replica, put, sql } = await settleRig();
    const one = await replica({ keys: [randomBytes(32)] });
    const receipts = await put({ lane: ANN }, { lane: BOB });
    for (const [n, lane] of [ANN, BOB].entries())
      await one.settleOne({
        ...settled.delivered(receipts[n]!),
        profiles: [{ lane, state: '{"secret":"Ann"}' }],
      });
    expect(await sql(`SELECT FROM profiles WHERE position('Ann'::bytea IN state) > 0`)).toEqual([]);
    await sql(`UPDATE profiles SET state = set_byte(state, 40, 1 + get_byte(state, 40) % 200)
      WHERE lane = '${ANN}'`);
    expect(await one.profiles('aep', [ANN, BOB])).toEqual(new Map([[BOB, '{"secret":"Ann"}']]));
    expect(await sql('SELECT lane FROM profiles')).toEqual([{ lane: BOB }]);
    const other = await replica({ keys: [randomBytes(32)] });
    await expect(other.profiles('aep', [BOB])).rejects.toThrow('is its encryption key missing?');
  });

  it('of several lanes are written in the order of the array, and the last one counts', async () => {
    const { replica, put } = await settleRig();
    const one = await replica();
    const [first, second] = await put({}, {});
    await one.claim(first!, second!);
    const write = (receipt: string, state: string | null) => ({
      ...settled.delivered(receipt),
      profiles: [{ lane: ANN, state }],
    });
    await one.settle('one', [write(first!, '1'), write(second!, '2')]);
    expect(await one.profiles('aep', [ANN])).toEqual(new Map([[ANN, '2']]));
    const [third] = await put({});
    await one.settleOne({
      ...settled.delivered(third!),
      profiles: [
        { lane: ANN, state: null },
        { lane: BOB, state: '3' },
      ],
    });
    expect(await one.profiles('aep', [ANN, BOB])).toEqual(new Map([[BOB, '3']]));
  });
});
