import { describe, expect, it } from 'vitest';
import { applyToCustomer } from '../../../src/mapping/customer/apply-to-customer.ts';
import { contextOf, eventWith, messagesOf } from '../mapping-rig.ts';
import { about, lastRecord, mergeInto, START, step, type Step } from './customer-events.ts';

const joined = (customer: number, at: number, day: number, loyaltyType = 'LOYALTY'): Step =>
  step('customerAdded', at, about(customer, {}, { loyaltyType, enteredAt: START - (30 - day) * 86_400_000 }));
const typed = (customer: number, at: number, loyaltyType: string): Step =>
  step('customerUpdated', at, about(customer, { externalId: `X-${customer}` }, { loyaltyType }));

function permutations<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  return items.length < 2
    ? [items]
    : items.flatMap((item) =>
        permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
      );
}

const loyaltyOf = async (steps: readonly Step[], change = {}) =>
  (await lastRecord(steps, change)).record['loyalty'];

describe('the join date', () => {
  it('is that of the oldest registration, in any order', async () => {
    for (const order of permutations([joined(1, 1, 9), joined(1, 2, 3), joined(1, 3, 6)])) {
      expect(await loyaltyOf(order)).toEqual({ joinDate: '2026-10-10T21:20:00.000Z' });
    }
  });

  it('is the earlier one of two customers that are merged', async () => {
    for (const order of permutations([joined(1, 1, 9), joined(2, 2, 3), mergeInto(1, 2, 3)])) {
      expect(await loyaltyOf([...order, typed(1, 4, 'LOYALTY')])).toMatchObject({
        joinDate: '2026-10-10T21:20:00.000Z',
      });
    }
  });

  it('of a victim outside the program does not count', async () => {
    const steps = [joined(1, 1, 9), joined(2, 2, 3), typed(2, 3, 'NON_LOYALTY'), mergeInto(1, 2, 4)];
    expect(await loyaltyOf(steps)).toMatchObject({ joinDate: '2026-10-16T21:20:00.000Z' });
  });

  it('that an older relay stored counts if it is the earliest', async () => {
    const context = contextOf();
    const event = eventWith('customerAdded', { enteredAt: START - 1_000 }, { createdAt: START });
    const mapped = await messagesOf(event, context);
    const dateWith = (value: string) => {
      const state = JSON.stringify({ 'loyalty.joinDate': { value, at: START - 5, by: '00' } });
      const before = { lane: 'a', ownLane: 'a', state, victim: undefined };
      return applyToCustomer(event, mapped, before, context).profile?.entity['loyalty'];
    };

    expect(dateWith('2019-01-02T03:04:05.000Z')).toEqual({ joinDate: '2019-01-02T03:04:05.000Z' });
    expect(dateWith('2026-11-10T00:00:00.000Z')).toEqual({ joinDate: '2026-11-06T21:19:59.000Z' });
  });

  it('of a configured field replaces that of the registration', async () => {
    const fields = { customFields: { since: 'loyalty.joinDate' } };
    const customFields = [{ key: 'since', value: '2026-11-01T00:00:00Z' }];
    const added = step('customerAdded', 1, about(1, {}, { enteredAt: START - 864e6, customFields }));

    expect(await loyaltyOf([added], { source: { fields } })).toEqual({
      joinDate: '2026-11-01T00:00:00.000Z',
    });
  });

  it('keeps those only that can still count', async () => {
    const context = contextOf();
    let state: string | undefined;
    for (const [at, day] of [
      [1, 9],
      [2, 3],
      [3, 6],
    ] as const) {
      const { eventName, data } = joined(1, at, day);
      const event = eventWith(eventName, { ...data }, { createdAt: START + at });
      const before = { lane: 'a', ownLane: 'a', state, victim: undefined };
      state = applyToCustomer(event, await messagesOf(event, context), before, context).state ?? state;
    }
    // That of day 6 is newer than that of day 3, so it outlives a deletion between them.
    expect(state?.match(/@joined\[\d+\]/gu)).toHaveLength(2);
  });
});

describe('a customer outside the loyalty program', () => {
  it('has neither join date nor loyalty ids, whatever was known before, by event time', async () => {
    for (const order of permutations([joined(1, 1, 9), typed(1, 2, 'LOYALTY'), typed(1, 3, 'NON_LOYALTY')])) {
      const { record, identities } = await lastRecord(order);
      expect(record['loyalty']).toBeUndefined();
      expect(record['_acme']).toEqual({ capillary: { loyaltyType: 'NON_LOYALTY', member: false } });
      expect(identities).toEqual(['capillaryId 1', 'loyaltyId X-1']);
    }
  });

  it('has them again as a member', async () => {
    const steps = [joined(1, 1, 9), typed(1, 3, 'NON_LOYALTY'), typed(1, 4, 'loyalty')];
    const { record } = await lastRecord(steps);
    expect(record['loyalty']).toEqual({ joinDate: '2026-10-16T21:20:00.000Z', loyaltyID: ['X-1'] });
    expect(record['_acme']).toEqual({ capillary: { loyaltyType: 'LOYALTY', member: true } });
  });

  it('gets no join date from a registration outside the program', async () => {
    const { record } = await lastRecord([joined(1, 1, 9, 'NON_LOYALTY'), typed(1, 2, 'LOYALTY')]);
    expect(record['loyalty']).toEqual({ loyaltyID: ['X-1'] });
  });
});

it('an override can remove what is computed from facts', async () => {
  const overrides = {
    customerAdded: { profile: '{"loyalty": {"joinDate": null}, "_acme": {"capillary": {"member": null}}}' },
  };
  const { record } = await lastRecord(
    [joined(1, 1, 9), step('customerUpdated', 2, about(1, {}, { firstName: 'A' }))],
    {
      source: { overrides },
    },
  );
  expect(record['loyalty']).toBeUndefined();
  expect(record['_acme']).toBeUndefined();
});
