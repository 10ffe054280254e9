import { describe, expect, it } from 'vitest';
import {
  append,
  appendSettled,
  claimEvents,
  sampleAttempt,
  sampleEvent,
  settleAs,
  settled,
  sha256,
  T0,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');
const NOTES = [{ path: 'data.extendedFields.annsShop', code: 'unknown-field' }];

export function describeErasing(make: MakeStore) {
  return describe('erasing a lane', () => {
    const test = journalInTest(make);

    it('removes body, sent messages, notes, details and profile, and keeps the record', async () => {
      const { journal } = test;
      const dead = await appendSettled(journal, sampleEvent({ lane: ANN }), (receipt) => ({
        ...settled.dead(receipt),
        attempts: [
          sampleAttempt({ outcome: 'rejected', itemStatus: 400, detail: 'ann@example.com is wrong' }),
        ],
        profiles: [{ lane: ANN, state: '{"name":"Ann"}' }],
        notes: NOTES,
      }));
      const { receipt } = await append(journal, sampleEvent({ lane: ANN }));
      await settleAs(journal, {
        ...settled.delivered(receipt),
        state: 'delivered',
        attempts: [sampleAttempt()],
        notes: NOTES,
        erase: [ANN],
      });

      const old = await journal.find(dead);
      expect(old?.body).toBeUndefined();
      expect(old?.sent).toEqual([]);
      expect(old?.notes).toEqual([]);
      expect(old?.event).toMatchObject({ state: 'dead', reason: 'rejected', lane: ANN });
      expect(old?.event.detail).toBeUndefined();
      expect(old?.attempts).toMatchObject([{ outcome: 'rejected', status: 400 }]);
      expect(old?.attempts[0]?.detail).toBeUndefined();

      const own = await journal.find(receipt);
      expect(own?.body).toBeUndefined();
      expect(own?.notes).toEqual([]);
      expect(own?.event).toMatchObject({ state: 'delivered', settledAt: T0 });
      expect(await journal.profiles('aep', [ANN])).toEqual(new Map());
      expect(await journal.ledger()).toMatchObject({ acme: { accepted: 2, delivered: 1, dead: 1 } });
    });

    it('keeps the bodies of pending events of the lane, which must still be delivered', async () => {
      const { journal } = test;
      const { receipt } = await append(journal, sampleEvent({ lane: ANN }));
      const later = sampleEvent({ lane: ANN });
      await append(journal, later);
      await settleAs(journal, { ...settled.delivered(receipt), erase: [ANN] });
      expect((await claimEvents(journal))[0]?.body).toStrictEqual(Buffer.from(later.body));
    });

    it('keeps the body of the settled event itself while it stays pending', async () => {
      const { journal } = test;
      const { receipt } = await append(journal, sampleEvent({ lane: ANN }));
      await settleAs(journal, { ...settled.waiting(receipt, 0), erase: [ANN] });
      expect((await journal.find(receipt))?.body).toBeDefined();
      expect(await claimEvents(journal)).toHaveLength(1);
    });

    it('includes events of the source at another destination, but no other customer or source', async () => {
      const { journal } = test;
      const before = await appendSettled(
        journal,
        sampleEvent({ lane: ANN, destination: 'former' }),
        settled.delivered,
      );
      const sameDestination = await appendSettled(
        journal,
        sampleEvent({ lane: ANN, source: 'shop' }),
        settled.delivered,
      );
      const elsewhere = await appendSettled(
        journal,
        sampleEvent({ lane: ANN, source: 'shop', destination: 'sandbox' }),
        settled.delivered,
      );
      const bob = await appendSettled(journal, sampleEvent({ lane: BOB }), (receipt) => ({
        ...settled.delivered(receipt),
        state: 'delivered',
        notes: NOTES,
        profiles: [{ lane: BOB, state: '{}' }],
      }));
      const { receipt } = await append(journal, sampleEvent({ lane: ANN }));
      await settleAs(journal, { ...settled.delivered(receipt), erase: [ANN] });
      const bodyOf = async (of: string) => (await journal.find(of))?.body;
      expect(await bodyOf(before)).toBeUndefined();
      expect(await bodyOf(sameDestination)).toBeUndefined();
      expect(await bodyOf(elsewhere)).toBeDefined();
      expect(await bodyOf(bob)).toBeDefined();
      expect((await journal.find(bob))?.notes).toEqual(NOTES);
      expect((await journal.profiles('aep', [BOB])).size).toBe(1);
    });

    it('erases before it writes profiles, so that a new one can replace the erased one', async () => {
      const { journal } = test;
      const { receipt } = await append(journal, sampleEvent({ lane: ANN }));
      await settleAs(journal, {
        ...settled.delivered(receipt),
        erase: [ANN],
        profiles: [{ lane: ANN, state: '{"deleted":true}' }],
      });
      expect(await journal.profiles('aep', [ANN])).toEqual(new Map([[ANN, '{"deleted":true}']]));
    });
  });
}
