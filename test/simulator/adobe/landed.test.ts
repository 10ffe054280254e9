/* oxlint-disable unicorn/no-thenable -- `then` is a key of the rules' format */
import { describe, expect, it } from 'vitest';
import { anEvent, aProfile, client, EVENTS, type Json, PEOPLE, simulate, xdm } from './adobe-client.ts';

function product(more: Json = {}): Json {
  return { productListItems: [{ SKU: 'KETTLE-7', ...more }] };
}
function event(more: Json): Json {
  return xdm(anEvent('e1', 'tara-1', more));
}
function profile(more: Json): Json {
  return xdm(aProfile('tara-1', more), { datasetId: PEOPLE });
}
function many(count: number) {
  return Array.from({ length: count }, (_, n) => ({ id: `x${n}`, primary: n === 0 }));
}

describe('a record that Adobe drops without notifying the sender', () => {
  it.each<[string, Json, string]>([
    ['null', event({ producedBy: null }), 'empty #/producedBy'],
    ['empty text', event({ _tealeaf: { note: '' } }), 'empty #/_tealeaf/note'],
    ['empty object', event({ commerce: { order: {} } }), 'empty #/commerce/order'],
    ['no id', event({ _id: undefined }), 'DCVS-1111-400 # required key [_id]'],
    ['no timestamp', event({ timestamp: undefined }), 'DCVS-1111-400 # required key [timestamp]'],
    ['an id that is not a URI reference', event({ _id: 'a b' }), 'DCVS-1105-400 #/_id'],
    ['a time without a zone', event({ timestamp: '2026-03-04T05:06:07' }), 'DCVS-1105-400 #/timestamp'],
    [
      'a time with an invalid zone',
      event({ timestamp: '2026-03-04T05:06:07+0530' }),
      'DCVS-1105-400 #/timestamp',
    ],
    ['a future time', event({ timestamp: '2199-03-04T05:06:07Z' }), 'future #/timestamp'],
    [
      'a fractional quantity',
      event(product({ quantity: 1.5 })),
      'DCVS-1104-400 #/productListItems/0/quantity',
    ],
    ['no SKU', event({ productListItems: [{ quantity: 1 }] }), 'required key [SKU]'],
    ['a purchase without a value', event({ commerce: { purchases: { id: 'p' } } }), 'required key [value]'],
    [
      'money as text',
      event({ commerce: { order: { priceTotal: '7' } } }),
      'DCVS-1104-400 #/commerce/order/priceTotal',
    ],
    ['an invalid currency', event({ commerce: { order: { currencyCode: 'inr' } } }), 'DCVS-1105-400'],
    ['an unknown field', event({ productLineItems: [] }), 'extraneous key [productLineItems]'],
    [
      'a loyaltyID that is not an array',
      profile({ loyalty: { loyaltyID: 'L-1' } }),
      'DCVS-1104-400 #/loyalty/loyaltyID',
    ],
    ['points as text', profile({ loyalty: { points: '12' } }), 'DCVS-1104-400 #/loyalty/points'],
    [
      'a gender that is not in the enum',
      profile({ person: { gender: 'Female' } }),
      'DCVS-1106-400 #/person/gender',
    ],
    ['an invalid birth date', profile({ person: { birthDate: '1990-02-31T00:00:00Z' } }), 'DCVS-1105-400'],
    [
      'a consent without a value',
      profile({ consents: { marketing: { sms: { time: '2026-01-01T00:00:00Z' } } } }),
      'required key [val]',
    ],
    ['no identity', event({ identityMap: undefined }), 'identity #/identityMap'],
    ['no primary', event({ identityMap: { crmId: [{ id: '1' }] } }), 'found: 0'],
    [
      'two primaries',
      event({ identityMap: { a: [{ id: '1', primary: true }], b: [{ id: '2', primary: true }] } }),
      'found: 2',
    ],
    ['too many identities', event({ identityMap: { a: many(21) } }), '21 identities'],
    [
      'an identity that is too long',
      event({ identityMap: { a: [{ id: 'x'.repeat(1_025), primary: true }] } }),
      '1024',
    ],
    [
      'an unknown namespace',
      event({ identityMap: { Nope: [{ id: '1', primary: true }] } }),
      'identity #/identityMap/Nope',
    ],
    [
      'an invalid state',
      event({ identityMap: { a: [{ id: '1', primary: true, authenticatedState: 'yes' }] } }),
      'DCVS-1106-400',
    ],
    ['an event over 10 KB', event({ _tealeaf: { blob: 'x'.repeat(10_000) } }), 'size #'],
    ['a profile over 100 KB', profile({ _tealeaf: { blob: 'x'.repeat(100_000) } }), 'size #'],
  ])('%s', async (_, message, reason) => {
    const simulator = await simulate({ namespaces: ['crmId', 'a', 'b'] });
    const adobe = await client(simulator);
    const answer = await adobe.single(message);
    expect(answer.status).toBe(200);
    const [record] = simulator.landed();
    expect(record?.dropped.join('\n')).toContain(reason);
    expect(simulator.stats()).toMatchObject({ landed: 1, dropped: 1 });
    expect(simulator.profile({ namespace: 'crmId', id: 'tara-1' })).toBeUndefined();
  });

  it('has at most five reasons', async () => {
    const simulator = await simulate();
    const adobe = await client(simulator);
    await adobe.single(event(Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`odd${n}`, 1]))));
    expect(simulator.landed()[0]?.dropped).toHaveLength(5);
  });
});

