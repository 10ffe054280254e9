import * as fc from 'fast-check';
import { CATALOGUE } from '../../src/capillary/catalogue.ts';
import { FAMILIES } from '../../src/mapping/families/index.ts';
import { email, INFINITE, id, number, phone, text, time, unexpected } from './hostile-values.ts';

/** A value of this kind, of another kind, or none. */
function orUnexpected(kind: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 5, arbitrary: kind },
    { weight: 1, arbitrary: unexpected },
    { weight: 1, arbitrary: number },
  );
}

/** An object in which any field can be missing or of another kind. */
function objectOf(keyedFields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> {
  return fc.record(
    Object.fromEntries(Object.entries(keyedFields).map(([name, kind]) => [name, orUnexpected(kind)])),
    {
      requiredKeys: [],
    },
  );
}

function listOf(itemFields: Record<string, fc.Arbitrary<unknown>>, maxLength = 4): fc.Arbitrary<unknown> {
  return fc.array(orUnexpected(objectOf(itemFields)), { maxLength });
}

const person = objectOf({
  customerId: id,
  firstName: text,
  lastName: text,
  instore: objectOf({
    mobile: phone,
    email,
    externalId: id,
    cardnumber: id,
    cardNumbers: fc.array(orUnexpected(id), { maxLength: 30 }),
  }),
  line: objectOf({
    accounts: listOf({
      identifiers: listOf({
        identifierType: fc.constantFrom('mobile', 'email', 'externalId', 'cuid'),
        identifierValue: fc.oneof(phone, email, id),
      }),
    }),
  }),
  ['\ud800 '.repeat(400)]: objectOf({
    accounts: fc.constant([{ identifiers: [{ identifierType: 'email', identifierValue: 'none' }] }]),
  }),
});

const place = objectOf({
  store: objectOf({ code: id, name: text, externalId: id }),
  till: objectOf({ code: id, name: text }),
});
const entity = objectOf({ entityType: fc.constantFrom('USER', 'user', 'USERGROUP2'), entityId: id });

/** Sixty lines with long names in three scripts: more than an event can contain. */
const longBill = fc.constantFrom('Fröhliche Ware ', 'สินค้าขายดีประจำเดือน ', '🧺🥭 ').map((name) =>
  Array.from({ length: 60 }, (_, index) => ({
    itemCode: `SKU-${index}`,
    name: name.repeat(20),
    qty: index - 3,
    amount: 10.5,
    discount: '0.5',
  })),
);

/** Nested more deeply than any schema, as a brand's custom field can be. */
const nested = fc
  .integer({ min: 1, max: 45 })
  .map((depth) =>
    Array.from({ length: depth }).reduce<unknown>(
      (inner, _, index) => (index % 2 ? [inner] : { inner }),
      'x',
    ),
  );

function fields(key: fc.Arbitrary<unknown>) {
  return listOf({ key, value: fc.oneof(text, number, time, email, nested) }, 8);
}

const data = fc
  .tuple(
    objectOf({
      customerIdentifiers: person,
      survivorCustomerIdentifiers: person,
      victimCustomerIdentifiers: person,
      entityInformation: entity,
      triggeringActivity: objectOf({
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
      customerStatus: objectOf({ currentLabel: text }),
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
    objectOf({
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
    objectOf({
      loyaltyProgramId: id,
      loyaltyProgramDetails: objectOf({
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
    fc.record(
      { eventId: orUnexpected(id), refId: orUnexpected(id), createdAt: orUnexpected(time) },
      { requiredKeys: [] },
    ),
    data,
  )
  .map(([eventName, head, content]) => ({ eventName, orgId: 204731, ...head, data: content }));

/** Envelopes in which events have been seen (docs/platforms/capillary.md#envelopes). */
const envelopes: readonly ((event: object) => unknown)[] = [
  (event) => event,
  (event) => ({ attributes: event, eventType: '204731_customerAdded', eventId: 'outer' }),
  (event) => ({ event }),
  (event) => ({ body: JSON.stringify({ data: event }) }),
  (event) => ({ ' body ': { event: JSON.stringify(event) }, createdAt: 'soon' }),
  (event) => [{ data: event, orgId: null }],
];

/** JSON text with numbers beyond JavaScript's range, such as 1e999. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner === Number.POSITIVE_INFINITY ? INFINITE : inner,
  ).replaceAll(/\\*"@@1e999@@\\*"/g, '1e999');
}

/** The body of a request with a hostile event in one of the envelopes. */
export const hostileBody: fc.Arbitrary<string> = fc
  .tuple(flat, fc.constantFrom(...envelopes))
  .map(([event, wrap]) => jsonText(wrap(event)));
