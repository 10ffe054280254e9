import { afterEach, describe, expect, it } from 'vitest';
import { customerDeleted, customersMerged, customerUpdated } from '../fixtures/customers.ts';
import { type DeliveryRig, startDeliveryRig } from '../helpers/delivery-rig.ts';
import { until } from '../helpers/until.ts';

const T = 1_790_848_800_000;

let rig: DeliveryRig;
afterEach(() => rig.close());

/** Journals events one after the other and waits for the outcome of the last of them. @returns what became of each */
const carry = async (...events: object[]) => {
  const accepted: { receipt: string; id: string }[] = [];
  for (const event of events) accepted.push(await rig.accept(event));
  await rig.destinations.start();
  const outcomes = await Promise.all(accepted.map(({ receipt }) => rig.settled(receipt)));
  return outcomes.map((outcome, at) => ({ ...accepted[at]!, outcome }));
};

const profiles = () => rig.simulator.landed({ kind: 'profile' });

describe.each(['assemble', 'off'])('a deleted customer, profile.write %s', (write) => {
  const startRig = async () => {
    rig = await startDeliveryRig((config) => {
      Object.assign(config.destinations[0]!['profile'] as object, { write });
    });
  };

  it('is told no more of, but for what happens after the deletion', async () => {
    await startRig();
    const [, deletion, late, anew] = await carry(
      customerUpdated(1, T, { firstName: 'Meera' }),
      customerDeleted(1, T + 10),
      customerUpdated(1, T + 5, { lastName: 'Iyer' }),
      customerUpdated(1, T + 15, { firstName: 'Asha' }),
    );
    expect(late?.outcome).toMatchObject({ state: 'ignored', reason: 'customer-deleted' });
    expect(await rig.record(late!.receipt)).toMatchObject({ body: undefined });
    expect(anew?.outcome.state).toBe('delivered');
    expect(rig.simulator.landed({ kind: 'event' }).map(({ id }) => id)).not.toContain(late?.id);
    expect(rig.simulator.landed({ id: deletion!.id }).map(({ kind }) => kind)).toEqual(['event']);
    expect(profiles().map(({ entity }) => entity['person'])).toEqual(
      write === 'off' ? [] : [{ name: { firstName: 'Meera' } }, { name: { firstName: 'Asha' } }],
    );
  });

  it('has no dead letter left', async () => {
    await startRig();
    rig.simulator.setFaults([
      {
        on: 'inlet',
        match: { contains: 'Meera' },
        then: { items: { status: 400, message: 'Meera is wrong', which: { match: { contains: 'Meera' } } } },
      },
      {
        on: 'inlet',
        match: { contains: 'loyalty.customerUpdated' },
        then: {
          items: {
            status: 400,
            message: 'c1@example.com is wrong',
            which: { match: { contains: 'loyalty.customerUpdated' } },
          },
        },
      },
    ]);
    const [letter] = await carry(customerUpdated(1, T, { firstName: 'Meera' }));
    const before = await rig.record(letter!.receipt);
    expect(before.event.state).toBe('dead');
    expect(before.sent.length).toBeGreaterThan(0);
    expect(JSON.stringify([before.event.detail, before.attempts])).toMatch(/is wrong/u);

    const [deletion] = await carry(customerDeleted(1, T + 10));
    expect(deletion?.outcome.state).toBe('delivered');
    const after = await rig.record(letter!.receipt);
    expect(after).toMatchObject({ body: undefined, sent: [], event: { state: 'dead', detail: undefined } });
    expect(JSON.stringify([after, await rig.record(deletion!.receipt)])).not.toMatch(/Meera|example\.com/u);
    const replayed = await rig.journal.replay({ filter: {}, asNew: false, by: 'olga', now: Date.now() });
    expect(replayed).toEqual({ replayed: 0 });
  });
});

describe('a merged customer', () => {
  it('fills in what the survivor has not told, before, with and after the merge', async () => {
    rig = await startDeliveryRig();
    await carry(
      customerUpdated(2, T, { firstName: 'Asha', customerStatus: { currentLabel: 'Active' } }),
      customersMerged(1, 2, T + 1),
      customerUpdated(2, T - 5, { lastName: 'Rao' }),
      customerUpdated(1, T - 9, { firstName: 'Meera' }),
    );
    const [late] = await carry(customerUpdated(2, T - 3, { firstName: 'Anna', lastName: 'Das' }));
    const record = profiles().at(-1)!;
    expect(record).toMatchObject({
      id: late!.id,
      dropped: [],
      identity: { id: '1' },
      entity: {
        person: { name: { firstName: 'Meera', lastName: 'Das' } },
        loyalty: { status: 'Active', loyaltyID: ['X-1'] },
        identityMap: {
          capillaryId: [
            { id: '1', primary: true },
            { id: '2', primary: false },
          ],
        },
      },
    });
    const event = rig.simulator.landed({ id: late!.id, kind: 'event' });
    expect(event.map(({ identity }) => identity?.id)).toEqual(['2']);
  });

  it('is told by a merge that was refused only when that is replayed', async () => {
    rig = await startDeliveryRig();
    const merge = customersMerged(1, 2, T + 1);
    rig.simulator.setFaults([
      {
        on: 'inlet',
        match: { contains: 'loyalty.customerMerge' },
        then: { status: 400, body: { title: 'no' } },
      },
      {
        on: 'inlet',
        match: { flowId: 'profile-flow', contains: '"X-1"' },
        then: { status: 400, body: { title: 'no' } },
      },
    ]);
    const [, letter] = await carry(customerUpdated(2, T, { lastName: 'Rao' }), merge);
    expect(letter?.outcome.state).toBe('dead');
    rig.simulator.setFaults([]);
    const [, own] = await carry(customerUpdated(2, T + 2, { firstName: 'Asha' }), customerUpdated(1, T, {}));
    expect((await rig.record(own!.receipt)).event.state).toBe('delivered');
    expect(profiles().at(-1)?.entity).not.toHaveProperty('person');
    await rig.journal.replay({
      filter: { receipts: [letter!.receipt] },
      asNew: false,
      by: 'olga',
      now: Date.now(),
    });
    await until(async () => (await rig.record(letter!.receipt)).event.state === 'delivered');
    expect(profiles().at(-1)?.entity['person']).toEqual({ name: { firstName: 'Asha', lastName: 'Rao' } });
  });

  it('is deleted with the survivor: what was stored under its own name too', async () => {
    rig = await startDeliveryRig();
    const [old] = await carry(customerUpdated(2, T, { lastName: 'Rao' }));
    await carry(customersMerged(1, 2, T + 1), customerUpdated(2, T + 2, {}));
    await carry(customerDeleted(1, T + 10));
    const [late] = await carry(customerUpdated(2, T + 3, { lastName: 'Rao' }));
    expect(late?.outcome).toMatchObject({ state: 'ignored', reason: 'customer-deleted' });
    expect(await rig.record(old!.receipt)).toMatchObject({ body: undefined });
    expect(await rig.record(late!.receipt)).toMatchObject({ body: undefined });
  });
});
