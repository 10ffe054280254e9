import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isJsonObject, parseJsonText } from '../../src/capillary/json.ts';
import { applyToCustomer } from '../../src/mapping/customer/apply-to-customer.ts';
import { FAMILIES } from '../../src/mapping/families/index.ts';
import { RELEASE_EVENT } from '../../src/capillary/deletion.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import type { MappingResult } from '../../src/mapping/mapping-result.ts';
import { referencePath } from '../helpers/reference.ts';
import { closedXdmValidators } from '../helpers/xdm-schema.ts';
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

/** Configured fields of every type. */
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

const root = referencePath('xdm/', 'hostile events against Adobe’s schemas');

const contexts = [
  { tenant: '_acme', schemaFeatures: ALL },
  { tenant: undefined, schemaFeatures: NONE },
  { tenant: '_acme', schemaFeatures: NONE, identity: { primary: 'cardNumber', namespaces } },
].map((destination) => {
  const { schemaFeatures: features, tenant } = destination;
  return {
    context: contextOf({ source: { testEvents: 'deliver', fields }, destination }),
    validators: root === undefined ? undefined : closedXdmValidators({ features, tenant, root }),
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

  it('is also mapped to valid records by an override that copies all of its data', async () => {
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
    const validators =
      root === undefined ? undefined : closedXdmValidators({ features: ALL, tenant: '_acme', root });
    await fc.assert(
      fc.asyncProperty(hostileBody, async (body) => {
        const event = eventOf(body);
        expect(faultsOf(event, await mapEvent(event, context), context, validators)).toEqual([]);
      }),
      { numRuns: 120 },
    );
  });

  it('after others gives a valid profile record, whatever they contain and in any order', async () => {
    const [{ context, validators }] = contexts as [(typeof contexts)[0]];
    await fc.assert(
      fc.asyncProperty(fc.array(hostileBody, { minLength: 2, maxLength: 8 }), async (bodies) => {
        let states: readonly [string?, string?] = [];
        const faults: string[] = [];
        for (const body of bodies) {
          const event = eventOf(body);
          const [state, other] = states;
          const before = { lane: '1', ownLane: '1', state, victim: { lane: '2', state: other } };
          const update = applyToCustomer(event, await mapEvent(event, context), before, context);
          states = [update.state ?? state, state];
          if (update.profile !== undefined)
            faults.push(...profileRecordFaults(update.profile.entity, context, validators));
        }
        expect(faults).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });

  it('in format raw is a JSON text of itself, the same each time', async () => {
    const context = contextOf({ destination: { format: 'raw' } });
    await fc.assert(
      fc.asyncProperty(hostileBody, async (body) => {
        const event = eventOf(body);
        const [once, twice] = [await mapEvent(event, context), await mapEvent(event, context)];
        const text = JSON.stringify(once.outcome === 'messages' ? once.event : event);

        // Of a deletion and of released identifiers only the customerId is sent.
        const isWhole = text.includes(JSON.stringify(event.data));
        const isReduced = event.eventName === RELEASE_EVENT || (once.outcome === 'messages' && once.erase);
        expect(isWhole || isReduced).toBe(true);
        expect(text.isWellFormed()).toBe(true);
        expect(JSON.stringify(twice)).toBe(JSON.stringify(once));
      }),
      { numRuns: 100 },
    );
  });

  it('gives the same bytes each time, and the same _id for any order of its fields', async () => {
    const [{ context }] = contexts as [(typeof contexts)[0]];
    await fc.assert(
      fc.asyncProperty(hostileBody, async (body) => {
        const first = await mapEvent(eventOf(body), context);

        expect(bytesOf(await mapEvent(eventOf(body), context))).toBe(bytesOf(first));
        expect(idOf(await mapEvent(eventOf(reversedFields(body)), context))).toBe(idOf(first));
      }),
      { numRuns: 200 },
    );
  });

  it('does not change a prototype', () => {
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

function bytesOf(mapped: MappingResult): string {
  return JSON.stringify(plain(mapped));
}
function idOf(mapped: MappingResult): string | undefined {
  return mapped.outcome === 'messages' ? mapped.id : undefined;
}

/**
 * The body with the fields of its outermost object, or of the only one in a list, in reverse order.
 */
function reversedFields(body: string): string {
  const parsed = parseJsonText(body);
  const value = parsed.ok ? parsed.value : null;
  const [outer] = Array.isArray(value) ? value : [value];
  return jsonText(Object.fromEntries(Object.entries(isJsonObject(outer) ? outer : {}).toReversed()));
}
