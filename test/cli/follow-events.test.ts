import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdminClient, createAdminClient, UnreachableError } from '../../src/cli/admin-client.ts';
import { followEvents } from '../../src/cli/follow-events.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type AdminRig, startAdminRig } from '../admin/admin-rig.ts';
import { until } from '../helpers/until.ts';

let rig: AdminRig;
let stop: AbortController;
let shown: string[];
let notes: string[];
let earlier: number[];
let following: Promise<void>;
/** Makes the relay unreachable. */
let isDown = false;
/** Events in a page at most: the relay also bounds its bytes. */
let maxPage = 500;

beforeEach(async () => {
  rig = await startAdminRig();
  stop = new AbortController();
  [shown, notes, earlier, isDown, maxPage] = [[], [], [], false, 500];
});
afterEach(async () => {
  stop.abort();
  await following;
  await rig.close();
});

function client(): AdminClient {
  const { port } = rig.admin.server.address() as AddressInfo;
  const real = createAdminClient({ url: `http://127.0.0.1:${port}` });
  return {
    ...real,
    get: (path, query) =>
      isDown
        ? Promise.reject(new UnreachableError('http://relay', 'refused'))
        : real.get(path, { ...query, limit: Math.min(maxPage, Number(query?.['limit'])) }),
  };
}

function follow(filter: Record<string, string> = {}, limit = 50): void {
  following = followEvents({
    client: client(),
    filter,
    limit,
    signal: stop.signal,
    intervalMs: 5,
    begin: (count) => earlier.push(count),
    show: ({ receipt, state }) => shown.push(`${receipt} ${state}`),
    note: (text) => notes.push(text),
  });
}

async function post(customer: number, name = 'acme'): Promise<string> {
  return (await rig.webhook(name, transactionAdded(customer))).body.receipt;
}

describe('following events', () => {
  it('shows the newest, then each when it is accepted and when it is settled', async () => {
    const old = [await post(1), await post(2), await post(3)];
    follow({}, 2);
    await until(() => shown.length === 2);
    expect(shown).toEqual([`${old[1]} pending`, `${old[2]} pending`]);
    const next = await post(4);
    await until(() => shown.length === 3);
    await rig.moveToDeadLetters();
    await until(() => shown.length === 7);
    expect(shown[2]).toBe(`${next} pending`);
    // The first was pending when it began, so its outcome is shown too.
    expect(shown.slice(3).toSorted()).toEqual([...old, next].map((receipt) => `${receipt} dead`).toSorted());
    expect(notes).toEqual([]);
    expect(earlier).toEqual([2]);
  });

  it('shows every event of a burst that is larger than a page, in its order', async () => {
    follow();
    await until(() => rig.admin.server.listening);
    const receipts: string[] = [];
    for (let index = 0; index < 620; index += 20)
      receipts.push(...(await Promise.all(Array.from({ length: 20 }, (_, n) => post(index + n)))));
    await until(() => shown.length >= receipts.length);
    expect(shown).toHaveLength(receipts.length);
    expect(new Set(shown)).toEqual(new Set(receipts.map((receipt) => `${receipt} pending`)));
    const { items } = await rig.journal.list({}, { limit: 500 });
    expect(shown.slice(-500)).toEqual(items.toReversed().map(({ receipt }) => `${receipt} pending`));
  });

  it('shows an event when it reaches the wanted state, however old it is', async () => {
    const [first, second] = [await post(1), await post(2)];
    follow({ state: 'dead', reason: 'poison', source: 'acme' }, 1);
    await post(3, 'beta');
    await rig.settle(({ receipt }) =>
      receipt === first
        ? { state: 'dead', reason: 'poison', detail: '', sent: [] }
        : { state: 'delivered', delivered: ['event'] },
    );
    await until(() => shown.length === 1);
    expect(shown).toEqual([`${first} dead`]);
    expect(second).toBeDefined();
  });

  it('needs no full pages', async () => {
    maxPage = 2;
    const old = [await post(1), await post(2), await post(3), await post(4), await post(5)];
    follow({}, 3);
    await until(() => shown.length === 3);
    const next = [await post(6), await post(7), await post(8), await post(9), await post(10)];
    await until(() => shown.length === 8);
    expect(shown).toEqual([...old.slice(2), ...next].map((receipt) => `${receipt} pending`));
    await rig.moveToDeadLetters();
    await until(() => shown.length === 18);
  });

  it('goes on after a restart of the relay, and misses nothing of the time between', async () => {
    await post(1);
    follow();
    await until(() => shown.length === 1);
    isDown = true;
    await until(() => notes.length === 1);
    const missed = await post(2);
    isDown = false;
    await until(() => shown.length === 2);
    expect(shown[1]).toBe(`${missed} pending`);
    expect(notes).toEqual([
      expect.stringContaining('no relay answers at http://relay: refused.'),
      'the relay answers again',
    ]);
  });

  it('fails at once if the relay refuses the filter or does not answer at first', async () => {
    follow({ reason: 'rejectd' });
    await expect(following).rejects.toThrow('did you mean `rejected`?');
    isDown = true;
    follow();
    await expect(following).rejects.toThrow(UnreachableError);
    following = Promise.resolve();
  });
});
