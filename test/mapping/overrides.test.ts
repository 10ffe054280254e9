import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { mapEvent } from '../../src/mapping/map-event.ts';
import type { MappingResult } from '../../src/mapping/mapping-result.ts';
import { compileOverrides } from '../../src/mapping/overrides.ts';
import { codesOf, contextOf, fixtureEvent, messagesOf, plain } from './mapping-rig.ts';

const bill = fixtureEvent('transaction-added');
function withOverride(parts: object, destination = {}) {
  return contextOf({ source: { overrides: { transactionAdded: parts, customerAdded: parts } }, destination });
}

/** The detail of a failure after its expected start. */
function detailAfter(mapped: MappingResult, start: string): string {
  const detail = mapped.outcome === 'failed' ? mapped.detail : '';
  expect(detail).toMatch(new RegExp(`^${start}`));
  return detail.slice(start.length);
}

describe('an override', () => {
  it('extends the built-in result, replaces values and removes fields', async () => {
    const event = `{
      "eventType": "retail.sale",
      "commerce": { "order": { "purchaseID": event.data.billClientId, "discountAmount": null } },
      "_acme": { "basket": { "size": event.data.lineItemCount, "member": $exists(profile.loyalty) } }
    }`;
    const mapped = await messagesOf(bill, withOverride({ event }));

    expect(mapped.event).toMatchObject({
      eventType: 'retail.sale',
      commerce: { order: { purchaseID: 'pos-1', priceTotal: 1840.5 }, purchases: { value: 1 } },
      _acme: { basket: { size: 2, member: false }, capillary: { transaction: { id: '880031177' } } },
    });
    expect(JSON.stringify(mapped.event)).not.toContain('discountAmount');
    expect(mapped.notes).toEqual([]);
  });

  it.each(['null', '7', '""', '" x"'])('keeps the eventType if its own is %s', async (eventType) => {
    const mapped = await messagesOf(
      bill,
      withOverride({ event: `{ "eventType": ${eventType}, "producedBy": "till" }` }),
    );

    expect(mapped.event).toMatchObject({ eventType: 'commerce.purchases', producedBy: 'till' });
    expect(codesOf(mapped)).toContain('protected-field eventType');
  });

  it('can set profile attributes, also for an event without any', async () => {
    const mapped = await messagesOf(
      bill,
      withOverride({
        profile:
          '{"_acme": {"lastStore": mapped._acme.capillary.store.code, "id": mapped.identityMap.capillaryId[0].id}}',
      }),
    );

    expect(mapped.profile?.attributes.get('_acme.lastStore')).toBe('hp.blr.07');
    expect(mapped.profile?.attributes.get('_acme.id')).toBe('518200431');
    expect(mapped.profile?.attributes.get('@id[customerId].slot[own]')).toBe('518200431');
  });

  it('can remove profile attributes of the built-in mapping', async () => {
    const mapped = await messagesOf(
      fixtureEvent('customer-added'),
      withOverride({ profile: '{"person": {"name": {"lastName": null}}}' }),
    );

    expect(mapped.profile?.attributes.has('person.name.lastName')).toBe(false);
    expect(mapped.profile?.attributes.get('person.name.firstName')).toBe('Meera');

    const nothing = await messagesOf(
      fixtureEvent('customer-added'),
      withOverride({
        profile:
          '{"person": null, "personalEmail": null, "mobilePhone": null, "loyalty": null, "_acme": null}',
      }),
    );
    expect(nothing.profile).toBeUndefined();
  });

  it('is validated like everything else', async () => {
    const mapped = await messagesOf(
      bill,
      withOverride({
        event:
          '{"commerce": {"order": {"currencyCode": "rupees"}, "wish": 1}, "productListItems": [{"name": "no code"}]}',
        profile:
          '{"person": {"gender": "F"}, "identityMap": {"Email": ["x"]}, "_acme": {"capillary": {"programs": [1]}}}',
      }),
    );

    expect(mapped.profile).toBeUndefined();
    expect(mapped.event['productListItems']).toBeUndefined();
    expect(codesOf(mapped)).toEqual([
      'wrong-pattern commerce.order.currencyCode',
      'unknown-field commerce.wish',
      'missing-required productListItems[0].SKU',
      'protected-field identityMap.Email',
      'protected-field _acme.capillary.programs',
      'not-in-enum person.gender',
    ]);
  });

  it('cannot change the identities, the timestamp and the _id', async () => {
    const plainly = await messagesOf(bill);
    const event =
      '$merge([mapped, {"_id": "mine", "timestamp": $now(), "identityMap": {"Email": []}, "producedBy": "self"}])';
    const mapped = await messagesOf(bill, withOverride({ event }));

    expect(mapped.event).toEqual({ ...plainly.event, producedBy: 'self' });
    expect(codesOf(mapped)).toEqual([
      'protected-field _id',
      'protected-field timestamp',
      'protected-field identityMap',
    ]);
  });

  it.each([
    ['fails', '  $error("with " & event.data.amount)', 'JSONata code D3137 at character 9'],
    ['multiplies a text', '{"x": event.data.billNumber * 2}', 'JSONata code T2001 at character 29'],
    [
      'never ends',
      '($f := function($n) { $f($n + 1) }; $f(0))',
      /^JSONata code D1012 \(it runs longer than 250 ms\) at character \d+$/,
    ],
    [
      'nests too deeply',
      '($f := function($n) { 1 + $f($n + 1) }; $f(0))',
      /^JSONata code D1011 \(it nests deeper than 500 levels\) at character \d+$/,
    ],
    [
      'makes too long a list',
      '$count([1..9999999]) > 0 ? {} : {}',
      'JSONata code D2015 (it creates a list of more than 10000 items) at character 11',
    ],
    ['returns a text', '"text"', 'the result is not an object'],
    ['returns a list', '[{"producedBy": "self"}, {}]', 'the result is not an object'],
    ['returns a lambda', 'function($n) { $n }', 'the result is not an object'],
    ['returns a function', '$uppercase', 'the result is not an object'],
    [
      'uses randomness',
      '{"producedBy": $string($random())}',
      'random functions are not allowed, because a resent event must produce the same record at character 31',
    ],
  ])('that %s fails the event and reports the position without values', async (_what, expression, why) => {
    const name = 'transactionAdded';
    const ofEvent = await mapEvent(bill, withOverride({ event: expression }));
    const ofProfile = await mapEvent(bill, withOverride({ profile: expression }));

    const detail = (part: string) => `source acme, ${name}, override of the ${part}: `;
    expect(ofEvent).toMatchObject({ outcome: 'failed', reason: 'mapping' });
    expect(detailAfter(ofEvent, detail('event'))).toMatch(why);
    expect(detailAfter(ofProfile, detail('profile'))).toMatch(why);
    expect(detailAfter(ofEvent, '')).not.toContain('1840');
  });

  it('without a result changes nothing', async () => {
    const mapped = await messagesOf(
      bill,
      withOverride({ event: 'event.data.amount > 99999 ? {"producedBy": "self"}' }),
    );

    expect(plain(mapped)).toEqual(plain(await messagesOf(bill)));
  });

  it('gives the same result at any time and with any number of concurrent runs', async () => {
    const context = withOverride({ event: '{"_acme": {"seen": $now(), "at": $millis()}}' });
    const all = await Promise.all(Array.from({ length: 300 }, () => messagesOf(bill, context)));

    expect(all.every(({ event }) => JSON.stringify(event) === JSON.stringify(all[0]?.event))).toBe(true);
    expect(all[0]?.event).toMatchObject({
      _acme: { seen: '2026-11-20T12:00:00.000Z', at: context.receivedAt },
    });
  });
});

