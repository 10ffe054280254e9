import type { JsonValue } from '../capillary/json.ts';
import { placeholderFault } from '../capillary/placeholder-values.ts';
import type { FieldTarget } from '../config/source-config.ts';
import { isEmail } from '../xdm/formats.ts';
import { leafFault, type Shape } from '../xdm/shape.ts';
import { detailReader } from './families/demographics.ts';
import type { FamilyInput } from './families/family.ts';
import { API_BILL, knownBill } from './families/known-bill.ts';
import { isIgnoredContact } from './ignored-contacts.ts';
import { faultRecorder } from './mapping-notes.ts';
import { attributeShape } from './profile-attributes.ts';
import { createReader, type Reader } from './reader.ts';

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
  for (const { field, path, type } of configuredFields(input)) {
    const isOnEvent =
      !CUSTOMER_EVENTS.has(input.event.eventName) && attributeShape(eventShape, path) !== undefined;
    const shape = attributeShape(isOnEvent ? eventShape : profileShape, path);
    if (shape === undefined || path.includes('[')) {
      input.notes.add(path, needsMissingTenant(path, input) ? 'no-tenant' : 'unknown-field');
      continue;
    }
    const readDetail = detailReader(path);
    const ownType = type ?? 'string';
    const value =
      readDetail === undefined
        ? readAs(field, shape === 'any' ? ownType : shape, isEndDate(path), input)
        : readDetail(field, input);
    const fault = value === undefined || shape !== 'any' ? undefined : leafFault(value, ownType);
    if (fault !== undefined) {
      faultRecorder(input.notes)(path, fault);
    } else if (value !== undefined) {
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

interface ConfiguredField {
  readonly field: Reader;
  readonly path: string;
  readonly type: FieldTarget['type'];
}

function configuredFields(input: FamilyInput): readonly ConfiguredField[] {
  return (['customFields', 'extendedFields'] as const).flatMap((list) => {
    const targets = input.context.source.fields[list];
    if (Object.keys(targets).length === 0) {
      return [];
    }
    return fieldsOf(list, input).flatMap((field) => {
      const key = field.scalar('key');
      const target = key !== undefined && Object.hasOwn(targets, key) ? targets[key] : undefined;
      return target === undefined ? [] : [{ field, path: target.to, type: target.type }];
    });
  });
}

/** The fields of the event and, of a bill, those that only Capillary's API has. */
function fieldsOf(list: 'customFields' | 'extendedFields', input: FamilyInput): readonly Reader[] {
  const own = input.data.list(list);
  const known = Object.entries(knownBill(input)?.[list] ?? {});
  if (known.length === 0) {
    return own;
  }
  const { context, notes } = input;
  const stated = own.filter((field) => field.scalar('value') !== undefined);
  const statedKeys = new Set(stated.map((field) => field.scalar('key')));
  const added = known
    .filter(([key]) => !statedKeys.has(key))
    .map(([key, value]) =>
      createReader({ key, value }, `${API_BILL}.${list}[${key}]`, context.source.timezone, notes),
    );
  return [...own, ...added];
}

const END_WORDS = new Set(['end', 'ends', 'expiry', 'expires', 'expiration', 'until', 'till']);

/** True for a path such as `loyalty.tierExpiryDate`, whose last name says that something ends. */
function isEndDate(path: string): boolean {
  const name = path.slice(path.lastIndexOf('.') + 1);
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z]+/);
  return words.some((word) => END_WORDS.has(word));
}

/**
 * Field values are always strings, so the XDM type decides how they are read.
 *
 * @param isEnd a date without a time is the end of that day, else its start
 */
function readAs(field: Reader, shape: Shape, isEnd: boolean, input: FamilyInput): JsonValue | undefined {
  const text = field.scalar('value');
  if (text === undefined) {
    return undefined;
  }
  if (shape === 'number' || shape === 'integer') {
    return field[shape]('value');
  }
  if (shape === 'boolean') {
    return BOOLEANS.get(text.toLowerCase()) ?? text;
  }
  if (shape === 'date-time') {
    return isEnd ? field.time('value') : field.startTime('value');
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

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['false', false],
  ['no', false],
]);

function needsMissingTenant(path: string, { context }: FamilyInput): boolean {
  return path.startsWith('_') && context.destination.tenant === undefined;
}
