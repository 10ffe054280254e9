import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/capillary/json.ts';
import {
  applyToCustomer,
  type CustomerUpdate,
  type PriorState,
} from '../../../src/mapping/customer/apply-to-customer.ts';
import { parseState } from '../../../src/mapping/customer/customer-state.ts';
import { contextOf, eventWith } from '../mapping-rig.ts';
import {
  ANN,
  AT,
  applyAll,
  applyChange,
  applyDeletion,
  BOB,
  CAT,
  entityOf,
  profileChange,
} from './customer-rig.ts';

/** A merge into ANN, or into `before.lane`. */
function applyMerge(
  at: number,
  victim: PriorState['victim'],
  before: Partial<PriorState> = {},
): CustomerUpdate {
  return applyChange(profileChange(at, {}), {
    before: { victim, ...before },
    eventName: 'loyaltyCustomerMerge',
  });
}

/** The state of BOB, customer 6, after a change. */
function bobWith(at: number, attributes: Record<string, JsonValue>) {
  return {
    lane: BOB,
    state: applyChange(profileChange(at, { 'identityMap.capillaryId': ['6'], ...attributes }), {
      before: { lane: BOB },
    }).state,
  };
}

describe('a merge', () => {
  const firstName = 'person.name.firstName';

  it('fills attributes that the survivor lacks, whatever the times, and keeps its own customerId alone', () => {
    const bob = bobWith(AT + 99, {
      'identityMap.Email': ['bob@example.org'],
      'loyalty.points': 99,
      [firstName]: 'Mira',
    });
    const survivor = applyChange(
      profileChange(AT, { 'loyalty.points': 1, 'identityMap.Email': ['ann@example.org'] }),
    );
    const merged = applyMerge(AT + 10, bob, { state: survivor.state });

    expect(merged.merged).toEqual({ from: BOB, into: ANN });
    expect(entityOf(merged)).toEqual({
      _id: expect.any(String),
      loyalty: { points: 1 },
      person: { name: { firstName: 'Mira' } },
      identityMap: {
        capillaryId: [{ id: '5', authenticatedState: 'ambiguous', primary: true }],
        Email: [
          { id: 'ann@example.org', authenticatedState: 'ambiguous', primary: false },
          { id: 'bob@example.org', authenticatedState: 'ambiguous', primary: false },
        ],
      },
    });
    const own = applyChange(profileChange(AT - 5, { [firstName]: 'Ann' }), {
      before: { state: merged.state },
    });
    expect(entityOf(own)['person']).toEqual({ name: { firstName: 'Ann' } });
  });

  it('keeps the survivor primary if only the victim has an identity of the primary kind', () => {
    const context = contextOf({ destination: { identity: { primary: 'email' } } });
    const bob = bobWith(AT, { 'identityMap.Email': ['bob@example.org'] });
    const merged = applyChange(profileChange(AT, {}), { before: { victim: bob }, context });

    expect(entityOf(merged)['identityMap']).toEqual({
      capillaryId: [{ id: '5', authenticatedState: 'ambiguous', primary: true }],
      Email: [{ id: 'bob@example.org', authenticatedState: 'ambiguous', primary: false }],
    });
  });

  it('uses later values of the victims as well, the newest of all victims first', () => {
    const merged = applyMerge(AT, bobWith(AT, { 'loyalty.tier': 'Seed' }));
    const late = (own: string, at: number, tier: string, state: string | undefined) =>
      applyChange(profileChange(at, { 'loyalty.tier': tier, 'loyalty.points': at - AT }), {
        before: { ownLane: own, state },
      });
    const twice = applyMerge(AT + 1, { lane: CAT, state: undefined }, { state: merged.state });
    const cat = late(CAT, AT + 7, 'Pine', twice.state);
    const bob = late(BOB, AT + 5, 'Oak', cat.state);
    const ann = applyChange(profileChange(AT, { 'loyalty.points': 1_000 }), { before: { state: bob.state } });

    expect(entityOf(bob)['loyalty']).toEqual({ tier: 'Pine', points: 7 });
    expect(entityOf(ann)['loyalty']).toEqual({ tier: 'Pine', points: 1_000 });
  });

  it('gives the same state if repeated, and in any order of a chain', () => {
    const bob = bobWith(AT, { 'loyalty.points': 3 });
    const once = applyMerge(AT, bob);
    const again = applyMerge(AT, { lane: BOB, state: undefined }, { state: once.state });
    expect(again.state).toBeUndefined();

    const catOfAnn = (state: string | undefined) =>
      applyChange(profileChange(AT + 3, {}), {
        before: { lane: CAT, ownLane: CAT, victim: { lane: ANN, state } },
      });
    const chain = catOfAnn(once.state).state;
    // The merge of BOB into ANN comes last: it is in CAT's lane by then.
    const empty = catOfAnn(undefined).state;
    expect(applyMerge(AT, bob, { lane: CAT, ownLane: ANN, state: empty }).state).toBe(chain);
  });
});

