import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/capillary/json.ts';
import { type Kept, type KeptBefore, keep } from '../../src/mapping/keep.ts';
import { ANN, AT, BOB, bury, CAT, change, entityOf, tell, tellAll } from './keep-rig.ts';
import { contextOf, eventWith } from './mapping-rig.ts';

/** A merge into ANN, or into `before.lane`. */
const merge = (at: number, victim: KeptBefore['victim'], before: Partial<KeptBefore> = {}): Kept =>
  tell(change(at, {}), { before: { victim, ...before }, eventName: 'loyaltyCustomerMerge' });

/** What is kept of BOB, customer 6, after this. */
const bobWith = (at: number, attributes: Record<string, JsonValue>) => ({
  lane: BOB,
  state: tell(change(at, { 'identityMap.capillaryId': ['6'], ...attributes }), { before: { lane: BOB } })
    .state,
});

describe('a merge', () => {
  const firstName = 'person.name.firstName';

  it('fills in what the survivor has not told, whatever the times, and links their identities', () => {
    const bob = bobWith(AT + 99, {
      'identityMap.Email': ['bob@example.org'],
      'loyalty.points': 99,
      [firstName]: 'Mira',
    });
    const survivor = tell(change(AT, { 'loyalty.points': 1, 'identityMap.Email': ['ann@example.org'] }));
    const merged = merge(AT + 10, bob, { state: survivor.state });

    expect(merged.merged).toEqual({ from: BOB, into: ANN });
    expect(entityOf(merged)).toEqual({
      _id: expect.any(String),
      loyalty: { points: 1 },
      person: { name: { firstName: 'Mira' } },
      identityMap: {
        capillaryId: [
          { id: '5', authenticatedState: 'ambiguous', primary: true },
          { id: '6', authenticatedState: 'ambiguous', primary: false },
        ],
        Email: [
          { id: 'ann@example.org', authenticatedState: 'ambiguous', primary: false },
          { id: 'bob@example.org', authenticatedState: 'ambiguous', primary: false },
        ],
      },
    });
    const own = tell(change(AT - 5, { [firstName]: 'Ann' }), { before: { state: merged.state } });
    expect(entityOf(own)['person']).toEqual({ name: { firstName: 'Ann' } });
  });

  it('keeps the survivor primary where only the victim has the kind of identity that is', () => {
    const context = contextOf({ destination: { identity: { primary: 'email' } } });
    const bob = bobWith(AT, { 'identityMap.Email': ['bob@example.org'] });
    const merged = tell(change(AT, {}), { before: { victim: bob }, context });

    expect(entityOf(merged)['identityMap']).toMatchObject({
      capillaryId: [{ id: '5', primary: true }, { id: '6' }],
      Email: [{ id: 'bob@example.org', primary: false }],
    });
  });

  it('takes what the victim tells later as folded too, the newest of all victims first', () => {
    const merged = merge(AT, bobWith(AT, { 'loyalty.tier': 'Seed' }));
    const late = (own: string, at: number, tier: string, state: string | undefined) =>
      tell(change(at, { 'loyalty.tier': tier, 'loyalty.points': at - AT }), { before: { own, state } });
    const twice = merge(AT + 1, { lane: CAT, state: undefined }, { state: merged.state });
    const cat = late(CAT, AT + 7, 'Pine', twice.state);
    const bob = late(BOB, AT + 5, 'Oak', cat.state);
    const ann = tell(change(AT, { 'loyalty.points': 1_000 }), { before: { state: bob.state } });

    expect(entityOf(bob)['loyalty']).toEqual({ tier: 'Pine', points: 7 });
    expect(entityOf(ann)['loyalty']).toEqual({ tier: 'Pine', points: 1_000 });
  });

  it('comes to the same the second time, and in any order of a chain', () => {
    const bob = bobWith(AT, { 'loyalty.points': 3 });
    const once = merge(AT, bob);
    const again = merge(AT, { lane: BOB, state: undefined }, { state: once.state });
    expect(again.state).toBeUndefined();

    const catOfAnn = (state: string | undefined) =>
      tell(change(AT + 3, {}), { before: { lane: CAT, own: CAT, victim: { lane: ANN, state } } });
    const chain = catOfAnn(once.state).state;
    // The merge of BOB into ANN comes last: it is in CAT's lane by then.
    const empty = catOfAnn(undefined).state;
    expect(merge(AT, bob, { lane: CAT, own: ANN, state: empty }).state).toBe(chain);
  });
});

