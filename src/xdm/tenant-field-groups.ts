import type { JsonObject } from '../capillary/json.ts';
import { isListShape, isMapShape, isObjectShape, type Leaf, type Shape } from './shape.ts';
import { type RecordClass, XDM_CLASSES } from './standard-groups.ts';
import { TENANT_EVENT_FIELDS, TENANT_PROFILE_FIELDS } from './tenant-fields.ts';

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
function fieldGroup(
  title: string,
  description: string,
  schemaClass: string,
  { tenant, fields }: { readonly tenant: string; readonly fields: Shape },
): JsonObject {
  return {
    type: 'object',
    title,
    description,
    'meta:intendedToExtend': [schemaClass],
    definitions: {
      customFields: {
        type: 'object',
        properties: {
          [tenant]: {
            type: 'object',
            properties: { capillary: { title: 'Capillary', ...schemaOf(fields) } },
          },
        },
      },
    },
    allOf: [{ $ref: '#/definitions/customFields', type: 'object', 'meta:xdmType': 'object' }],
  };
}

/** The titles of the field groups of the relay's tenant fields. */
export const TENANT_GROUP_TITLES: Readonly<Record<RecordClass, string>> = {
  event: 'Capillary loyalty event',
  profile: 'Capillary loyalty profile',
};

/**
 * The request bodies that create the field groups of the relay's tenant fields, by the class of
 * the schemas.
 * @param tenant with its underscore
 * @param suffix of the titles
 */
export function tenantFieldGroups(tenant: string, suffix = ''): Readonly<Record<RecordClass, JsonObject>> {
  return {
    event: fieldGroup(
      `${TENANT_GROUP_TITLES.event}${suffix}`,
      'What capillary-aep-relay writes below the tenant of an ExperienceEvent',
      XDM_CLASSES.event,
      { tenant, fields: TENANT_EVENT_FIELDS },
    ),
    profile: fieldGroup(
      `${TENANT_GROUP_TITLES.profile}${suffix}`,
      'What capillary-aep-relay writes below the tenant of a profile',
      XDM_CLASSES.profile,
      { tenant, fields: TENANT_PROFILE_FIELDS },
    ),
  };
}