describe('a deletion', () => {
  const tier = (at: number) => profileChange(at, { 'loyalty.tier': `T${at - AT}` });

  it('stores its time and ignores everything that is not newer from then on', () => {
    const deleted = applyDeletion(AT + 5, { state: applyChange(tier(AT)).state });
    expect(JSON.parse(deleted.state ?? '')).toEqual({ deletedAt: AT + 5 });
    expect(deleted).toMatchObject({ isLate: false, erase: [ANN] });
    expect(deleted.profile).toBeUndefined();

    for (const at of [AT, AT + 5]) {
      const late = applyChange(tier(at), { before: { state: deleted.state } });
      expect(late).toEqual({ isLate: true, erase: [] });
    }
    const renewed = applyChange(tier(AT + 6), { before: { state: deleted.state } });
    expect(entityOf(renewed)['loyalty']).toEqual({ tier: 'T6' });
  });

  it('gives the same state before, between and after other events, and if repeated', () => {
    const steps: ((state: string | undefined) => CustomerUpdate)[] = [
      (state) => applyDeletion(AT + 5, { state }),
      (state) => applyDeletion(AT + 3, { state }),
      (state) => applyChange(tier(AT), { before: { state } }),
      (state) => applyChange(profileChange(AT + 9, { 'loyalty.points': 9 }), { before: { state } }),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray([...steps, ...steps], { minLength: 8 }), (order) => {
        const last = order.reduce<string | undefined>((state, step) => step(state).state ?? state, undefined);
        const { deletedAt, attributes } = parseState(last).own;
        expect([deletedAt, attributes.get('loyalty.points')?.value]).toEqual([AT + 5, 9]);
        expect(last).not.toContain('loyalty.tier');
      }),
    );
  });

  it('sends the remaining attributes if newer ones were set already', () => {
    const state = applyAll([tier(AT), profileChange(AT + 9, { 'loyalty.points': 9 })])?.state;
    const deleted = applyDeletion(AT + 5, { state });

    expect(entityOf(deleted)).toMatchObject({ loyalty: { points: 9 } });
    expect(entityOf(deleted)['loyalty']).not.toHaveProperty('tier');
    expect(applyDeletion(AT + 5, { state: deleted.state })).toMatchObject({
      state: deleted.state,
      erase: [ANN],
    });
    expect(applyDeletion(AT + 5, { state: deleted.state }).profile).toBeUndefined();
  });

  it('of a survivor also deletes all that were merged into it', () => {
    const merged = applyMerge(AT, bobWith(AT, { 'loyalty.points': 3 }));
    const deleted = applyDeletion(AT + 5, { state: merged.state });
    expect(deleted.erase).toEqual([ANN, BOB]);
    expect(deleted.profile).toBeUndefined();
    expect(applyChange(tier(AT + 4), { before: { ownLane: BOB, state: deleted.state } }).isLate).toBe(true);

    // A merge after the deletion restores nothing, and the stored data of the victim is erased.
    const deletedBefore = applyDeletion(AT + 5);
    const late = applyMerge(AT, bobWith(AT, { 'loyalty.points': 3 }), { state: deletedBefore.state });
    expect(late).toMatchObject({ isLate: true, erase: [BOB], merged: { from: BOB, into: ANN } });
    expect(late.profile).toBeUndefined();
    expect(late.state).toBe(deleted.state);
  });

  it('of a victim removes its attributes from the survivor, and no others', () => {
    const survivor = applyChange(profileChange(AT, { 'loyalty.tier': 'Oak' }));
    const bob = bobWith(AT, { 'loyalty.points': 3 });
    const merged = applyMerge(AT + 1, bob, { state: survivor.state });
    const deleted = applyDeletion(AT + 5, { ownLane: BOB, state: merged.state });

    expect(deleted.erase).toEqual([BOB]);
    expect(entityOf(deleted)).toMatchObject({ loyalty: { tier: 'Oak' } });
    expect(JSON.stringify(entityOf(deleted))).not.toMatch(/points|"6"/u);
    const before = { lane: BOB, state: applyDeletion(AT + 5, { lane: BOB, state: bob.state }).state };
    expect(applyMerge(AT + 1, before, { state: survivor.state }).state).toBe(deleted.state);
  });

  it('is stored where no profiles are sent', () => {
    const context = contextOf({ destination: { profile: undefined } });
    const off = applyToCustomer(
      eventWith('transactionAdded', {}, { createdAt: AT }),
      { outcome: 'messages', id: 'cap-1', event: {}, erase: false, notes: [] },
      { lane: ANN, ownLane: ANN, state: applyDeletion(AT).state, victim: undefined },
      context,
    );
    expect(off).toEqual({ isLate: true, erase: [] });
  });
});
