import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/capillary/json.ts';
import { type Kept, type KeptBefore, keep } from '../../src/mapping/keep.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import type { MappingContext, ProfileChange } from '../../src/mapping/mapped.ts';
import { PROFILE_MAX_BYTES, sizeOf } from '../../src/xdm/limits.ts';
import { contextOf, eventWith, fixtureEvent } from './mapping-rig.ts';

const AT = 1_794_000_000_000;
const [ANN, BOB, CAT] = ['a', 'b', 'c'].map((name) => name.repeat(64)) as [string, string, string];

interface Told {
  readonly before?: Partial<KeptBefore>;
  readonly id?: string;
  readonly eventName?: string;
  readonly context?: MappingContext;
}

const change = (at: number, attributes: Record<string, JsonValue>): ProfileChange => ({
  at,
  attributes: new Map(Object.entries({ 'identityMap.capillaryId': ['5'], ...attributes })),
});

/** Tells a change of ANN, or does what `before` says. */
const tell = (
  profile: ProfileChange,
  {
    before = {},
    id = `cap-${'0'.repeat(40)}`,
    eventName = 'customerUpdated',
    context = contextOf(),
  }: Told = {},
): Kept =>
  keep(
    eventWith(eventName, {}, { createdAt: profile.at }),
    { outcome: 'messages', id, event: {}, profile, erase: false, notes: [] },
    { lane: ANN, own: before.lane ?? ANN, state: undefined, victim: undefined, ...before },
    context,
  );

/** A deletion. */
const bury = (at: number, before: Partial<KeptBefore> = {}): Kept =>
  keep(
    eventWith('customerUpdated', {}, { createdAt: at }),
    { outcome: 'messages', id: 'cap-1', event: {}, erase: true, notes: [] },
    { lane: ANN, own: before.lane ?? ANN, state: undefined, victim: undefined, ...before },
    contextOf(),
  );

const entityOf = (kept: Kept | undefined) => kept?.profile?.entity ?? {};

const tellAll = (changes: readonly ProfileChange[], from?: string): Kept | undefined => {
  let last: Kept | undefined;
  let state = from;
  for (const next of changes) {
    last = tell(next, { before: { state } });
    state = last.state ?? state;
  }
  return last === undefined ? undefined : { ...last, ...(state === undefined ? {} : { state }) };
};

