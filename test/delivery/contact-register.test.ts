import { expect, it } from 'vitest';
import {
  createContactRegister,
  createSharedContacts,
  type Counting,
} from '../../src/delivery/contact-register.ts';
import {
  type ClaimedEvent,
  type ContactCountRequest,
  type Journal,
  StoreError,
} from '../../src/journal/journal.ts';
import type { Identity } from '../../src/mapping/identities.ts';
import { contextOf } from '../mapping/mapping-rig.ts';

const NONE = { shared: [], newlyShared: [], uncounted: 0 };
const SOURCE = contextOf().source;
const EMAIL: Identity = { kind: 'email', id: 'a@x.org' };

/** A register whose journal answers as given, and what it was asked and reported. */
function registerWith(
  countContacts: (request: ContactCountRequest) => ReturnType<Journal['countContacts']>,
  shared = createSharedContacts(),
) {
  const requests: ContactCountRequest[] = [];
  const uncounted: number[] = [];
  const register = createContactRegister({
    destination: 'aep',
    shared,
    kinds: new Set(['customerId', 'email', 'phone']),
    journal: {
      countContacts: (request) => {
        requests.push(request);
        return countContacts(request);
      },
      sharedContacts: async () => ({ contacts: [], total: 0 }),
    },
    observer: {
      contactsShared: () => undefined,
      contactsUncounted: (_destination, contacts) => uncounted.push(contacts),
    },
  });
  const count = (lane: string | undefined, identities: readonly Identity[], profile?: string) => {
    const claimed = { lane, profile } as ClaimedEvent;
    const counting: Counting = { event: { orgId: 1 }, identities, source: SOURCE };
    return register.count(claimed, counting);
  };
  return { count, requests, uncounted, register };
}

it('asks once for the customers of a turn, and for no contact that is known or links nobody', async () => {
  const { count, requests } = registerWith(async () => NONE);
  const first = count('a', [EMAIL, { kind: 'customerId', id: '5' }]);
  const second = count('b', [EMAIL]);
  await first;
  await second;
  expect(requests.map(({ customers }) => customers.map(({ lane }) => lane))).toEqual([['a', 'b']]);
  expect(JSON.stringify(requests)).not.toContain('a@x.org');
  expect(count('a', [EMAIL])).toBeUndefined();
  expect(count('c', [{ kind: 'cardNumber', id: 'C-1' }])).toBeUndefined();
  expect(count('d', [EMAIL], '{"by":[[1,"","@id[email].slot[instore]","a@x.org"]]}')).toBeUndefined();
  expect(count(undefined, [EMAIL])).toBeUndefined();
  expect(requests).toHaveLength(1);
});

it('lets events be delivered while the store is failing, and counts the contact with the next event', async () => {
  let isFailing = true;
  const { count, requests, uncounted } = registerWith(async () => {
    if (isFailing) throw new StoreError('disk full');
    return NONE;
  });
  await count('a', [EMAIL]);
  expect(uncounted).toEqual([1]);
  isFailing = false;
  await count('a', [EMAIL]);
  expect([requests.length, uncounted.length]).toEqual([2, 1]);
});

it('remembers what is shared, in its organisation', async () => {
  const { count, register } = registerWith(async ({ customers }) => {
    const shared = customers.flatMap(({ contacts }) => contacts.map(({ key }) => key));
    return { shared, newlyShared: shared, uncounted: 0 };
  });
  await count('a', [EMAIL]);
  expect(register.isShared(1, 'email', 'a@x.org')).toBe(true);
  expect(register.isShared(2, 'email', 'a@x.org')).toBe(false);
  expect(register.isShared(1, 'phone', 'a@x.org')).toBe(false);
  expect(count('b', [EMAIL])).toBeUndefined();
});

it('continues with what its predecessor knows to be shared', async () => {
  const shared = createSharedContacts();
  const answer = async ({ customers }: ContactCountRequest) => ({
    ...NONE,
    shared: customers.flatMap(({ contacts }) => contacts.map(({ key }) => key)),
  });
  const before = registerWith(answer, shared);
  const after = registerWith(async () => NONE, shared);
  await before.count('a', [EMAIL]);
  expect(after.register.isShared(1, EMAIL.kind, EMAIL.id)).toBe(true);
});
