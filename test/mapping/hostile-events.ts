import * as fc from 'fast-check';
import { CATALOGUE } from '../../src/capillary/catalogue.ts';
import { FAMILIES } from '../../src/mapping/families/families.ts';
import { email, id, INFINITE, number, odd, phone, text, time } from './hostile-values.ts';

/** A value of its kind, a value of another, or none. */
const orOdd = (kind: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 5, arbitrary: kind }, { weight: 1, arbitrary: odd }, { weight: 1, arbitrary: number });

/** An object of which any field may be missing or something else. */
const of = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> =>
  fc.record(Object.fromEntries(Object.entries(fields).map(([name, kind]) => [name, orOdd(kind)])), {
    requiredKeys: [],
  });

const listOf = (fields: Record<string, fc.Arbitrary<unknown>>, maxLength = 4): fc.Arbitrary<unknown> =>
  fc.array(orOdd(of(fields)), { maxLength });

const person = of({
  customerId: id,
  firstName: text,
  lastName: text,
  instore: of({
    mobile: phone,
    email,
    externalId: id,
    cardnumber: id,
    cardNumbers: fc.array(orOdd(id), { maxLength: 30 }),
  }),
  line: of({
    accounts: listOf({
      identifiers: listOf({
        identifierType: fc.constantFrom('mobile', 'email', 'externalId', 'cuid'),
        identifierValue: fc.oneof(phone, email, id),
      }),
    }),
  }),
  ['\ud800 '.repeat(400)]: of({
    accounts: fc.constant([{ identifiers: [{ identifierType: 'email', identifierValue: 'none' }] }]),
  }),
});

const place = of({ store: of({ code: id, name: text, externalId: id }), till: of({ code: id, name: text }) });
const entity = of({ entityType: fc.constantFrom('USER', 'user', 'USERGROUP2'), entityId: id });

/** Sixty lines with long names in three scripts: more than an event may hold. */
const longBill = fc.constantFrom('Fröhliche Ware ', 'สินค้าขายดีประจำเดือน ', '🧺🥭 ').map((name) =>
  Array.from({ length: 60 }, (_, index) => ({
    itemCode: `SKU-${index}`,
    name: name.repeat(20),
    qty: index - 3,
    amount: 10.5,
    discount: '0.5',
  })),
);

/** Nested deeper than any schema, as a brand's custom field may be. */
const nested = fc
  .integer({ min: 1, max: 45 })
  .map((depth) =>
    Array.from({ length: depth }).reduce<unknown>(
      (inner, _, index) => (index % 2 ? [inner] : { inner }),
      'x',
    ),
  );

const fields = (key: fc.Arbitrary<unknown>) =>
  listOf({ key, value: fc.oneof(text, number, time, email, nested) }, 8);

const data = fc
  .tuple(
    of({
      customerIdentifiers: person,
      survivorCustomerIdentifiers: person,
      victimCustomerIdentifiers: person,
      entityInformation: entity,
      triggeringActivity: of({
        entityInformation: entity,
        enteredBy: place,
        identifiers: listOf({ key: fc.constantFrom('transactionId', 'redemptionId'), value: id }),
      }),
      enteredBy: place,
      enteredAt: time,
      enteredAtInMillis: time,
      billDate: time,
      firstName: text,
      lastName: text,
      customerStatus: of({ currentLabel: text }),
      updatedFields: listOf({
        fieldName: fc.constantFrom('gender', 'dob', 'email'),
        previousValue: text,
        currentValue: fc.oneof(text, time, fc.constantFrom('Male', 'NOT SPECIFIED')),
      }),
      requestType: fc.constant('CUSTOMER'),
      requestBaseType: fc.constant('DELETE'),
      status: fc.constant('SUCCESS'),
      customFields: fields(fc.constantFrom('size', 'since', 'mail', 'vip', 'count', 'kin', '__proto__')),
      extendedFields: fields(fc.constantFrom('colour', 'constructor')),
    }),
    of({
      billNumber: id,
      transactionId: id,
      billType: text,
      amount: number,
      discount: number,
      grossAmount: number,
      lineItemCount: number,
      currencyCode: text,
      lineItems: fc.oneof(
        longBill,
        listOf({ itemCode: id, name: text, qty: number, amount: number, discount: number }, 60),
      ),
      promotionId: id,
      promotionName: text,
      promotionEndDate: time,
    }),
    of({
      loyaltyProgramId: id,
      loyaltyProgramDetails: of({
        id,
        name: text,
        isDefault: fc.boolean(),
        tiers: listOf({ tierNumber: number, tierName: text }),
      }),
      programCurrentPoints: number,
      programLifetimePoints: number,
      totalPointsIssued: number,
      regularPointsIssued: number,
      regularPointsBreakup: listOf({ points: number, expiryAt: time, expiryAtInMillis: time }, 40),
      promotionalPointsIssued: listOf({
        promotionPoints: number,
        promotionIdentifier: id,
        promotionPointsExpiryDate: time,
      }),
      redemptionFromEarningPrograms: listOf({
        programId: id,
        pointsRedeemed: number,
        programCurrentPoints: number,
      }),
      pointsScheduledForExpiry: number,
      scheduledExpiryDate: time,
      updatedPointsExpiryBreakup: listOf({
        points: number,
        pointsPreviousExpiryDate: time,
        newExpiryDate: time,
        expiryUpdateReasonType: text,
      }),
      upgradedTierNumber: number,
      downgradedTierNumber: number,
      previousTierNumber: number,
      currentTierNumber: number,
      tierExpiryDate: time,
    }),
  )
  .map((parts) => ({ ...parts[0], ...parts[1], ...parts[2] }));

const flat = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...FAMILIES.keys()) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(...CATALOGUE.keys(), 'x'.repeat(200), '🎉'.repeat(100), '\udfff!'),
      },
    ),
    fc.record({ eventId: orOdd(id), refId: orOdd(id), createdAt: orOdd(time) }, { requiredKeys: [] }),
    data,
  )
  .map(([eventName, head, content]) => ({ eventName, orgId: 204731, ...head, data: content }));

/** The ways in which an event was seen wrapped (reference: capillary.md §2.1–2.2). */
const wrappings: readonly ((event: object) => unknown)[] = [
  (event) => event,
  (event) => ({ attributes: event, eventType: '204731_customerAdded', eventId: 'outer' }),
  (event) => ({ event }),
  (event) => ({ body: JSON.stringify({ data: event }) }),
  (event) => ({ ' body ': { event: JSON.stringify(event) }, createdAt: 'soon' }),
  (event) => [{ data: event, orgId: null }],
];

/** JSON text in which numbers beyond all numbers stand as such. */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    inner === Number.POSITIVE_INFINITY ? INFINITE : inner,
  ).replaceAll(/\\*"@@1e999@@\\*"/g, '1e999');

/** The body of a request with a hostile event of the right shape, in one of the envelopes. */
export const hostileBody: fc.Arbitrary<string> = fc
  .tuple(flat, fc.constantFrom(...wrappings))
  .map(([event, wrap]) => jsonText(wrap(event)));
