import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { schemaFeaturesIn, schemaFeaturesOf } from '../../../src/cli/provision/schema-features.ts';
import { STANDARD_GROUPS } from '../../../src/xdm/standard-groups.ts';
import { CLASSIC, closedSchema, withoutFields } from './schema-rig.ts';

const ALL = new Set(STANDARD_GROUPS.map(({ id }) => id));

function without(feature: string): ReadonlySet<string> {
  return new Set(STANDARD_GROUPS.filter((group) => group.feature !== feature).map(({ id }) => id));
}

describe('schemaFeatures of a sandbox', () => {
  const loyaltyDetails = { body: closedSchema('profile').body };

  it('has every feature of a current sandbox', () => {
    expect(schemaFeaturesOf({ ids: ALL, loyaltyDetails })).toEqual({
      loyalty2026: true,
      loyaltyEvents: true,
      placeContext: true,
      sourceAudit: true,
      consents: true,
    });
  });

  it.each(['loyaltyEvents', 'placeContext', 'sourceAudit', 'consents'] as const)(
    'has no %s without its field group',
    (feature) => {
      expect(schemaFeaturesOf({ ids: without(feature), loyaltyDetails })).toMatchObject({
        [feature]: false,
        loyalty2026: true,
      });
    },
  );

  it.each([
    ['lacks all fields of 2026', CLASSIC],
    ['has those of January 2026 only', ['loyalty.challenges', 'loyalty.rewards', 'loyalty.tierUpgradeDate']],
    ['lacks one field of a list', ['loyalty.challenges[].tasks[].progress']],
  ])('has no loyalty2026 if Loyalty Details %s', (_what, paths) => {
    const older = withoutFields(closedSchema('profile'), paths);
    expect(schemaFeaturesOf({ ids: ALL, loyaltyDetails: older }).loyalty2026).toBe(false);
  });

  it('has no loyalty2026 if Loyalty Details could not be read', () => {
    expect(schemaFeaturesOf({ ids: ALL }).loyalty2026).toBe(false);
  });

  it('finds the fields of a group that the registry leaves in allOf', () => {
    const { body } = closedSchema('profile');
    const composed: JsonObject = {
      type: 'object',
      definitions: { loyalty: { properties: body['properties'] ?? {} } },
      allOf: [{ $ref: '#/definitions/loyalty' }],
    };
    expect(schemaFeaturesOf({ ids: ALL, loyaltyDetails: { body: composed } }).loyalty2026).toBe(true);
  });
});

describe('schemaFeatures of existing schemas', () => {
  it('are those of their fields', () => {
    const schemas = {
      event: withoutFields(closedSchema('event'), ['loyalty']),
      profile: withoutFields(closedSchema('profile'), ['consents', 'loyalty.rewards']),
    };
    expect(schemaFeaturesIn(schemas)).toEqual({
      loyalty2026: false,
      loyaltyEvents: false,
      placeContext: true,
      sourceAudit: true,
      consents: false,
    });
  });

  it('are none of a schema that does not exist', () => {
    expect(schemaFeaturesIn({ event: closedSchema('event') })).toMatchObject({
      loyaltyEvents: true,
      consents: false,
      loyalty2026: false,
    });
  });
});
