import { afterEach, describe, expect, it } from 'vitest';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';

let harness: DeliveryHarness;
afterEach(() => harness.close());

async function codesOf(receipt: string): Promise<string[]> {
  return (await harness.record(receipt)).notes.map(({ path, code }) => `${code} ${path}`);
}

function summaryOf({ notes, unread }: DeliveryHarness['mappingReports'][number]) {
  return {
    codes: notes.map(({ code }) => code),
    unread: unread && [...unread.fields.keys()],
  };
}

describe('what the mapping could not transfer', () => {
  it('is stored with the record of a delivered event, and reported once', async () => {
    harness = await startDeliveryHarness();
    const odd = { currencyCode: 'pound', amount: 'many', shelf: 4 };
    const { receipt } = await harness.accept(transactionAdded(1, odd));
    const plain = await harness.accept(pointsIssued(2, 5));
    await harness.destinations.start();
    expect((await harness.whenSettled(receipt)).state).toBe('delivered');
    expect((await harness.whenSettled(plain.receipt)).state).toBe('delivered');
    expect(await codesOf(receipt)).toEqual(['wrong-pattern data.currencyCode', 'not-a-number data.amount']);
    expect(await codesOf(plain.receipt)).toEqual([]);
    expect(harness.mappingReports.map(summaryOf)).toEqual(
      expect.arrayContaining([
        { codes: ['wrong-pattern', 'not-a-number'], unread: ['data.shelf'] },
        { codes: [], unread: [] },
      ]),
    );
    expect(harness.mappingReports).toHaveLength(2);
  });

  it('is reported with the final outcome: not for an event that is retried, and only once after the retry', async () => {
    harness = await startDeliveryHarness();
    harness.simulator.setFaults([{ on: 'inlet', times: 2, then: { status: 500 } }]);
    const { receipt } = await harness.accept(transactionAdded(1, { currencyCode: 'pound' }));
    await harness.destinations.start();
    expect((await harness.whenSettledTimes(receipt, 1)).state).toBe('pending');
    expect(harness.mappingReports).toEqual([]);
    expect((await harness.whenSettled(receipt)).state).toBe('delivered');
    expect(await codesOf(receipt)).toEqual(['wrong-pattern data.currencyCode']);
    expect(harness.mappingReports).toHaveLength(1);
  });

  it('is stored with an ignored event, whose fields are not counted', async () => {
    harness = await startDeliveryHarness();
    const withoutIdentity = { customerIdentifiers: { instore: { email: 'no mail' } } };
    const { receipt } = await harness.accept({ ...transactionAdded(1), data: withoutIdentity });
    await harness.destinations.start();
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'ignored', reason: 'no-identity' });
    expect(await codesOf(receipt)).toEqual(['not-an-email data.customerIdentifiers.instore.email']);
    expect(harness.mappingReports.map(summaryOf)).toEqual([{ codes: ['not-an-email'], unread: undefined }]);
  });

  it('includes what the assembly of the profile left out, beside the notes of the event', async () => {
    harness = await startDeliveryHarness();
    const { receipt } = await harness.accept(pointsIssued(7, 5));
    const { token, events } = await harness.claim();
    const settlement = {
      receipt,
      attempts: [],
      delivered: [],
      state: 'pending',
      dueIn: 0,
      failedAttempts: 0,
      ownFaultCount: 0,
      profiles: [{ lane: events[0]!.lane!, state: '{"loyalty.noSuchField":{"value":1,"at":1}}' }],
    } as const;
    await harness.journal.settle(token, [settlement]);
    await harness.destinations.start();
    expect((await harness.whenSettled(receipt)).state).toBe('delivered');
    expect(await codesOf(receipt)).toEqual(['unknown-field loyalty.noSuchField']);
  });
});
