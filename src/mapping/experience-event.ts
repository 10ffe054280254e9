import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { toTimestamp } from '../capillary/times.ts';
import { conform } from '../xdm/conform.ts';
import { eventShape } from '../xdm/event-shape.ts';
import { textOf, type WrittenText } from '../xdm/json-buffer.ts';
import { writeRecord } from '../xdm/record-writer.ts';
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
 * The JSON text of the valid ExperienceEvent of the built-in mapping and the configured fields,
 * with this identityMap.
 */
export function buildExperienceEvent(
  input: FamilyInput,
  result: FamilyResult,
  custom: ReadonlyMap<string, JsonValue>,
  { id, identityMap, shape }: { id: string; identityMap: JsonObject; shape: ObjectShape },
): WrittenText {
  const { destination, incomplete } = input.context;
  const { tenant, schemaFeatures } = destination;
  const draft = {
    ...requiredFields(input, result.eventType, id),
    ...result.fields,
    ...(schemaFeatures.placeContext ? { placeContext: placeContext(input) } : {}),
    ...(tenant === undefined
      ? {}
      : {
          [tenant]: {
            capillary: {
              ...commonTenantFields(input),
              ...result.tenant,
              ...(incomplete && { enrichment: 'incomplete' }),
            },
          },
        }),
  };
  if (custom.size === 0) {
    return writeEvent(draft, identityMap, shape, input);
  }
  const built = conformToShape(draft, shape, input);
  return writeEvent(mergeRecords(built, expandAttributes(custom, input.notes)), identityMap, shape, input);
}

/**
 * The JSON text of an ExperienceEvent into which the result of an override is merged. The eventType
 * is kept unless the override sets a valid one.
 */
export function applyEventOverride(
  entity: JsonObject,
  patch: JsonObject,
  shape: ObjectShape,
  input: FamilyInput,
): WrittenText {
  const isCorrection = input.context.isCorrection === true;
  for (const name of isCorrection ? [...PROTECTED, 'eventType'] : PROTECTED) {
    const isChanged =
      patch[name] !== undefined && JSON.stringify(patch[name]) !== JSON.stringify(entity[name]);
    if (isChanged) {
      input.notes.add(name, 'protected-field');
    }
  }
  const allowed = Object.entries(patch).filter(([name]) => !PROTECTED.includes(name));
  const { identityMap = {}, ...fields } = entity;
  const patched = mergeRecords(fields, Object.fromEntries(allowed));
  const merged = conformToShape(
    isCorrection ? mergeRecords(patched, noSecondPurchase(entity)) : patched,
    shape,
    input,
  );
  if (merged['eventType'] !== undefined) {
    return textOf({ ...merged, identityMap });
  }
  input.notes.add('eventType', 'protected-field');
  const { eventType = '' } = entity;
  return textOf({ ...merged, eventType, identityMap });
}

/** An expression that makes a purchase of a bill would make a second one of its correction. */
function noSecondPurchase({ eventType = null }: JsonObject): JsonObject {
  return { eventType, commerce: { purchases: null } };
}

/** The JSON text of the ExperienceEvent of a deletion: of personal data only the customerId. */
export function buildDeletionEvent(input: FamilyInput, id: string, identityMap: JsonObject): WrittenText {
  const { tenant, schemaFeatures } = input.context.destination;
  const draft = {
    ...requiredFields(input, 'loyalty.customerDeleted', id),
    ...(tenant === undefined ? {} : { [tenant]: { capillary: identifyingTenantFields(input) } }),
  };
  return writeEvent(draft, identityMap, eventShape(schemaFeatures, tenant), input);
}

function conformToShape(draft: JsonObject | Draft, shape: ObjectShape, { notes }: FamilyInput): JsonObject {
  const fields = conform(draft, shape, '', faultRecorder(notes));
  return isJsonObject(fields) ? fields : {};
}

function writeEvent(
  draft: JsonObject | Draft,
  identityMap: JsonObject,
  shape: ObjectShape,
  { notes }: FamilyInput,
): WrittenText {
  return writeRecord(
    draft,
    shape,
    faultRecorder(notes),
    () => `"identityMap":${JSON.stringify(identityMap)}`,
  );
}

function requiredFields({ occurredAt }: FamilyInput, eventType: string, id: string): Draft {
  return {
    _id: id,
    timestamp: toTimestamp(occurredAt),
    eventType,
  };
}

/**
 * Merges a patch into a record: objects are merged field by field, null removes a field, any other
 * value replaces it.
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