describe('a deletion', () => {
  const tier = (at: number) => change(at, { 'loyalty.tier': `T${at - AT}` });

  it('leaves when it was, and takes nothing that is not newer from then on', () => {
    const deleted = bury(AT + 5, { state: tell(tier(AT)).state });
    expect(JSON.parse(deleted.state ?? '')).toEqual({ deletedAt: AT + 5 });
    expect(deleted).toMatchObject({ isLate: false, erase: [ANN] });
    expect(deleted.profile).toBeUndefined();

    for (const at of [AT, AT + 5]) {
      const late = tell(tier(at), { before: { state: deleted.state } });
      expect(late).toEqual({ isLate: true, erase: [] });
    }
    const anew = tell(tier(AT + 6), { before: { state: deleted.state } });
    expect(entityOf(anew)['loyalty']).toEqual({ tier: 'T6' });
  });

  it('comes to the same before, between and after, and twice', () => {
    const steps: ((state: string | undefined) => Kept)[] = [
      (state) => bury(AT + 5, { state }),
      (state) => bury(AT + 3, { state }),
      (state) => tell(tier(AT), { before: { state } }),
      (state) => tell(change(AT + 9, { 'loyalty.points': 9 }), { before: { state } }),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray([...steps, ...steps], { minLength: 8 }), (order) => {
        const last = order.reduce<string | undefined>((state, step) => step(state).state ?? state, undefined);
        expect(JSON.parse(last ?? '')).toMatchObject({ deletedAt: AT + 5, 'loyalty.points': { value: 9 } });
        expect(last).not.toContain('loyalty.tier');
      }),
    );
  });

  it('sends what is left, where a newer life was told already', () => {
    const state = tellAll([tier(AT), change(AT + 9, { 'loyalty.points': 9 })])?.state;
    const deleted = bury(AT + 5, { state });

    expect(entityOf(deleted)).toMatchObject({ loyalty: { points: 9 } });
    expect(entityOf(deleted)['loyalty']).not.toHaveProperty('tier');
    expect(bury(AT + 5, { state: deleted.state })).toMatchObject({ state: deleted.state, erase: [ANN] });
    expect(bury(AT + 5, { state: deleted.state }).profile).toBeUndefined();
  });

  it('of a survivor is one of all that were merged into it', () => {
    const merged = merge(AT, bobWith(AT, { 'loyalty.points': 3 }));
    const deleted = bury(AT + 5, { state: merged.state });
    expect(deleted.erase).toEqual([ANN, BOB]);
    expect(deleted.profile).toBeUndefined();
    expect(tell(tier(AT + 4), { before: { own: BOB, state: deleted.state } }).isLate).toBe(true);

    // The merge that comes after the deletion brings nothing back, and what is stored of the victim is erased.
    const buried = bury(AT + 5);
    const late = merge(AT, bobWith(AT, { 'loyalty.points': 3 }), { state: buried.state });
    expect(late).toMatchObject({ isLate: true, erase: [BOB], merged: { from: BOB, into: ANN } });
    expect(late.profile).toBeUndefined();
    expect(late.state).toBe(deleted.state);
  });

  it('of a victim takes what it has told from the survivor, and no more', () => {
    const survivor = tell(change(AT, { 'loyalty.tier': 'Oak' }));
    const bob = bobWith(AT, { 'loyalty.points': 3 });
    const merged = merge(AT + 1, bob, { state: survivor.state });
    const deleted = bury(AT + 5, { own: BOB, state: merged.state });

    expect(deleted.erase).toEqual([BOB]);
    expect(entityOf(deleted)).toMatchObject({ loyalty: { tier: 'Oak' } });
    expect(JSON.stringify(entityOf(deleted))).not.toMatch(/points|"6"/u);
    const before = { lane: BOB, state: bury(AT + 5, { lane: BOB, state: bob.state }).state };
    expect(merge(AT + 1, before, { state: survivor.state }).state).toBe(deleted.state);
  });

  it('is kept where no profiles are sent', () => {
    const context = contextOf({ destination: { profile: undefined } });
    const off = keep(
      eventWith('transactionAdded', {}, { createdAt: AT }),
      { outcome: 'messages', id: 'cap-1', event: {}, erase: false, notes: [] },
      { lane: ANN, own: ANN, state: bury(AT).state, victim: undefined },
      context,
    );
    expect(off).toEqual({ isLate: true, erase: [] });
  });
});
