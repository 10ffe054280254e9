import { afterEach, describe, expect, it } from 'vitest';
import { customerDeleted, customersMerged, customerUpdated } from '../fixtures/customers.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import { until } from '../helpers/until.ts';

const T = 1_790_848_800_000;

let harness: DeliveryHarness;
afterEach(() => harness.close());

/** Appends events one after the other and waits for all outcomes. @returns the outcome of each */
async function deliverAll(...events: object[]) {
  const accepted: { receipt: string; id: string }[] = [];
  for (const event of events) accepted.push(await harness.accept(event));
  await harness.destinations.start();
  const outcomes = await Promise.all(accepted.map(({ receipt }) => harness.whenSettled(receipt)));
  return outcomes.map((outcome, at) => ({ ...accepted[at]!, outcome }));
}

function profiles() {
  return harness.simulator.landed({ kind: 'profile' });
}

describe.each(['assemble', 'off'])('a deleted customer, profile.write %s', (write) => {
  const startRig = async () => {
    harness = await startDeliveryHarness((config) => {
      Object.assign(config.destinations[0]!['profile'] as object, { write });
    });
  };

  it('has only events delivered that are newer than the deletion', async () => {
    await startRig();
    const [, deletion, late, newer] = await deliverAll(
      customerUpdated(1, T, { firstName: 'Meera' }),
      customerDeleted(1, T + 10),
      customerUpdated(1, T + 5, { lastName: 'Iyer' }),
      customerUpdated(1, T + 15, { firstName: 'Asha' }),
    );
    expect(late?.outcome).toMatchObject({ state: 'ignored', reason: 'customer-deleted' });
    expect(await harness.record(late!.receipt)).toMatchObject({ body: undefined });
    expect(newer?.outcome.state).toBe('delivered');
    expect(harness.simulator.landed({ kind: 'event' }).map(({ id }) => id)).not.toContain(late?.id);
    expect(harness.simulator.landed({ id: deletion!.id }).map(({ kind }) => kind)).toEqual(['event']);
    expect(profiles().map(({ entity }) => entity['person'])).toEqual(
      write === 'off' ? [] : [{ name: { firstName: 'Meera' } }, { name: { firstName: 'Asha' } }],
    );
  });

  it('has no content left in dead letters', async () => {
    await startRig();
    harness.simulator.setFaults([
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
    const [deadLetter] = await deliverAll(customerUpdated(1, T, { firstName: 'Meera' }));
    const before = await harness.record(deadLetter!.receipt);
    expect(before.event.state).toBe('dead');
    expect(before.sent.length).toBeGreaterThan(0);
    expect(JSON.stringify([before.event.detail, before.attempts])).toMatch(/is wrong/u);

    const [deletion] = await deliverAll(customerDeleted(1, T + 10));
    expect(deletion?.outcome.state).toBe('delivered');
    const after = await harness.record(deadLetter!.receipt);
    expect(after).toMatchObject({ body: undefined, sent: [], event: { state: 'dead', detail: undefined } });
    expect(JSON.stringify([after, await harness.record(deletion!.receipt)])).not.toMatch(
      /Meera|example\.com/u,
    );
    const replayed = await harness.journal.replay({ filter: {}, asNew: false, by: 'olga' });
    expect(replayed).toEqual({ replayed: 0 });
  });
});

describe('a merged customer', () => {
  it('contributes attributes that the survivor lacks, before, with and after the merge', async () => {
    harness = await startDeliveryHarness();
    await deliverAll(
      customerUpdated(2, T, { firstName: 'Asha', customerStatus: { currentLabel: 'Active' } }),
      customersMerged(1, 2, T + 1),
      customerUpdated(2, T - 5, { lastName: 'Rao' }),
      customerUpdated(1, T - 9, { firstName: 'Meera' }),
    );
    const [late] = await deliverAll(customerUpdated(2, T - 3, { firstName: 'Anna', lastName: 'Das' }));
    const record = profiles().at(-1)!;
    expect(record).toMatchObject({
      id: late!.id,
      dropped: [],
      identity: { id: '1' },
      entity: {
        person: { name: { firstName: 'Meera', lastName: 'Das' } },
        loyalty: { status: 'Active', loyaltyID: ['X-1'] },
        identityMap: { capillaryId: [{ id: '1', primary: true }] },
      },
    });
    expect(JSON.stringify(record.entity['identityMap'])).not.toContain('"2"');
    const event = harness.simulator.landed({ id: late!.id, kind: 'event' });
    expect(event.map(({ identity }) => identity?.id)).toEqual(['2']);
  });

  it('is merged only by the replay if the merge event was refused', async () => {
    harness = await startDeliveryHarness();
    const merge = customersMerged(1, 2, T + 1);
    harness.simulator.setFaults([
      {
        on: 'inlet',
        match: { contains: 'loyalty.customerMerge' },
        then: { status: 400, problem: 'no' },
      },
      {
        on: 'inlet',
        match: { flowId: 'profile-flow', contains: '"X-1"' },
        then: { status: 400, problem: 'no' },
      },
    ]);
    const [, deadLetter] = await deliverAll(customerUpdated(2, T, { lastName: 'Rao' }), merge);
    expect(deadLetter?.outcome.state).toBe('dead');
    harness.simulator.setFaults([]);
    const [, own] = await deliverAll(
      customerUpdated(2, T + 2, { firstName: 'Asha' }),
      customerUpdated(1, T, {}),
    );
    expect((await harness.record(own!.receipt)).event.state).toBe('delivered');
    expect(profiles().at(-1)?.entity).not.toHaveProperty('person');
    await harness.journal.replay({
      filter: { receipts: [deadLetter!.receipt] },
      asNew: false,
      by: 'olga',
    });
    await until(async () => (await harness.record(deadLetter!.receipt)).event.state === 'delivered');
    expect(profiles().at(-1)?.entity['person']).toEqual({ name: { firstName: 'Asha', lastName: 'Rao' } });
  });

  it('is deleted with the survivor, including what was stored under its own lane', async () => {
    harness = await startDeliveryHarness();
    const [old] = await deliverAll(customerUpdated(2, T, { lastName: 'Rao' }));
    await deliverAll(customersMerged(1, 2, T + 1), customerUpdated(2, T + 2, {}));
    await deliverAll(customerDeleted(1, T + 10));
    const [late] = await deliverAll(customerUpdated(2, T + 3, { lastName: 'Rao' }));
    expect(late?.outcome).toMatchObject({ state: 'ignored', reason: 'customer-deleted' });
    expect(await harness.record(old!.receipt)).toMatchObject({ body: undefined });
    expect(await harness.record(late!.receipt)).toMatchObject({ body: undefined });
  });
});