describe('the profile of a customer', () => {
  it('gives the whole fragment each time', () => {
    const first = tell(change(AT, { 'person.name.firstName': 'Meera' }));
    const second = tell(change(AT + 1, { 'loyalty.points': 7 }), {
      before: { state: first.state },
      id: 'cap-2',
    });

    expect(entityOf(second)).toEqual({
      _id: 'cap-2',
      person: { name: { firstName: 'Meera' } },
      loyalty: { points: 7 },
      identityMap: { capillaryId: [{ id: '5', authenticatedState: 'ambiguous', primary: true }] },
    });
  });

  it('never lets an older value over a newer one', () => {
    const newer = change(AT + 5, { 'loyalty.points': 20 });
    const older = change(AT, { 'loyalty.points': 10, 'loyalty.tier': 'Pine' });

    expect(entityOf(tellAll([newer, older]))['loyalty']).toEqual({ points: 20, tier: 'Pine' });
  });

  it('takes of two events of the same ms the one of the greater _id, whichever comes first', () => {
    const told = ['cap-00aa', 'cap-ffbb'].map((id, points) => ({
      id: id.padEnd(44, '0'),
      of: change(AT, { 'loyalty.points': points }),
    }));
    const inOrder = (order: typeof told) =>
      order.reduce<string | undefined>(
        (state, { id, of }) => tell(of, { id, before: { state } }).state ?? state,
        undefined,
      );

    expect(inOrder(told)).toBe(inOrder(told.toReversed()));
    expect(JSON.parse(inOrder(told) ?? '')).toMatchObject({
      'loyalty.points': { value: 1, by: 'ffbb00000000' },
    });
  });

  it('takes an event anew that was replayed as new, its mapping having been mended', () => {
    const id = `cap-${'7'.repeat(40)}`;
    const first = tell(change(AT, { 'loyalty.points': 9 }), { id });
    const again = tell(change(AT, { 'loyalty.points': 3 }), {
      id: `${id}-r1`,
      before: { state: first.state },
    });

    expect(entityOf(again)['loyalty']).toEqual({ points: 3 });
  });

  it('reads what an older relay kept', () => {
    const state = '{"loyalty.points":{"value":5,"at":1794000000000},"loyalty.tier":{"value":"Seed","at":1}}';

    expect(entityOf(tell(change(AT - 1, { 'loyalty.points': 6 }), { before: { state } }))['loyalty']).toEqual(
      {
        points: 5,
        tier: 'Seed',
      },
    );
    expect(entityOf(tell(change(AT, { 'loyalty.points': 6 }), { before: { state } }))['loyalty']).toEqual({
      points: 6,
      tier: 'Seed',
    });
  });

  it('comes to the same whatever the order of arrival', () => {
    const paths = [
      'loyalty.points',
      'loyalty.tier',
      'person.name.lastName',
      '_acme.capillary.programs[7].points',
      'identityMap.Email',
    ];
    const attributes = fc.dictionary(fc.constantFrom(...paths), fc.constantFrom('a', 'b', 1, 2), {
      minKeys: 1,
    });
    const changes = fc
      .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 1_000 }), attributes), {
        selector: ([at]) => at,
        minLength: 2,
        maxLength: 8,
      })
      .map((list) => list.map(([at, told]) => change(AT + at, told)));
    const shuffled = changes.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );

    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        expect(tellAll(other)?.state).toBe(tellAll(list)?.state);
      }),
    );
  });

  it('keeps the balances of several programs side by side', () => {
    const assembled = tellAll([
      change(AT, { '_acme.capillary.programs[9].points': 1, '_acme.capillary.programs[9].lifetime': 2 }),
      change(AT + 1, { '_acme.capillary.programs[10].points': 3 }),
      change(AT + 2, { '_acme.capillary.programs[9].points': 4 }),
    ]);

    expect(entityOf(assembled)['_acme']).toEqual({
      capillary: {
        programs: [
          { id: '10', points: 3 },
          { id: '9', points: 4, lifetime: 2 },
        ],
      },
    });
  });

  it('says when its newest attribute is from, where the schema has room for it', () => {
    const context = contextOf({ destination: { schemaFeatures: { sourceAudit: true } } });
    const state = tellAll([change(AT + 7, { 'loyalty.points': 2 })])?.state;
    const kept = tell(change(AT, { 'loyalty.tier': 'Seed' }), { before: { state }, context });

    expect(entityOf(kept)['extSourceSystemAudit']).toEqual({ lastUpdatedDate: '2026-11-06T21:20:00.007Z' });
  });

  it('takes the primary anew when the namespaces change, and what the schema no longer has goes', () => {
    const known = tellAll([
      change(AT, { 'identityMap.Email': ['a@b.co'], 'loyalty.lifetimePoints': 5, 'loyalty.points': 1 }),
    ]);
    const context = contextOf({
      destination: { identity: { primary: 'email', namespaces: { email: 'Email' } } },
    });
    const { entity, notes } = tell(change(AT, {}), { before: { state: known?.state }, context }).profile!;

    expect(entity['identityMap']).toEqual({
      Email: [{ id: 'a@b.co', authenticatedState: 'ambiguous', primary: true }],
    });
    expect(entity['loyalty']).toEqual({ points: 1 });
    expect(notes.map(({ code }) => code)).toEqual(['unknown-field']);
  });

  it('stays within the size AEP takes, and keeps what it left out of the record', () => {
    const large = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`_acme.own${index}`, 'x'.repeat(1_000)]),
    );
    const { state, profile } = tell(change(AT, { ...large, 'loyalty.points': 1 }));
    const { entity, notes } = profile!;

    expect(sizeOf(entity)).toBeLessThanOrEqual(PROFILE_MAX_BYTES);
    expect(entity['loyalty']).toEqual({ points: 1 });
    expect(notes[0]).toMatchObject({ code: 'shrunk', path: '_acme.own0' });
    const kept = JSON.parse(state ?? '') as Record<string, unknown>;
    expect(Object.keys(large).filter((path) => !(path in kept))).toEqual([]);
    const shorter = Object.fromEntries(Object.keys(large).map((path) => [path, 'y']));
    const later = tell(change(AT + 1, { ...shorter, '_acme.own0': 'z' }), { before: { state } });
    expect(Object.keys(entityOf(later)['_acme'] as object)).toHaveLength(200);
  });

  it('leaves out what stands in another attribute’s place', () => {
    const { entity, notes } = tell(change(AT, { '_acme.a': 'x', '_acme.a.b': 'y' })).profile!;

    expect(entity['_acme']).toEqual({ a: 'x' });
    expect(notes.map(({ code, path }) => `${code} ${path}`)).toEqual(['path-in-use _acme.a.b']);
  });
});

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

const timeOf = async (data: object, createdAt: number): Promise<number | undefined> => {
  const mapped = await mapEvent(
    eventWith('customerUpdated', { firstName: 'Meera', ...data }, { createdAt }),
    contextOf(),
  );
  return mapped.outcome === 'messages' ? mapped.profile?.at : undefined;
};

describe('the time of a change', () => {
  it('is that of Capillary’s own clock, else the event’s, never later than the receipt', async () => {
    expect(await timeOf({ enteredAt: AT - 99_000 }, AT)).toBe(AT);
    expect(await timeOf({ enteredAt: AT - 99_000 }, 5)).toBe(AT - 99_000);
    expect(await timeOf({}, AT * 2)).toBe(contextOf().receivedAt);
  });

  it('makes the real events come to one profile in any order', async () => {
    const names = [
      'customer-added',
      'customer-updated',
      'points-issued',
      'points-redeemed',
      'tier-upgraded',
      'other-program',
    ];
    const changes: ProfileChange[] = [];
    for (const name of names) {
      const mapped = await mapEvent(fixtureEvent(name), contextOf());
      if (mapped.outcome === 'messages' && mapped.profile !== undefined) {
        changes.push(mapped.profile);
      }
    }

    expect(changes).toHaveLength(6);
    expect(tellAll(changes.toReversed())?.state).toBe(tellAll(changes)?.state);
    expect(entityOf(tellAll(changes))).toMatchObject({
      person: { name: { lastName: 'Iyer-Rao' }, gender: 'female', birthDate: '1991-04-17' },
      loyalty: { points: 410.5, tier: 'Sapling', status: 'Active', joinDate: '2026-11-06T21:19:50.000Z' },
    });
  });
});
