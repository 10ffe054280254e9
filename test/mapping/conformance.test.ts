import { readdirSync, readFileSync } from 'node:fs';
import type { ValidateFunction } from 'ajv/dist/ajv.js';
import { describe, expect, it } from 'vitest';
import type { CapillaryEvent } from '../../src/capillary/event.ts';
import { parseEvent } from '../../src/capillary/event-parser.ts';
import { isJsonObject, type JsonObject } from '../../src/capillary/json.ts';
import { applyToCustomer } from '../../src/mapping/customer/apply-to-customer.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import type { MappingContext, MappingResult } from '../../src/mapping/mapping-result.ts';
import type { SchemaFeatures } from '../../src/xdm/shape.ts';
import { referencePath } from '../helpers/reference.ts';
import { CLASSIC_LOYALTY, closedXdmValidators } from '../helpers/xdm-schema.ts';
import {
  contextOf,
  enrichedFixture,
  enrichedNames,
  fixtureEvent,
  fixtureNames,
  plainRecords,
} from './mapping-rig.ts';

const CHECKS = 'every mapping against Adobe’s schemas';
const root = referencePath('xdm/', CHECKS);
const samples = root === undefined ? undefined : referencePath('events/', CHECKS);

const BOOLS = [false, true];
const FEATURE_NAMES = ['loyalty2026', 'loyaltyEvents', 'placeContext', 'sourceAudit', 'consents'] as const;
const FEATURES = FEATURE_NAMES.reduce<readonly Partial<SchemaFeatures>[]>(
  (combinations, name) => combinations.flatMap((some) => BOOLS.map((value) => ({ ...some, [name]: value }))),
  [{}],
) as readonly SchemaFeatures[];
const TENANTS = [undefined, '_acme'];

describe.runIf(samples)('every mapping fits Adobe’s schemas with no unknown field', () => {
  const payloads = [
    ...fixtureNames.map((name) => [name, fixtureEvent(name), {}] as const),
    ...enrichedNames.map((name) => {
      const { event, context } = enrichedFixture(name);
      const { entities, isCorrection, source } = context;
      return [name, event, { entities, isCorrection, source }] as const;
    }),
    ...(samples === undefined ? [] : eventsBelow(samples)),
  ];

  it('has the documented payloads as input', () => {
    expect(payloads.length).toBeGreaterThan(27 + 14 + 9 + 70);
  });

  describe.each(FEATURES)('%o', (schemaFeatures) => {
    it.each(TENANTS)('tenant %s', async (tenant) => {
      const validators = closedXdmValidators({ features: schemaFeatures, tenant, root: root! });
      const context = contextOf({
        source: { testEvents: 'deliver' },
        destination: { schemaFeatures, tenant },
      });
      let mappedEvents = 0;
      let profiles = 0;
      // Each payload by itself and, as that takes long, in some tests as one more of a customer.
      const hasHistory = isUniform(schemaFeatures);
      let history: string | undefined;
      for (const [name, event, known] of payloads) {
        const mapped = await mapEvent(event, { ...context, ...known });
        if (mapped.outcome === 'messages') {
          mappedEvents += 1;
          expectValid(name, mapped.event, validators.event);
          const own = profileAfter(event, mapped, undefined, context);
          const next = hasHistory ? profileAfter(event, mapped, history, context) : own;
          for (const { profile } of [own, next]) {
            if (profile !== undefined) {
              profiles += 1;
              expectValid(name, profile.entity, validators.profile);
            }
          }
          history = mapped.erase ? history : (next.state ?? history);
        }
      }
      expect(mappedEvents).toBeGreaterThan(80);
      expect(profiles).toBeGreaterThan(80);
      expect(history?.length).toBeGreaterThan(hasHistory ? 2_000 : 0);
    });
  });
});

describe('the fields of 2026', () => {
  it('are absent from profiles, and loyalty from events, if they are disabled', async () => {
    const schemaFeatures = {
      loyalty2026: false,
      loyaltyEvents: false,
      placeContext: false,
      sourceAudit: false,
      consents: false,
    };
    const context = contextOf({ destination: { schemaFeatures } });
    const results = await Promise.all(
      fixtureNames.map(async (name) => mapEvent(fixtureEvent(name), context)),
    );
    const messages = results.filter((mapped) => mapped.outcome === 'messages');
    const records = await Promise.all(
      fixtureNames.map(async (name) => {
        const event = fixtureEvent(name);
        const { profile } = plainRecords(event, await mapEvent(event, context), context);
        return isJsonObject(profile) ? profile['record'] : undefined;
      }),
    );
    const loyalty = records.flatMap((record) =>
      isJsonObject(record) ? Object.keys(record['loyalty'] ?? {}) : [],
    );

    expect(messages.filter(({ event }) => event['loyalty'] !== undefined)).toEqual([]);
    expect(loyalty.length).toBeGreaterThan(10);
    expect(loyalty.filter((field) => !CLASSIC_LOYALTY.includes(field))).toEqual([]);
  });
});

/** Apart from `loyalty2026` all features are enabled, or none. */
function isUniform({ loyaltyEvents, ...features }: SchemaFeatures): boolean {
  return [features.placeContext, features.sourceAudit, features.consents].every((on) => on === loyaltyEvents);
}

function profileAfter(
  event: CapillaryEvent,
  mapped: MappingResult,
  state: string | undefined,
  context: MappingContext,
) {
  return applyToCustomer(event, mapped, { lane: '1', ownLane: '1', state, victim: undefined }, context);
}

function expectValid(name: string, entity: JsonObject, validate: ValidateFunction): void {
  const isValid = validate(entity);
  const errors = (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  expect({ name, isValid, errors }).toEqual({ name, isValid: true, errors: [] });
}

/**
 * Payloads of the reference: the 14 of the connector, their variants, and the documented ones of
 * all other events.
 */
function eventsBelow(folder: string): readonly (readonly [string, CapillaryEvent, object])[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .flatMap((name) => {
      const parsed = parseEvent(readFileSync(`${folder}${name}`), {});
      return parsed.ok ? [[name, parsed.event, {}] as const] : [];
    });
}
