import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import type { ResolvedSchema } from '../../../src/cli/provision/resolved-schema.ts';
import {
  configuredFields,
  schemaNeeds,
  unclearOverrides,
  type WritingDestination,
  type WritingSource,
} from '../../../src/cli/provision/schema-needs.ts';
import { TENANT_EVENT_FIELDS, TENANT_PROFILE_FIELDS } from '../../../src/xdm/tenant-fields.ts';
import type { RecordClass } from '../../../src/xdm/standard-groups.ts';
import { closedSchema, EVERY_FEATURE, nodeOf, withChange, withoutFields } from './schema-rig.ts';

const MAIN: WritingDestination = { name: 'main', tenant: '_acme', schemaFeatures: EVERY_FEATURE };

/** A schema with every group, and with the tenant's. */
function full(record: RecordClass, own: JsonObject = {}): ResolvedSchema {
  const fields = nodeOf(record === 'event' ? TENANT_EVENT_FIELDS : TENANT_PROFILE_FIELDS);
  const { body } = closedSchema(record);
  const tenant = { type: 'object', properties: { capillary: fields, ...own } };
  return { body: { ...body, properties: { ...(body['properties'] as JsonObject), _acme: tenant } } };
}

function source(part: Partial<WritingSource>): WritingSource {
  return {
    name: 'shop',
    destination: 'main',
    fields: { customFields: {}, extendedFields: {} },
    overrides: {},
    ...part,
  };
}

describe('what a schema lacks', () => {
  it.each(['event', 'profile'] as const)('is nothing of an %s schema with every field group', (record) => {
    expect(schemaNeeds(record, full(record), MAIN, [])).toEqual([]);
  });

  it.each([
    ['event', 'commerce', 'Commerce Details', 'adobe'],
    ['event', 'loyalty', 'Loyalty Event Details', 'adobe'],
    ['event', 'placeContext', 'Environment Details', 'adobe'],
    ['event', '_acme', 'Capillary loyalty event', 'relay'],
    ['event', '_acme.capillary.target.periodName', 'Capillary loyalty event', 'relay'],
    ['event', 'eventMergeId', 'XDM ExperienceEvent', 'class'],
    ['event', 'identityMap', 'IdentityMap', 'adobe'],
    ['profile', 'consents', 'Consent and Preference Details', 'adobe'],
    ['profile', 'consents.marketing.whatsApp', 'Consent and Preference Details', 'adobe'],
    ['profile', 'loyalty.rewards.coupons[].storeName', 'Loyalty Details', 'adobe'],
    ['profile', 'mobilePhone', 'Personal Contact Details', 'adobe'],
    ['profile', 'person', 'Demographic Details', 'adobe'],
    ['profile', 'extSourceSystemAudit', 'External Source System Audit Details', 'adobe'],
  ] as const)('%s: %s is of %s', (record, path, title, owner) => {
    const needs = schemaNeeds(record, withoutFields(full(record), [path]), MAIN, []);
    expect(needs).toEqual([{ kind: 'missing', path, group: expect.objectContaining({ title, owner }) }]);
  });

  it.each([
    ['event', 'loyalty', 'loyaltyEvents'],
    ['event', 'placeContext', 'placeContext'],
    ['profile', 'consents', 'consents'],
    ['profile', 'extSourceSystemAudit', 'sourceAudit'],
    ['profile', 'loyalty.challenges', 'loyalty2026'],
  ] as const)('%s: %s is not needed without the feature', (record, path, feature) => {
    const schemaFeatures = { ...EVERY_FEATURE, [feature]: false };
    const schema = withoutFields(full(record), [path]);
    expect(schemaNeeds(record, schema, { ...MAIN, schemaFeatures }, [])).toEqual([]);
  });

  it('has no tenant fields without a tenant', () => {
    expect(schemaNeeds('event', closedSchema('event'), { ...MAIN, tenant: undefined }, [])).toEqual([]);
  });

  it('has no fields that only a source can write', () => {
    const schema = withoutFields(full('profile'), ['preferredLanguage', 'timeZone']);
    expect(schemaNeeds('profile', schema, MAIN, [])).toEqual([]);
  });
});

