import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { toTimestamp } from '../capillary/times.ts';
import { conform } from '../xdm/conform.ts';
import { eventShape } from '../xdm/event-shape.ts';
import type { ObjectShape } from '../xdm/shape.ts';
import { commonTenantFields, identifyingTenantFields, placeContext } from './families/common-fields.ts';
import type { Draft, FamilyInput, FamilyResult } from './families/family.ts';
import { faultRecorder } from './mapping-notes.ts';
import { expandAttributes } from './profile-attributes.ts';

/**
 * Fields that an override cannot set: they make a resend harmless and tie the record to the right
 * person and time.
 */
const PROTECTED = ['_id', 'timestamp', 'identityMap'];

/**
 * The valid ExperienceEvent of the built-in mapping and the configured fields, without its
 * identityMap.
 */
export function buildExperienceEvent(
  input: FamilyInput,
  result: FamilyResult,
  custom: ReadonlyMap<string, JsonValue>,
  id: string,
  shape: ObjectShape,
): JsonObject {
  const { tenant, schemaFeatures } = input.context.destination;
  const draft = {
    ...requiredFields(input, result.eventType, id),
    ...result.fields,
    ...(schemaFeatures.placeContext ? { placeContext: placeContext(input.data) } : {}),
    ...(tenant === undefined
      ? {}
      : { [tenant]: { capillary: { ...commonTenantFields(input), ...result.tenant } } }),
  };
  const built = conformed(draft, shape, input);
  return custom.size === 0
    ? built
    : conformed(mergeRecords(built, expandAttributes(custom, input.notes)), shape, input);
}

/**
 * Merges the record of an override into an ExperienceEvent, whose eventType stays unless a valid
 * one is set.
 */
export function applyEventOverride(
  entity: JsonObject,
  patch: JsonObject,
  shape: ObjectShape,
  input: FamilyInput,
): JsonObject {
  for (const name of PROTECTED) {
    const isChanged =
      patch[name] !== undefined && JSON.stringify(patch[name]) !== JSON.stringify(entity[name]);
    if (isChanged) {
      input.notes.add(name, 'protected-field');
    }
  }
  const allowed = Object.entries(patch).filter(([name]) => !PROTECTED.includes(name));
  const { identityMap = {}, ...fields } = entity;
  const merged = conformed(mergeRecords(fields, Object.fromEntries(allowed)), shape, input);
  if (merged['eventType'] !== undefined) {
    return { ...merged, identityMap };
  }
  input.notes.add('eventType', 'protected-field');
  const { eventType = '' } = entity;
  return { ...merged, eventType, identityMap };
}

/** The ExperienceEvent of a deletion, with the customerId and no other personal data. */
export function buildDeletionEvent(input: FamilyInput, id: string): JsonObject {
  const { tenant, schemaFeatures } = input.context.destination;
  const draft = {
    ...requiredFields(input, 'loyalty.customerDeleted', id),
    ...(tenant === undefined ? {} : { [tenant]: { capillary: identifyingTenantFields(input) } }),
  };
  return conformed(draft, eventShape(schemaFeatures, tenant), input);
}

function conformed(draft: JsonObject | Draft, shape: ObjectShape, { notes }: FamilyInput): JsonObject {
  const fields = conform(draft, shape, '', faultRecorder(notes));
  return isJsonObject(fields) ? fields : {};
}

function requiredFields({ at }: FamilyInput, eventType: string, id: string): Draft {
  return {
    _id: id,
    timestamp: toTimestamp(at),
    eventType,
  };
}

/**
 * Merges a patch into a record: objects field by field; every other value replaces; null removes
 * the field.
 */
function mergeRecords(base: JsonObject, patch: JsonObject): JsonObject {
  const fields = new Map(Object.entries(base));
  for (const [name, value] of Object.entries(patch)) {
    const before = fields.get(name);
    if (value === null) {
      fields.delete(name);
    } else {
      fields.set(name, isJsonObject(value) && isJsonObject(before) ? mergeRecords(before, value) : value);
    }
  }
  return Object.fromEntries(fields);
}
