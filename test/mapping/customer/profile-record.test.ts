import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseState } from '../../../src/mapping/customer/customer-state.ts';
import { mapEvent } from '../../../src/mapping/map-event.ts';
import type { ProfileChange } from '../../../src/mapping/mapping-result.ts';
import { jsonBytes, MAX_PROFILE_BYTES } from '../../../src/xdm/xdm-record.ts';
import { contextOf, eventWith, fixtureEvent } from '../mapping-rig.ts';
import { AT, applyAll, applyChange, entityOf, profileChange } from './customer-rig.ts';

describe('the profile of a customer', () => {
  it('is sent as a whole fragment each time', () => {
    const first = applyChange(profileChange(AT, { 'person.name.firstName': 'Meera' }));
    const second = applyChange(profileChange(AT + 1, { 'loyalty.points': 7 }), {
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

  it('never replaces a newer value by an older one', () => {
    const newer = profileChange(AT + 5, { 'loyalty.points': 20 });
    const older = profileChange(AT, { 'loyalty.points': 10, 'loyalty.tier': 'Pine' });

    expect(entityOf(applyAll([newer, older]))['loyalty']).toEqual({ points: 20, tier: 'Pine' });
  });

  it('uses the greater _id of two events of the same millisecond, whatever their order', () => {
    const versions = ['cap-00aa', 'cap-ffbb'].map((id, points) => ({
      id: id.padEnd(44, '0'),
      of: profileChange(AT, { 'loyalty.points': points }),
    }));
    const inOrder = (order: typeof versions) =>
      order.reduce<string | undefined>(
        (state, { id, of }) => applyChange(of, { id, before: { state } }).state ?? state,
        undefined,
      );

    expect(inOrder(versions)).toBe(inOrder(versions.toReversed()));
    expect(parseState(inOrder(versions)).own.attributes.get('loyalty.points')).toEqual({
      value: 1,
      at: AT,
      by: 'ffbb00000000',
    });
  });

  it('uses an event again that was replayed as new after its mapping was fixed', () => {
    const id = `cap-${'7'.repeat(40)}`;
    const first = applyChange(profileChange(AT, { 'loyalty.points': 9 }), { id });
    const again = applyChange(profileChange(AT, { 'loyalty.points': 3 }), {
      id: `${id}-r1`,
      before: { state: first.state },
    });

    expect(entityOf(again)['loyalty']).toEqual({ points: 3 });
  });

  it('reads the state of an older relay', () => {
    const state = '{"loyalty.points":{"value":5,"at":1794000000000},"loyalty.tier":{"value":"Seed","at":1}}';

    expect(
      entityOf(applyChange(profileChange(AT - 1, { 'loyalty.points': 6 }), { before: { state } }))['loyalty'],
    ).toEqual({
      points: 5,
      tier: 'Seed',
    });
    expect(
      entityOf(applyChange(profileChange(AT, { 'loyalty.points': 6 }), { before: { state } }))['loyalty'],
    ).toEqual({
      points: 6,
      tier: 'Seed',
    });
  });

  it('keeps the cards that an older relay stored beside an external id, which a newer one replaces', () => {
    const stored = (value: string[]) => ({ value, at: AT - 9, by: '00' });
    const state = JSON.stringify({
      'identityMap.capillaryId': stored(['5']),
      'identityMap.loyaltyId': stored(['X-1']),
      'loyalty.loyaltyID': stored(['X-1', 'C-1']),
    });
    const update = applyChange(
      profileChange(AT, { '@id[externalId].slot[instore]': 'X-2', '@id[cardNumber].slot[C-2]': 'C-2' }),
      { before: { state } },
    );

    expect(entityOf(update)['loyalty']).toEqual({ loyaltyID: ['X-2', 'C-2', 'C-1'] });
    expect(entityOf(update)['identityMap']).toMatchObject({ loyaltyId: [{ id: 'X-2' }] });
  });

  it('gives the same result in any order of arrival', () => {
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
      .map((list) => list.map(([at, values]) => profileChange(AT + at, values)));
    const shuffled = changes.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );

    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        expect(applyAll(other)?.state).toBe(applyAll(list)?.state);
      }),
    );
  });

  it('stores the balances of several programs separately', () => {
    const assembled = applyAll([
      profileChange(AT, {
        '_acme.capillary.programs[9].points': 1,
        '_acme.capillary.programs[9].lifetime': 2,
      }),
      profileChange(AT + 1, { '_acme.capillary.programs[10].points': 3 }),
      profileChange(AT + 2, { '_acme.capillary.programs[9].points': 4 }),
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

  it('has the time of its newest attribute if the schema has a field for it', () => {
    const context = contextOf({ destination: { schemaFeatures: { sourceAudit: true } } });
    const state = applyAll([profileChange(AT + 7, { 'loyalty.points': 2 })])?.state;
    const update = applyChange(profileChange(AT, { 'loyalty.tier': 'Seed' }), { before: { state }, context });

    expect(entityOf(update)['extSourceSystemAudit']).toEqual({ lastUpdatedDate: '2026-11-06T21:20:00.007Z' });
  });

  it('selects the primary again when the namespaces change, and leaves out fields that the schema no longer has', () => {
    const known = applyAll([
      profileChange(AT, {
        'identityMap.Email': ['a@b.co'],
        'loyalty.lifetimePoints': 5,
        'loyalty.points': 1,
      }),
    ]);
    const context = contextOf({
      destination: { identity: { primary: 'email', namespaces: { email: 'Email' } } },
    });
    const { entity, notes } = applyChange(profileChange(AT, {}), { before: { state: known?.state }, context })
      .profile!;

    expect(entity['identityMap']).toEqual({
      Email: [{ id: 'a@b.co', authenticatedState: 'ambiguous', primary: true }],
    });
    expect(entity['loyalty']).toEqual({ points: 1 });
    expect(notes.map(({ code }) => code)).toEqual(['unknown-field']);
  });

  it('stays within the size that AEP accepts, and stores what the record leaves out', () => {
    const large = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`_acme.own${index}`, 'x'.repeat(1_000)]),
    );
    const { state, profile } = applyChange(profileChange(AT, { ...large, 'loyalty.points': 1 }));
    const { entity, notes } = profile!;

    expect(jsonBytes(entity)).toBeLessThanOrEqual(MAX_PROFILE_BYTES);
    expect(entity['loyalty']).toEqual({ points: 1 });
    expect(notes[0]).toMatchObject({ code: 'shrunk', path: '_acme.own0' });
    const { attributes } = parseState(state).own;
    expect(Object.keys(large).filter((path) => !attributes.has(path))).toEqual([]);
    const shorter = Object.fromEntries(Object.keys(large).map((path) => [path, 'y']));
    const later = applyChange(profileChange(AT + 1, { ...shorter, '_acme.own0': 'z' }), {
      before: { state },
    });
    expect(Object.keys(entityOf(later)['_acme'] as object)).toHaveLength(200);
  });

  it('leaves out an attribute whose path another one uses', () => {
    const { entity, notes } = applyChange(profileChange(AT, { '_acme.a': 'x', '_acme.a.b': 'y' })).profile!;

    expect(entity['_acme']).toEqual({ a: 'x' });
    expect(notes.map(({ code, path }) => `${code} ${path}`)).toEqual(['path-in-use _acme.a.b']);
  });
});

async function timeOf(
  data: object,
  createdAt: number,
  eventName = 'customerAdded',
): Promise<number | undefined> {
  const mapped = await mapEvent(
    eventWith(eventName, { firstName: 'Meera', ...data }, { createdAt }),
    contextOf(),
  );
  return mapped.outcome === 'messages' ? mapped.profile?.at : undefined;
}

describe('the time of a change', () => {
  it('is that of Capillary’s own clock, else that of the event, never later than the receipt', async () => {
    expect(await timeOf({ enteredAt: AT - 99_000 }, AT)).toBe(AT);
    expect(await timeOf({ enteredAt: AT - 99_000 }, 5)).toBe(AT - 99_000);
    expect(await timeOf({}, AT * 2)).toBe(contextOf().receivedAt);
  });

  it('is not the enteredAt of an update, which can be that of the registration', async () => {
    expect(await timeOf({ enteredAt: AT - 99_000 }, AT, 'customerUpdated')).toBe(AT);
    expect(await timeOf({ enteredAt: AT - 99_000 }, 5, 'customerUpdated')).toBe(contextOf().receivedAt);
  });

  it('gives one profile for the real events in any order', async () => {
    const names = [
      'customer-added',
      'customer-updated',
      'points-issued',
      'points-redeemed',
      'tier-upgraded',
      'other-program',
    ];
    const context = contextOf();
    const changes: ProfileChange[] = [];
    for (const name of names) {
      const mapped = await mapEvent(fixtureEvent(name), context);
      if (mapped.outcome === 'messages' && mapped.profile !== undefined) {
        changes.push(mapped.profile);
      }
    }

    expect(changes).toHaveLength(6);
    expect(applyAll(changes.toReversed())?.state).toBe(applyAll(changes)?.state);
    expect(entityOf(applyAll(changes, undefined, context))).toMatchObject({
      person: { name: { lastName: 'Iyer-Rao' }, gender: 'female', birthDate: '1991-04-17' },
      loyalty: { points: 410.5, tier: 'Sapling', status: 'Active', joinDate: '2026-11-06T21:19:50.000Z' },
    });
  });
});
