import { parseBirthDate } from '../../capillary/birth-date.ts';
import { isBlank } from '../../capillary/json.ts';
import { isCleared } from '../contact-changes.ts';
import { readLabel } from '../person-name.ts';
import type { Reader } from '../reader.ts';
import type { Draft, FamilyInput } from './family.ts';

/** A field that customerUpdated states as changed; null if it is blank now. */
export interface ChangedField {
  /** In small letters without punctuation. */
  readonly name: string;
  readonly field: Reader;
  /** Where the value is. */
  readonly key: 'currentValue' | 'value';
  readonly isCleared: boolean;
  /** It is blank and was not: what the event has elsewhere is older than the change. */
  readonly isRemoved: boolean;
}

/** Names of details as they are compared: `dob_date` and `DOB Date` are one field. */
function comparable(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

export function changedFields({ data }: FamilyInput): readonly ChangedField[] {
  return data.list('updatedFields').flatMap((field) => {
    const name = field.text('fieldName');
    return name === undefined ? [] : [changedField(name, field)];
  });
}

function changedField(name: string, field: Reader): ChangedField {
  const cleared = isCleared(field.raw);
  return {
    name: comparable(name),
    field,
    key: 'currentValue',
    isCleared: cleared,
    isRemoved: cleared && !isBlank(field.raw['previousValue']),
  };
}

/**
 * The text of a changed field, else what the event states elsewhere; null if the field is blank
 * now, undefined if nothing is stated.
 */
export function changedText(
  changes: readonly ChangedField[],
  name: string,
  elsewhere: string | undefined,
): string | null | undefined {
  const change = changes.findLast((candidate) => candidate.name === comparable(name));
  if (change?.isCleared === true) {
    return change.isRemoved ? null : (elsewhere ?? null);
  }
  return change?.field.scalar(change.key) ?? elsewhere;
}

/** The details that are mapped without configuration, by their name at Capillary. */
const DETAILS = [
  { names: ['gender'], path: 'person.gender', read: readGender },
  { names: ['dob', 'dobdate', 'dateofbirth', 'birthdate'], path: 'person.birthDate', read: readBirthDate },
  { names: ['city'], path: 'homeAddress.city', read: readCity },
] as const;

/**
 * Gender, date of birth and city, from changed fields and from the standard set of extended fields
 * (docs/platforms/capillary.md#customer-events). What the source configures itself is left to it.
 */
export function demographics(input: FamilyInput): Draft {
  const attributes: Record<string, unknown> = {};
  const changes = changedFields(input);
  const extended = extendedFields(input);
  for (const { names, path, read } of DETAILS) {
    const isOfDetail = ({ name }: ChangedField): boolean => names.some((one) => one === name);
    const change = changes.findLast(isOfDetail);
    const known = extended.findLast(isOfDetail);
    const isLasting = change !== undefined && (!change.isCleared || change.isRemoved);
    const stated = isLasting ? change : (known ?? change);
    if (stated !== undefined && !isConfigured(input, path)) {
      attributes[path] = stated.isCleared ? null : read(stated, input);
    }
  }
  return attributes;
}

/**
 * The value of a custom or extended field for the path of a detail; undefined for other paths. Some
 * forms of a date of birth and of a gender are those of Capillary, not of XDM.
 */
export function detailReader(
  path: string,
): ((field: Reader, input: FamilyInput) => string | undefined) | undefined {
  const detail = DETAILS.find((candidate) => candidate.path === path);
  return detail && ((field, input) => detail.read(extendedField('', field), input));
}

/** True for an extended field that is mapped without configuration. */
export function isStandardField(eventName: string, list: string, key: string): boolean {
  const isOfCustomer = eventName === 'customerAdded' || eventName === 'customerUpdated';
  return isOfCustomer && list === 'extendedFields' && isDetail(comparable(key));
}

function extendedField(name: string, field: Reader): ChangedField {
  return { name, field, key: 'value', isCleared: false, isRemoved: false };
}

function isDetail(name: string): boolean {
  return DETAILS.some(({ names }) => names.some((one) => one === name));
}

function extendedFields({ data, context }: FamilyInput): readonly ChangedField[] {
  const configured = context.source.fields.extendedFields;
  return data.list('extendedFields').flatMap((field) => {
    const key = field.scalar('key');
    const name = key === undefined ? '' : comparable(key);
    return key === undefined || !isDetail(name) || Object.hasOwn(configured, key)
      ? []
      : [extendedField(name, field)];
  });
}

/** True if the source gives this path to one of its fields. */
function isConfigured({ context }: FamilyInput, path: string): boolean {
  const { customFields, extendedFields: extended } = context.source.fields;
  return [...Object.values(customFields), ...Object.values(extended)].some(({ to }) => to === path);
}

/** XDM's value for the two letters that are certain. */
const LETTERS: ReadonlyMap<string, string> = new Map([
  ['m', 'male'],
  ['f', 'female'],
]);

/**
 * A gender must match one of XDM's values; it is never guessed
 * (docs/platforms/adobe.md#person-and-contact).
 */
function readGender({ field, key }: ChangedField): string | undefined {
  const gender = field
    .text(key)
    ?.toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
  return gender === undefined ? undefined : (LETTERS.get(gender) ?? gender);
}

function readBirthDate({ field, key }: ChangedField, { context, notes }: FamilyInput): string | undefined {
  const value = field.value(key);
  if (value === undefined) {
    return undefined;
  }
  const date = parseBirthDate(value, context.source.timezone, context.receivedAt);
  if ('fault' in date) {
    notes.add(`${field.path}.${key}`, date.fault);
    return undefined;
  }
  return date.day;
}

function readCity({ field, key }: ChangedField, { notes }: FamilyInput): string | undefined {
  return readLabel(field, key, notes);
}
