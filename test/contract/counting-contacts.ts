import { describe, expect, it } from 'vitest';
import type { ContactCountRequest, CustomerContacts } from '../../src/journal/journal.ts';
import { appendSettled, sampleEvent, settled, sha256, T0 } from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const MAIL = { key: 2 ** 52 - 1, kind: 'email', masked: 's***@store.example.com' };
const PHONE = { key: 7, kind: 'phone', masked: '+91***10' };
/** Lanes of six customers. */
const LANES = ['a', 'b', 'c', 'd', 'e', 'f'].map(sha256);

export function describeCountingContacts(make: MakeStore): void {
  describe('counting contacts', () => {
    const test = journalInTest(make);
    const count = (
      lane: string,
      { contacts = [MAIL], ...more }: Partial<ContactCountRequest & CustomerContacts> = {},
    ) =>
      test.journal.countContacts({
        destination: 'aep',
        source: 'acme',
        customers: [{ lane, contacts }],
        limit: 2,
        ...more,
      });
    const sharedKeys = async (destination = 'aep') =>
      (await test.journal.sharedContacts({ destination, limit: 100 })).contacts.map(({ key }) => key);

    it('shares a contact with the first customer above the limit, and for good', async () => {
      expect(await count(LANES[0]!)).toEqual({ shared: [], newlyShared: [], uncounted: 0 });
      expect((await count(LANES[1]!)).shared).toEqual([]);
      expect(await sharedKeys()).toEqual([]);
      test.clock.set(T0 + 5);
      expect(await count(LANES[2]!, { contacts: [PHONE, MAIL] })).toEqual({
        shared: [MAIL.key],
        newlyShared: [MAIL.key],
        uncounted: 0,
      });
      expect(await count(LANES[0]!)).toEqual({ shared: [MAIL.key], newlyShared: [], uncounted: 0 });
      expect((await count(LANES[3]!, { limit: 100 })).shared).toEqual([MAIL.key]);
      expect(await test.journal.sharedContacts({ limit: 100 })).toEqual({
        contacts: [{ ...MAIL, destination: 'aep', source: 'acme', at: T0 + 5 }],
        total: 1,
      });
    });

    it('counts several customers of one call in order', async () => {
      const customers = LANES.slice(0, 3).map((lane) => ({ lane, contacts: [MAIL] }));
      const answer = await count('', { customers: [...customers, { lane: LANES[0]!, contacts: [PHONE] }] });
      expect(answer).toEqual({ shared: [MAIL.key], newlyShared: [MAIL.key], uncounted: 0 });
      const again = await count('', { customers: [...customers, ...customers] });
      expect(again).toEqual({
        shared: Array.from({ length: 6 }, () => MAIL.key),
        newlyShared: [],
        uncounted: 0,
      });
    });

    it('counts a customer once, however often, and across a restart', async () => {
      for (let times = 0; times < 5; times += 1) await count(LANES[0]!);
      await count(LANES[1]!);
      await test.reopen();
      expect((await count(LANES[1]!)).shared).toEqual([]);
      expect((await count(LANES[0]!)).shared).toEqual([]);
      expect((await count(LANES[2]!)).shared).toEqual([MAIL.key]);
      await test.reopen();
      expect(await sharedKeys()).toEqual([MAIL.key]);
      expect((await count(LANES[5]!)).shared).toEqual([MAIL.key]);
    });

    it('counts each contact and each destination separately', async () => {
      await count(LANES[0]!, { contacts: [MAIL, PHONE] });
      await count(LANES[1]!, { contacts: [MAIL, PHONE] });
      await count(LANES[2]!, { destination: 'other' });
      expect((await count(LANES[3]!, { contacts: [PHONE] })).shared).toEqual([PHONE.key]);
      expect((await count(LANES[0]!)).shared).toEqual([]);
      expect(await sharedKeys()).toEqual([PHONE.key]);
      expect(await sharedKeys('other')).toEqual([]);
    });

    it('applies a lower limit to customers that were counted before', async () => {
      for (const lane of LANES.slice(0, 4)) await count(lane, { limit: 5 });
      expect((await count(LANES[0]!, { limit: 3 })).newlyShared).toEqual([MAIL.key]);
    });

    it('lists the newest first, of a destination or a source, up to a number', async () => {
      const share = async (key: number, more: Partial<ContactCountRequest>) => {
        for (const lane of LANES.slice(0, 3)) await count(lane, { contacts: [{ ...MAIL, key }], ...more });
      };
      await share(1, {});
      test.clock.set(T0 + 2);
      await share(2, { source: 'shop' });
      test.clock.set(T0 + 1);
      await share(3, { destination: 'other' });
      const list = async (filter: { source?: string; destination?: string; limit: number }) => {
        const { contacts, total } = await test.journal.sharedContacts(filter);
        return [contacts.map(({ key }) => key), total];
      };
      expect(await list({ limit: 2 })).toEqual([[2, 3], 3]);
      expect(await list({ limit: 9, source: 'acme' })).toEqual([[3, 1], 2]);
      expect(await list({ limit: 9, source: 'acme', destination: 'aep' })).toEqual([[1], 1]);
    });

    it('no longer counts an erased customer, at its destination', async () => {
      await count(LANES[0]!);
      await count(LANES[0]!, { destination: 'other' });
      await count(LANES[1]!, { destination: 'other' });
      await appendSettled(test.journal, sampleEvent({ lane: LANES[0] }), (receipt) => ({
        ...settled.delivered(receipt),
        erase: [LANES[0]!],
      }));
      expect((await count(LANES[1]!)).shared).toEqual([]);
      expect((await count(LANES[2]!)).shared).toEqual([]);
      expect((await count(LANES[3]!)).shared).toEqual([MAIL.key]);
      expect((await count(LANES[2]!, { destination: 'other' })).shared).toEqual([MAIL.key]);
    });

    it('counts merged customers as one', async () => {
      await count(LANES[0]!, { contacts: [MAIL, PHONE] });
      await count(LANES[1]!);
      await appendSettled(test.journal, sampleEvent({ lane: LANES[1] }), (receipt) => ({
        ...settled.delivered(receipt),
        alias: { from: LANES[0]!, to: LANES[1]!, profile: null },
      }));
      expect((await count(LANES[2]!)).shared).toEqual([]);
      expect((await count(LANES[3]!)).shared).toEqual([MAIL.key]);
      // The survivor has the victim's phone number.
      await count(LANES[1]!, { contacts: [PHONE] });
      expect((await count(LANES[2]!, { contacts: [PHONE] })).shared).toEqual([]);
      expect((await count(LANES[3]!, { contacts: [PHONE] })).shared).toEqual([PHONE.key]);
    });
  });
}
