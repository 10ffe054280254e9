import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapEvent } from '../../src/mapping/map-event.ts';
import type { ProfileChange } from '../../src/mapping/mapped.ts';
import { PROFILE_MAX_BYTES, sizeOf } from '../../src/xdm/limits.ts';
import { AT, change, entityOf, tell, tellAll } from './keep-rig.ts';
import { contextOf, eventWith, fixtureEvent } from './mapping-rig.ts';

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