describe('a valid record', () => {
  it.each<[string, Json]>([
    [
      'a purchase',
      event({
        eventType: 'commerce.purchases',
        commerce: {
          order: { purchaseID: 'B-9', priceTotal: 41.5, currencyCode: 'INR', discountAmount: 0 },
          purchases: { value: 1 },
          commerceScope: { storeCode: 'blr-3' },
        },
        ...product({ quantity: 2, priceTotal: 41.5, name: 'Kettle' }),
        _tealeaf: { capillary: { tillId: 't-4', list: [{ a: 1 }] } },
      }),
    ],
    ['points', event({ loyalty: { pointsGained: [{ value: 12, loyaltyProgramId: '7' }] } })],
    [
      'a profile',
      profile({
        person: { name: { firstName: 'Tara' }, gender: 'female', birthDate: '1990-02-28' },
        personalEmail: { address: 'tara@example.net' },
        mobilePhone: { number: '+919800000001' },
        loyalty: {
          loyaltyID: ['T-1'],
          points: 12.5,
          joinDate: '2020-01-01T00:00:00.000+05:30',
          pointsExpiration: [{ pointsExpiring: 3, pointsExpirationDate: '2027-01-01T18:29:59Z' }],
        },
        consents: { marketing: { email: { val: 'y' }, preferred: 'email' } },
        extSourceSystemAudit: { lastUpdatedDate: '2026-03-04T05:06:07.890Z' },
      }),
    ],
  ])('%s is not dropped', async (_, message) => {
    const simulator = await simulate();
    const adobe = await client(simulator);
    await adobe.single(message);
    expect(simulator.landed()[0]?.dropped).toEqual([]);
  });

  it('is stored twice by the data lake and counted once by the profile', async () => {
    const simulator = await simulate();
    const adobe = await client(simulator);
    await adobe.batch([xdm(anEvent('a')), xdm(anEvent('a')), xdm(anEvent('b'))]);
    expect(simulator.landed({ id: 'a' }).map(({ duplicates }) => duplicates)).toEqual([0, 1]);
    expect(simulator.stats()).toMatchObject({ landed: 3, distinctIds: 2, duplicates: 1 });
    expect(simulator.profile({ namespace: 'crmId', id: 'tara-1' })).toMatchObject({
      events: 2,
      fragments: [],
    });
  });

  it('replaces the whole fragment of its dataset, so attributes that it leaves out are gone', async () => {
    const simulator = await simulate();
    const adobe = await client(simulator);
    await adobe.single(profile({ person: { name: { firstName: 'Tara' } }, loyalty: { points: 1 } }));
    await adobe.single(xdm(aProfile('tara-1', { testProfile: true }), { datasetId: 'second' }));
    await adobe.single(profile({ loyalty: { points: 2 } }));
    const person = simulator.profile({ namespace: 'crmId', id: 'tara-1' });
    expect(person?.fragments).toHaveLength(2);
    expect(person?.fragments[0]).toMatchObject({
      datasetId: PEOPLE,
      writes: 2,
      entity: { loyalty: { points: 2 } },
    });
    expect(person?.fragments[0]?.entity).not.toHaveProperty('person');
  });
});

describe('what landed', () => {
  it('is limited, but the counts stay exact', async () => {
    const simulator = await simulate({ maxLanded: 3 });
    const adobe = await client(simulator);
    const ids = ['a', 'b', 'c', 'd', 'e', 'a'];
    await adobe.batch(ids.map((id) => xdm(anEvent(id, `c-${id}`))));
    expect(simulator.landed().map(({ seq, id }) => [seq, id])).toEqual([
      [4, 'd'],
      [5, 'e'],
      [6, 'a'],
    ]);
    expect(simulator.stats()).toMatchObject({ landed: 6, distinctIds: 5, duplicates: 1 });
  });

  it('shows concurrent requests for one customer, and two messages of one customer in a batch', async () => {
    const simulator = await simulate({ faults: [{ on: 'single', times: 1, then: { hang: true } }] });
    const adobe = await client(simulator);
    const hanging = adobe.single(xdm(anEvent('a'))).catch(() => 'cut');
    await simulator.until((stats) => stats.requests.single.hang === 1);
    await adobe.batch([xdm(anEvent('b')), xdm(anEvent('c')), xdm(anEvent('d', 'tara-2'))]);
    expect(simulator.stats()).toMatchObject({
      concurrent: 1,
      maxConcurrent: 2,
      overlapping: 1,
      sameKeyInRequest: 1,
    });
    await simulator.close();
    expect(await hanging).toBe('cut');
  });

  it('is cleared by a reset', async () => {
    const simulator = await simulate();
    const adobe = await client(simulator);
    await adobe.single(xdm(anEvent('a')));
    simulator.reset();
    expect(simulator.landed({ datasetId: EVENTS })).toEqual([]);
    expect(simulator.stats()).toMatchObject({ landed: 0, messages: 0, activeTokens: 1 });
    await adobe.single(xdm(anEvent('a')));
    expect(simulator.landed()).toMatchObject([{ seq: 1, duplicates: 0 }]);
  });
});
