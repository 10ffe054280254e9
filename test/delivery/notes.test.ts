import { afterEach, describe, expect, it } from 'vitest';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryRig, startDeliveryRig } from '../helpers/delivery-rig.ts';

let rig: DeliveryRig;
afterEach(() => rig.close());

const codesOf = async (receipt: string): Promise<string[]> =>
  (await rig.record(receipt)).notes.map(({ path, code }) => `${code} ${path}`);

const isNoted = ({ notes, unread }: DeliveryRig['noted'][number]) => ({
  codes: notes.map(({ code }) => code),
  unread: unread && [...unread.fields.keys()],
});

describe('what the mapping could not carry', () => {
  it('is kept with the record of a delivered event, and told once', async () => {
    rig = await startDeliveryRig();
    const odd = { currencyCode: 'pound', amount: 'many', shelf: 4 };
    const { receipt } = await rig.accept(transactionAdded(1, odd));
    const plain = await rig.accept(pointsIssued(2, 5));
    await rig.destinations.start();
    expect((await rig.settled(receipt)).state).toBe('delivered');
    expect((await rig.settled(plain.receipt)).state).toBe('delivered');
    expect(await codesOf(receipt)).toEqual(['wrong-pattern data.currencyCode', 'not-a-number data.amount']);
    expect(await codesOf(plain.receipt)).toEqual([]);
    expect(rig.noted.map(isNoted)).toEqual(
      expect.arrayContaining([
        { codes: ['wrong-pattern', 'not-a-number'], unread: ['data.shelf'] },
        { codes: [], unread: [] },
      ]),
    );
    expect(rig.noted).toHaveLength(2);
  });

  it('waits for the outcome: an event that goes back tells nothing, and one that comes again tells it once', async () => {
    rig = await startDeliveryRig();
    rig.simulator.setFaults([{ on: 'inlet', times: 2, then: { status: 500 } }]);
    const { receipt } = await rig.accept(transactionAdded(1, { currencyCode: 'pound' }));
    await rig.destinations.start();
    expect((await rig.tried(receipt, 1)).state).toBe('pending');
    expect(rig.noted).toEqual([]);
    expect((await rig.settled(receipt)).state).toBe('delivered');
    expect(await codesOf(receipt)).toEqual(['wrong-pattern data.currencyCode']);
    expect(rig.noted).toHaveLength(1);
  });

  it('is kept with an ignored event, whose fields are not counted', async () => {
    rig = await startDeliveryRig();
    const nobody = { customerIdentifiers: { instore: { email: 'no mail' } } };
    const { receipt } = await rig.accept({ ...transactionAdded(1), data: nobody });
    await rig.destinations.start();
    expect(await rig.settled(receipt)).toMatchObject({ state: 'ignored', reason: 'no-identity' });
    expect(await codesOf(receipt)).toEqual(['not-an-email data.customerIdentifiers.instore.email']);
    expect(rig.noted.map(isNoted)).toEqual([{ codes: ['not-an-email'], unread: undefined }]);
  });

  it('holds what the assembly of the profile left out, beside what the event did', async () => {
    rig = await startDeliveryRig();
    const { receipt } = await rig.accept(pointsIssued(7, 5));
    const [first] = (await rig.journal.list({}, { limit: 1 })).items;
    await rig.journal.settle({
      receipt,
      now: Date.now(),
      attempts: [],
      delivered: [],
      state: 'pending',
      dueAt: Date.now(),
      failures: 0,
      charged: 0,
      profiles: [{ lane: first!.lane!, state: '{"loyalty.noSuchField":{"value":1,"at":1}}' }],
    });
    await rig.destinations.start();
    expect((await rig.settled(receipt)).state).toBe('delivered');
    expect(await codesOf(receipt)).toEqual(['unknown-field loyalty.noSuchField']);
  });
});
