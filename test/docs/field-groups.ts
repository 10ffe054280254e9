import type { JsonObject, JsonValue } from '../../src/capillary/json.ts';
import { isListShape, isMapShape, isObjectShape, type Leaf, type Shape } from '../../src/xdm/shape.ts';
import { TENANT_EVENT_FIELDS, TENANT_PROFILE_FIELDS } from '../../src/xdm/tenant-fields.ts';

/** Placeholder in the request bodies for the tenant id with its underscore. */
export const TENANT_PLACEHOLDER = '_TENANT';

const FORMATS: readonly Leaf[] = ['date-time', 'date', 'email', 'uri-reference'];

function leafSchema(leaf: Leaf): JsonObject {
  if (typeof leaf === 'object')
    return 'oneOf' in leaf
      ? { type: 'string', enum: [...leaf.oneOf] }
      : { type: 'string', pattern: leaf.matching.source };
  return FORMATS.includes(leaf) ? { type: 'string', format: leaf } : { type: leaf };
}

/** `loyaltyEventId` → `Loyalty event id`. */
function titleOf(name: string): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * Nothing is required: a schema with data can be extended but not restricted
 * (docs/platforms/adobe.md#tenant-fields).
 */
function schemaOf(shape: Shape): JsonObject {
  if (isListShape(shape)) return { type: 'array', items: schemaOf(shape.items) };
  if (isMapShape(shape)) throw new Error('tenant fields have no maps');
  if (!isObjectShape(shape)) return leafSchema(shape);
  const properties = Object.entries(shape.fields).map(
    ([name, inner]) => [name, { title: titleOf(name), ...schemaOf(inner) }] as const,
  );
  return { type: 'object', properties: Object.fromEntries(properties) };
}

/**
 * The request body that creates a field group of the relay's tenant fields, for schemas of a class
 * (docs/platforms/adobe.md#provisioning-steps).
 */
function fieldGroup(title: string, description: string, schemaClass: string, fields: Shape): JsonValue {
  return {
    type: 'object',
    title,
    description,
    'meta:intendedToExtend': [schemaClass],
    definitions: {
      customFields: {
        type: 'object',
        properties: {
          [TENANT_PLACEHOLDER]: {
            type: 'object',
            properties: { capillary: { title: 'Capillary', ...schemaOf(fields) } },
          },
        },
      },
    },
    allOf: [{ $ref: '#/definitions/customFields', type: 'object', 'meta:xdmType': 'object' }],
  };
}

/** The field groups by the file of their request body. */
export const FIELD_GROUPS: Readonly<Record<string, JsonValue>> = {
  'deploy/aep/field-group-events.json': fieldGroup(
    'Capillary loyalty event',
    'What capillary-aep-relay writes below the tenant of an ExperienceEvent',
    'https://ns.adobe.com/xdm/context/experienceevent',
    TENANT_EVENT_FIELDS,
  ),
  'deploy/aep/field-group-profile.json': fieldGroup(
    'Capillary loyalty profile',
    'What capillary-aep-relay writes below the tenant of a profile',
    'https://ns.adobe.com/xdm/context/profile',
    TENANT_PROFILE_FIELDS,
  ),
};
