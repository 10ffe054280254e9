import type { JsonValue } from '../capillary/json.ts';
import { isEmail } from '../xdm/formats.ts';
import type { Shape } from '../xdm/shape.ts';
import { attributeShape } from './attributes.ts';
import type { FamilyInput } from './families/family.ts';
import type { Reader } from './reader.ts';

/** Where the custom and extended fields of an event go, XDM path → value. */
export interface CustomFields {
  readonly event: ReadonlyMap<string, JsonValue>;
  readonly profile: ReadonlyMap<string, JsonValue>;
}

const OF_THE_CUSTOMER = new Set(['customerAdded', 'customerUpdated']);

/**
 * Reads the custom and extended fields that the source's configuration gives a place in XDM. Those of a
 * customer describe the customer, so they go to the profile; those of a bill or promotion go to the event,
 * and to the profile only where the path exists there alone.
 */
export function customFields(input: FamilyInput, eventShape: Shape, profileShape: Shape): CustomFields {
  const event = new Map<string, JsonValue>();
  const profile = new Map<string, JsonValue>();
  for (const { field, path } of configured(input)) {
    const isOnEvent =
      !OF_THE_CUSTOMER.has(input.event.eventName) && attributeShape(eventShape, path) !== undefined;
    const shape = attributeShape(isOnEvent ? eventShape : profileShape, path);
    if (shape === undefined || path.includes('[')) {
      input.notes.add(path, isOfMissingTenant(path, input) ? 'no-tenant' : 'unknown-field');
      continue;
    }
    const value = readAs(field, shape);
    if (value !== undefined) {
      (isOnEvent ? event : profile).set(path, value);
    }
  }
  return { event, profile };
}

/** True where the source's configuration gives an entry of a list of the event a place in XDM. */
export function isPlaced(
  { fields }: Pick<FamilyInput['context']['source'], 'fields'>,
  list: string,
  key: string,
): boolean {
  return (list === 'customFields' || list === 'extendedFields') && Object.hasOwn(fields[list], key);
}

function configured({ data, context }: FamilyInput): readonly { field: Reader; path: string }[] {
  return (['customFields', 'extendedFields'] as const).flatMap((list) => {
    const paths = context.source.fields[list];
    if (Object.keys(paths).length === 0) {
      return [];
    }
    return data.list(list).flatMap((field) => {
      const key = field.scalar('key');
      const path = key !== undefined && Object.hasOwn(paths, key) ? paths[key] : undefined;
      return path === undefined ? [] : [{ field, path }];
    });
  });
}

/** Field values are texts whatever they mean, so the type that XDM asks for decides how one is read. */
function readAs(field: Reader, shape: Shape | 'any'): JsonValue | undefined {
  const text = field.scalar('value');
  if (text === undefined) {
    return undefined;
  }
  if (shape === 'number' || shape === 'integer') {
    return field[shape]('value');
  }
  if (shape === 'boolean' && (text === 'true' || text === 'false')) {
    return text === 'true';
  }
  if (shape === 'date-time') {
    return field.time('value');
  }
  return shape === 'email' && isEmail(text) ? text.toLowerCase() : text;
}

function isOfMissingTenant(path: string, { context }: FamilyInput): boolean {
  return path.startsWith('_') && context.destination.tenant === undefined;
}
