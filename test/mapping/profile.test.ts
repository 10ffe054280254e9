import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/capillary/json.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import type { ProfileChange } from '../../src/mapping/mapped.ts';
import { assembleProfile } from '../../src/mapping/profile.ts';
import { PROFILE_MAX_BYTES, sizeOf } from '../../src/xdm/limits.ts';
import { contextOf, eventWith, fixtureEvent } from './mapping-rig.ts';

const AT = 1_794_000_000_000;
const context = { id: 'cap-1', ...contextOf() };

const change = (at: number, attributes: Record<string, JsonValue>): ProfileChange => ({
  at,
  attributes: new Map(Object.entries({ 'identityMap.capillaryId': ['5'], ...attributes })),
});

const assembleAll = (changes: readonly ProfileChange[]) =>
  changes.reduce(
    (before, next) => assembleProfile(before?.state, next, undefined, context),
    undefined as ReturnType<typeof assembleProfile> | undefined,
  );

describe('assembleProfile', () => {
  it('gives the whole fragment each time', () => {
    const first = assembleProfile(
      undefined,
      change(AT, { 'person.name.firstName': 'Meera' }),
      undefined,
      context,
    );
    const second = assembleProfile(first.state, change(AT + 1, { 'loyalty.points': 7 }), undefined, {
      ...context,
      id: 'cap-2',
    });

    expect(second.entity).toEqual({
      _id: 'cap-2',
      person: { name: { firstName: 'Meera' } },
      loyalty: { points: 7 },
      identityMap: { capillaryId: [{ id: '5', authenticatedState: 'ambiguous', primary: true }] },
    });
  });

  it('never lets an older value over a newer one; at equal times the later accepted wins', () => {
    const newer = change(AT + 5, { 'loyalty.points': 20 });
    const older = change(AT, { 'loyalty.points': 10, 'loyalty.tier': 'Pine' });
    const same = change(AT + 5, { 'loyalty.points': 21 });

    expect(assembleAll([newer, older])?.entity['loyalty']).toEqual({ points: 20, tier: 'Pine' });
    expect(assembleAll([newer, same])?.entity['loyalty']).toEqual({ points: 21 });
    expect(assembleAll([same, newer])?.entity['loyalty']).toEqual({ points: 20 });
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
        expect(assembleAll(other)?.state).toBe(assembleAll(list)?.state);
      }),
    );
  });

  it('keeps the balances of several programs side by side', () => {
    const assembled = assembleAll([
      change(AT, { '_acme.capillary.programs[9].points': 1, '_acme.capillary.programs[9].lifetime': 2 }),
      change(AT + 1, { '_acme.capillary.programs[10].points': 3 }),
      change(AT + 2, { '_acme.capillary.programs[9].points': 4 }),
    ]);

    expect(assembled?.entity['_acme']).toEqual({
      capillary: {
        programs: [
          { id: '10', points: 3 },
          { id: '9', points: 4, lifetime: 2 },
        ],
      },
    });
  });

  it('folds in of a merged customer only what the survivor lacks', () => {
    const victim = assembleAll([
      change(AT + 9, {
        'identityMap.capillaryId': ['6'],
        'loyalty.points': 99,
        'person.name.firstName': 'Mira',
      }),
    ]);
    const survivor = assembleAll([change(AT, { 'loyalty.points': 1 })]);
    const merged = assembleProfile(survivor?.state, change(AT + 10, {}), victim?.state, context);

    expect(merged.entity).toMatchObject({
      loyalty: { points: 1 },
      person: { name: { firstName: 'Mira' } },
      identityMap: { capillaryId: [{ id: '5', primary: true }] },
    });
  });

  it('says when its newest attribute is from, where the schema has room for it', () => {
    const destination = contextOf({ destination: { schemaFeatures: { sourceAudit: true } } }).destination;
    const newest = assembleAll([change(AT + 7, { 'loyalty.points': 2 })]);
    const { entity } = assembleProfile(newest?.state, change(AT, { 'loyalty.tier': 'Seed' }), undefined, {
      id: 'cap-1',
      destination,
    });

    expect(entity['extSourceSystemAudit']).toEqual({ lastUpdatedDate: '2026-11-06T21:20:00.007Z' });
  });

  it('takes the primary anew when the namespaces change, and what the schema no longer has goes', () => {
    const known = assembleAll([
      change(AT, { 'identityMap.Email': ['a@b.co'], 'loyalty.lifetimePoints': 5, 'loyalty.points': 1 }),
    ]);
    const destination = contextOf({
      destination: { identity: { primary: 'email', namespaces: { email: 'Email' } } },
    }).destination;
    const { entity, notes } = assembleProfile(known?.state, change(AT, {}), undefined, {
      id: 'cap-1',
      destination,
    });

    expect(entity['identityMap']).toEqual({
      Email: [{ id: 'a@b.co', authenticatedState: 'ambiguous', primary: true }],
    });
    expect(entity['loyalty']).toEqual({ points: 1 });
    expect(notes.map(({ code }) => code)).toEqual(['unknown-field']);
  });

  it('stays within the size AEP takes', () => {
    const large = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`_acme.own${index}`, 'x'.repeat(1_000)]),
    );
    const { entity } = assembleProfile(
      undefined,
      change(AT, { ...large, 'loyalty.points': 1 }),
      undefined,
      context,
    );

    expect(sizeOf(entity)).toBeLessThanOrEqual(PROFILE_MAX_BYTES);
    expect(entity['loyalty']).toEqual({ points: 1 });
  });

  it('leaves out what stands in another attribute’s place', () => {
    const { entity, notes } = assembleProfile(
      undefined,
      change(AT, { '_acme.a': 'x', '_acme.a.b': 'y' }),
      undefined,
      context,
    );

    expect(entity['_acme']).toEqual({ a: 'x' });
    expect(notes.map(({ code, path }) => `${code} ${path}`)).toEqual(['path-in-use _acme.a.b']);
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
    expect(assembleAll(changes.toReversed())?.state).toBe(assembleAll(changes)?.state);
    expect(assembleAll(changes)?.entity).toMatchObject({
      person: { name: { lastName: 'Iyer-Rao' }, gender: 'female', birthDate: '1991-04-17' },
      loyalty: { points: 410.5, tier: 'Sapling', status: 'Active', joinDate: '2026-11-06T21:19:50.000Z' },
    });
  });
});
