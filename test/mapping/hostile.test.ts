import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonText } from '../../src/capillary/json-text.ts';
import { isJsonObject } from '../../src/capillary/json.ts';
import { FAMILIES } from '../../src/mapping/families/families.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import type { Mapped } from '../../src/mapping/mapped.ts';
import { keep } from '../../src/mapping/keep.ts';
import { closedXdmValidators, hasXdmSchemas } from '../helpers/xdm-schema.ts';
import { hostileBody, jsonText } from './hostile-events.ts';
import { contextOf, eventOf, plain } from './mapping-rig.ts';
import { faultsOf, profileRecordFaults } from './record-faults.ts';

const ALL = { loyalty2026: true, loyaltyEvents: true, placeContext: true, sourceAudit: true, consents: true };
const NONE = {
  loyalty2026: false,
  loyaltyEvents: false,
  placeContext: false,
  sourceAudit: false,
  consents: false,
};

/** Every type of place that a configured field may go to. */
const fields = {
  customFields: {
    size: '_acme.size',
    since: 'loyalty.joinDate',
    mail: 'personalEmail.address',
    vip: 'personalEmail.primary',
    count: 'placeContext.localTimezoneOffset',
    kin: 'person.maritalStatus',
    __proto__: '_acme.proto',
  },
  extendedFields: { colour: 'commerce.order.currencyCode', constructor: '_acme.made.by' },
};
const namespaces = { customerId: 'crm', email: 'Email', phone: 'Phone', cardNumber: 'card' };

const contexts = [
  { tenant: '_acme', schemaFeatures: ALL },
  { tenant: undefined, schemaFeatures: NONE },
  { tenant: '_acme', schemaFeatures: NONE, identity: { primary: 'cardNumber', namespaces } },
].map((destination) => {
  const { schemaFeatures: features, tenant } = destination;
  return {
    context: contextOf({ source: { testEvents: 'deliver', fields }, destination }),
    validators: hasXdmSchemas ? closedXdmValidators({ features, tenant }) : undefined,
  };
});

describe('a hostile event', () => {
  it.each(contexts)(
    'is mapped to valid records within the limits, or ignored: $context.destination.tenant',
    async ({ context, validators }) => {
      const outcomes = new Set<string>();
      await fc.assert(
        fc.asyncProperty(hostileBody, async (body) => {
          const event = eventOf(body);
          const mapped = await mapEvent(event, context);
          outcomes.add(mapped.outcome === 'ignored' ? mapped.reason : mapped.outcome);
          expect(faultsOf(event, mapped, context, validators)).toEqual([]);
        }),
        { numRuns: 400 },
      );
      expect([...outcomes].toSorted()).toEqual(['messages', 'no-identity']);
    },
  );

  it('is no less valid where an override lets all of it through', async () => {
    const override = {
      event: `{ "_acme": { "own": event.data }, "eventType": event.data.billNumber, "productListItems": event.data.lineItems,
        "commerce": { "order": event.data, "purchases": { "value": event.data.amount } }, "identityMap": event.data }`,
      profile: `{ "_acme": { "own": event.data, "capillary": { "programs": event.data.lineItems } }, "loyalty": { "points": event.data.amount, "tier": event.data.firstName, "loyaltyID": event.data.lineItems },
        "person": { "name": event.data.customerIdentifiers, "birthDate": event.data.billDate },
        "personalEmail": { "address": event.data.customerIdentifiers.instore.email } }`,
    };
    const context = contextOf({
      source: { overrides: Object.fromEntries([...FAMILIES.keys()].map((name) => [name, override])) },
      destination: { schemaFeatures: ALL },
    });
    const validators = hasXdmSchemas ? closedXdmValidators({ features: ALL, tenant: '_acme' }) : undefined;
    await fc.assert(
      fc.asyncProperty(hostileBody, async (body) => {
        const event = eventOf(body);
        expect(faultsOf(event, await mapEvent(event, context), context, validators)).toEqual([]);
      }),
      { numRuns: 120 },
    );
  });

  it('and others before it make up one valid profile, whatever they say and in whatever order', async () => {
    const [{ context, validators }] = contexts as [(typeof contexts)[0]];
    await fc.assert(
      fc.asyncProperty(fc.array(hostileBody, { minLength: 2, maxLength: 8 }), async (bodies) => {
        let states: readonly [string?, string?] = [];
        const faults: string[] = [];
        for (const body of bodies) {
          const event = eventOf(body);
          const [state, other] = states;
          const before = { lane: '1', own: '1', state, victim: { lane: '2', state: other } };
          const kept = keep(event, await mapEvent(event, context), before, context);
          states = [kept.state ?? state, state];
          if (kept.profile !== undefined)
            faults.push(...profileRecordFaults(kept.profile.entity, context, validators));
        }
        expect(faults).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });

  it('passed on raw is one JSON text of itself, the same each time', async () => {
    const context = contextOf({ destination: { format: 'raw' } });
    await fc.assert(
      fc.asyncProperty(hostileBody, async (body) => {
        const event = eventOf(body);
        const [once, twice] = [await mapEvent(event, context), await mapEvent(event, context)];
        const text = JSON.stringify(once.outcome === 'messages' ? once.event : event);

        // Of a deletion only the customerId goes on.
        const isWhole = text.includes(JSON.stringify(event.data));
        expect(isWhole || (once.outcome === 'messages' && once.erase)).toBe(true);
        expect(text.isWellFormed()).toBe(true);
        expect(JSON.stringify(twice)).toBe(JSON.stringify(once));
      }),
      { numRuns: 100 },
    );
  });

  it('gives the same bytes each time, and the same _id for each order of its fields', async () => {
    const [{ context }] = contexts as [(typeof contexts)[0]];
    await fc.assert(
      fc.asyncProperty(hostileBody, async (body) => {
        const first = await mapEvent(eventOf(body), context);

        expect(bytesOf(await mapEvent(eventOf(body), context))).toBe(bytesOf(first));
        expect(idOf(await mapEvent(eventOf(turned(body)), context))).toBe(idOf(first));
      }),
      { numRuns: 200 },
    );
  });

  it('changes no prototype', () => {
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

const bytesOf = (mapped: Mapped): string => JSON.stringify(plain(mapped));
const idOf = (mapped: Mapped): string | undefined => (mapped.outcome === 'messages' ? mapped.id : undefined);

/** The body with the fields of its outermost object, or of the only one in a list, in the opposite order. */
function turned(body: string): string {
  const parsed = parseJsonText(body);
  const value = parsed.ok ? parsed.value : null;
  const [outer] = Array.isArray(value) ? value : [value];
  return jsonText(Object.fromEntries(Object.entries(isJsonObject(outer) ? outer : {}).toReversed()));
}