describe('another type', () => {
  it.each([
    ['event', 'commerce.order.priceTotal', { type: 'integer' }, 'number', 'integer'],
    ['event', '_acme.capillary.event.id', { type: 'integer' }, 'string', 'integer'],
    [
      'event',
      '_acme.capillary.transaction.date',
      { type: 'string', format: 'date' },
      'string (date-time)',
      'string (date)',
    ],
    ['event', '_acme.capillary.customerId', { type: 'string', enum: ['1', '2'] }, 'string', 'one of 1, 2'],
    ['event', '_acme.capillary.expiries', { type: 'object' }, 'array', 'object'],
    ['event', '_acme.capillary.store', { type: 'array' }, 'object', 'array'],
    ['profile', 'loyalty.loyaltyID', { type: 'string' }, 'array', 'string'],
    ['profile', 'consents.marketing.email.subscriptions', { type: 'array' }, 'object', 'array'],
    [
      'profile',
      'person.gender',
      { type: 'string', enum: ['male'] },
      'one of male, female, not_specified, non_specific',
      'one of male',
    ],
  ] as const)('%s: %s', (record, path, node, expected, found) => {
    const schema = withChange(full(record), [path], (holder, name) => {
      holder[name] = node as unknown as JsonObject;
    });
    expect(schemaNeeds(record, schema, MAIN, [])).toMatchObject([{ kind: 'type', path, expected, found }]);
  });

  it.each([
    ['event', '_acme.capillary.tier.number', { type: 'number' }],
    ['event', '_acme.capillary.transaction.date', { type: 'string' }],
    ['event', 'commerce.order.purchaseID', { type: 'string', 'meta:enum': { a: 'A' } }],
    ['event', '_acme.capillary.points.issued', { type: 'number', format: 'double' }],
  ] as const)('%s: %s may be wider', (record, path, node) => {
    const schema = withChange(full(record), [path], (holder, name) => {
      holder[name] = node as unknown as JsonObject;
    });
    expect(schemaNeeds(record, schema, MAIN, [])).toEqual([]);
  });
});

it('finds fields that the schema requires and a record may lack', () => {
  const { body } = full('event', { visits: { type: 'integer' } });
  const demanding = withChange(
    { body: { ...body, required: ['_id', 'timestamp', '_acme'] } },
    ['_acme'],
    (holder) => {
      Object.assign(holder['_acme'] as JsonObject, { required: ['visits'] });
    },
  );
  expect(schemaNeeds('event', demanding, MAIN, []).map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    'required _acme.visits',
    'required _acme',
  ]);
});

describe('fields of the sources', () => {
  const preferred = source({
    fields: { customFields: {}, extendedFields: { language: { to: 'preferredLanguage' } } },
  });

  it('need their group on the profile', () => {
    const fields = configuredFields(MAIN, [preferred]);
    const lacking = withoutFields(full('profile'), ['preferredLanguage']);
    expect(schemaNeeds('event', full('event'), MAIN, fields)).toEqual([]);
    expect(schemaNeeds('profile', lacking, MAIN, fields)).toMatchObject([
      {
        path: 'preferredLanguage',
        key: 'sources.shop.fields.extendedFields.language',
        group: { title: 'Preference Details' },
      },
    ]);
  });

  it('of other destinations are not needed', () => {
    expect(configuredFields({ ...MAIN, name: 'other' }, [preferred])).toEqual([]);
  });

  it('need a field of the brand with its type, in the schema that gets it', () => {
    const fields = configuredFields(MAIN, [
      source({
        fields: { customFields: { visits: { to: '_acme.visits', type: 'integer' } }, extendedFields: {} },
      }),
    ]);
    const lacking = full('event');
    const profile = full('profile', { visits: { type: 'integer' } });
    expect(schemaNeeds('event', lacking, MAIN, fields)).toMatchObject([
      { kind: 'missing', path: '_acme.visits', group: { owner: 'brand' } },
    ]);
    expect(schemaNeeds('event', lacking, MAIN, fields, profile)).toMatchObject([
      { path: '_acme.visits', isPossible: true },
    ]);
    expect(schemaNeeds('profile', profile, MAIN, fields, lacking)).toEqual([]);
    const asText = full('profile', { visits: { type: 'string' } });
    expect(schemaNeeds('profile', asText, MAIN, fields)).toMatchObject([
      { kind: 'type', path: '_acme.visits', expected: 'integer', found: 'string' },
    ]);
  });

  it('are named even if the tenant is absent from the schema', () => {
    const fields = configuredFields(MAIN, [
      source({ fields: { customFields: { visits: { to: '_acme.visits' } }, extendedFields: {} } }),
    ]);
    const needs = schemaNeeds('event', closedSchema('event'), MAIN, fields);
    expect(needs.map(({ path, group }) => [path, group.owner])).toEqual([
      ['_acme', 'relay'],
      ['_acme.visits', 'brand'],
    ]);
  });

  it('of overrides need what their text shows', () => {
    const overrides = {
      pointsIssued: {
        event:
          '{ "_acme": { "shops": [{ "id": event.a }] }, "unknown": 1, "commerce": { "promotionID": "x" } }',
        profile: 'event.data',
      },
    };
    const fields = configuredFields(MAIN, [source({ overrides })]);
    expect(schemaNeeds('event', full('event'), MAIN, fields)).toMatchObject([
      {
        path: '_acme.shops[].id',
        key: 'sources.shop.overrides.pointsIssued.event',
        group: { owner: 'brand' },
      },
    ]);
    const shops = { type: 'array', items: { type: 'object', properties: { id: { type: 'string' } } } };
    expect(schemaNeeds('event', full('event', { shops }), MAIN, fields)).toEqual([]);
    expect(unclearOverrides(MAIN, [source({ overrides })])).toEqual([
      'sources.shop.overrides.pointsIssued.profile',
    ]);
  });
});