describe('the time limit', () => {
  it('does not count a stall of the machine, which must not fail an event', async () => {
    const context = withOverride({ event: '{"_acme": {"sum": $sum([1..50])}}' });
    const now = Date.now;
    let calls = 0;
    // The clock jumps forward once in the middle of the evaluation.
    vi.spyOn(Date, 'now').mockImplementation(() => now() + ((calls += 1) > 5 ? 10_000 : 0));
    onTestFinished(() => void vi.restoreAllMocks());

    const mapped = await messagesOf(bill, context);
    expect(calls).toBeGreaterThan(5);
    expect(mapped.event).toMatchObject({ _acme: { sum: 1_275 } });
  });

  it('applies to each expression alone, with any number of concurrent runs', async () => {
    const context = withOverride({ event: '{"_acme": {"sum": $sum([1..2000].($ * 2))}}' });
    const all = await Promise.all(Array.from({ length: 100 }, () => messagesOf(bill, context)));

    expect(all.flatMap((mapped) => codesOf(mapped))).toEqual([]);
  });
});

describe('compileOverrides', () => {
  it('names an invalid expression', () => {
    const source = { overrides: { tierUpgraded: { event: '{"a": 1}', profile: '{"a": ' } } };

    expect(() => compileOverrides(source)).toThrow(
      /^overrides\.tierUpgraded\.profile is not a valid JSONata expression: .*character/,
    );
  });
});
