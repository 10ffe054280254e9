import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ValidateFunction } from 'ajv/dist/ajv.js';
import { describe, expect, it } from 'vitest';
import { parseEvent } from '../../src/capillary/envelope.ts';
import type { CapillaryEvent } from '../../src/capillary/event.ts';
import type { JsonObject } from '../../src/capillary/json.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import { keep } from '../../src/mapping/keep.ts';
import type { SchemaFeatures } from '../../src/xdm/event-fields.ts';
import { CLASSIC_LOYALTY, closedXdmValidators, hasXdmSchemas } from '../helpers/xdm-schema.ts';
import { contextOf, fixtureEvent, fixtureNames } from './mapping-rig.ts';

const referenceFolder = fileURLToPath(new URL('../../../shared/reference/events/', import.meta.url));

const BOOLS = [false, true];
const FEATURES: readonly SchemaFeatures[] = BOOLS.flatMap((loyalty2026) =>
  BOOLS.flatMap((loyaltyEvents) =>
    BOOLS.map((rest) => ({
      loyalty2026,
      loyaltyEvents,
      placeContext: rest,
      sourceAudit: rest,
      consents: rest,
    })),
  ),
);
const TENANTS = [undefined, '_acme'];

describe.runIf(hasXdmSchemas)('every mapping fits Adobe’s schemas with no unknown field', () => {
  const payloads = [
    ...fixtureNames.map((name) => [name, fixtureEvent(name)] as const),
    ...(hasXdmSchemas ? referenceEvents() : []),
  ];

  it('has the documented payloads to try', () => {
    expect(payloads.length).toBeGreaterThan(27 + 14 + 9 + 70);
  });

  describe.each(FEATURES)('%o', (schemaFeatures) => {
    it.each(TENANTS)('tenant %s', async (tenant) => {
      const validators = closedXdmValidators({ features: schemaFeatures, tenant });
      const context = contextOf({
        source: { testEvents: 'deliver' },
        destination: { schemaFeatures, tenant },
      });
      let mappedEvents = 0;
      for (const [name, event] of payloads) {
        const mapped = await mapEvent(event, context);
        if (mapped.outcome === 'messages') {
          mappedEvents += 1;
          expectValid(name, mapped.event, validators.event);
          const before = { lane: '1', own: '1', state: undefined, victim: undefined };
          const { profile } = keep(event, mapped, before, context);
          if (profile !== undefined) {
            expectValid(name, profile.entity, validators.profile);
          }
        }
      }
      expect(mappedEvents).toBeGreaterThan(80);
    });
  });
});

describe('the fields of 2026', () => {
  it('are in no profile, and loyalty in no event, where they are switched off', async () => {
    const schemaFeatures = {
      loyalty2026: false,
      loyaltyEvents: false,
      placeContext: false,
      sourceAudit: false,
      consents: false,
    };
    const context = contextOf({ destination: { schemaFeatures } });
    const told = await Promise.all(fixtureNames.map(async (name) => mapEvent(fixtureEvent(name), context)));
    const messages = told.filter((mapped) => mapped.outcome === 'messages');
    const paths = messages.flatMap(({ profile }) => [...(profile?.attributes.keys() ?? [])]);
    const loyalty = paths
      .filter((path) => path.startsWith('loyalty.'))
      .map((path) => path.replace('loyalty.', ''));

    expect(messages.filter(({ event }) => event['loyalty'] !== undefined)).toEqual([]);
    expect(loyalty.length).toBeGreaterThan(10);
    expect(loyalty.filter((field) => !CLASSIC_LOYALTY.includes(field))).toEqual([]);
  });
});

function expectValid(name: string, entity: JsonObject, validate: ValidateFunction): void {
  const isValid = validate(entity);
  const errors = (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  expect({ name, isValid, errors }).toEqual({ name, isValid: true, errors: [] });
}

/**
 * Payloads of the reference: the 14 of the connector, their variants, and the documented ones of all other
 * events.
 */
function referenceEvents(): readonly (readonly [string, CapillaryEvent])[] {
  const names = readdirSync(referenceFolder, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .flatMap((name) => {
      const parsed = parseEvent(readFileSync(`${referenceFolder}${name}`), {});
      return parsed.ok ? [[name, parsed.event] as const] : [];
    });
}
