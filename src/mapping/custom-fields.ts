import type { JsonValue } from '../capillary/json.ts';
import { placeholderFault } from '../capillary/placeholder-values.ts';
import { isEmail } from '../xdm/formats.ts';
import type { Shape } from '../xdm/shape.ts';
import type { FamilyInput } from './families/family.ts';
import { isIgnoredContact } from './ignored-contacts.ts';
import { attributeShape } from './profile-attributes.ts';
import type { Reader } from './reader.ts';

/** The configured custom and extended fields of an event, XDM path → value. */
export interface CustomFields {
  readonly event: ReadonlyMap<string, JsonValue>;
  readonly profile: ReadonlyMap<string, JsonValue>;
}

const CUSTOMER_EVENTS = new Set(['customerAdded', 'customerUpdated']);

/**
 * Reads the custom and extended fields for which the source configures an XDM path. Those of
 * customer events describe the customer and go to the profile. Those of other events go to the
 * event, or to the profile if only the profile has the path.
 */
export function readCustomFields(input: FamilyInput, eventShape: Shape, profileShape: Shape): CustomFields {
  const event = new Map<string, JsonValue>();
  const profile = new Map<string, JsonValue>();
  for (const { field, path } of configuredFields(input)) {
    const isOnEvent =
      !CUSTOMER_EVENTS.has(input.event.eventName) && attributeShape(eventShape, path) !== undefined;
    const shape = attributeShape(isOnEvent ? eventShape : profileShape, path);
    if (shape === undefined || path.includes('[')) {
      input.notes.add(path, needsMissingTenant(path, input) ? 'no-tenant' : 'unknown-field');
      continue;
    }
    const value = readAs(field, shape, input);
    if (value !== undefined) {
      (isOnEvent ? event : profile).set(path, value);
    }
  }
  return { event, profile };
}

/** True if the source configures an XDM path for this key of `customFields` or `extendedFields`. */
export function isConfiguredField(
  { fields }: Pick<FamilyInput['context']['source'], 'fields'>,
  list: string,
  key: string,
): boolean {
  return (list === 'customFields' || list === 'extendedFields') && Object.hasOwn(fields[list], key);
}

function configuredFields({ data, context }: FamilyInput): readonly { field: Reader; path: string }[] {
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

/** Field values are always strings, so the XDM type decides how they are read. */
function readAs(field: Reader, shape: Shape | 'any', input: FamilyInput): JsonValue | undefined {
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
  return shape === 'email' ? readEmail(field, text, input) : text;
}

/** An address that is nobody's is no contact attribute either. */
function readEmail(field: Reader, text: string, { context, notes }: FamilyInput): string | undefined {
  const isIgnored = isIgnoredContact(context.source, 'email', text);
  const code = isIgnored ? 'ignored-contact' : placeholderFault('email', text);
  if (code !== undefined) {
    notes.add(`${field.path}.value`, code);
    return undefined;
  }
  return isEmail(text) ? text.toLowerCase() : text;
}

function needsMissingTenant(path: string, { context }: FamilyInput): boolean {
  return path.startsWith('_') && context.destination.tenant === undefined;
}
