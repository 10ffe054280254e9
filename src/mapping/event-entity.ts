import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { toTimestamp } from '../capillary/times.ts';
import { conform } from '../xdm/conform.ts';
import { eventShape } from '../xdm/event-fields.ts';
import type { ObjectShape } from '../xdm/shape.ts';
import { expandAttributes } from './attributes.ts';
import { commonTenantFields, identifyingTenantFields, placeContext } from './common-fields.ts';
import { extend } from './extend.ts';
import type { Draft, FamilyInput, FamilyResult } from './families/family.ts';
import { noteFault } from './notes.ts';

/**
 * Fields that an override may not set: they make a resend harmless, and the record belong to the right person
 * and time.
 */
const PROTECTED = ['_id', 'timestamp', 'identityMap'];

/** An ExperienceEvent as the built-in mapping makes it, valid, without its identityMap. */
export function eventEntity(
  input: FamilyInput,
  result: FamilyResult,
  custom: ReadonlyMap<string, JsonValue>,
  id: string,
  shape: ObjectShape,
): JsonObject {
  const { tenant, schemaFeatures } = input.context.destination;
  const draft = {
    ...head(input, result.eventType, id),
    ...result.fields,
    ...(schemaFeatures.placeContext ? { placeContext: placeContext(input.data) } : {}),
    ...(tenant === undefined
      ? {}
      : { [tenant]: { capillary: { ...commonTenantFields(input), ...result.tenant } } }),
  };
  const built = valid(draft, shape, input);
  return custom.size === 0
    ? built
    : valid(extend(built, expandAttributes(custom, input.notes)), shape, input);
}

/** An ExperienceEvent extended by what an override gave. It keeps its eventType if it gets no valid one. */
export function extendEvent(
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
  const extended = valid(extend(fields, Object.fromEntries(allowed)), shape, input);
  if (extended['eventType'] !== undefined) {
    return { ...extended, identityMap };
  }
  input.notes.add('eventType', 'protected-field');
  const { eventType = '' } = entity;
  return { ...extended, eventType, identityMap };
}

/** The one event that tells of a deletion: which customer, and nothing else of the person. */
export function deletionEntity(input: FamilyInput, id: string): JsonObject {
  const { tenant, schemaFeatures } = input.context.destination;
  const draft = {
    ...head(input, 'loyalty.customerDeleted', id),
    ...(tenant === undefined ? {} : { [tenant]: { capillary: identifyingTenantFields(input) } }),
  };
  return valid(draft, eventShape(schemaFeatures, tenant), input);
}

function valid(draft: JsonObject | Draft, shape: ObjectShape, { notes }: FamilyInput): JsonObject {
  const fields = conform(draft, shape, '', noteFault(notes));
  return isJsonObject(fields) ? fields : {};
}

function head({ at }: FamilyInput, eventType: string, id: string): Draft {
  return {
    _id: id,
    timestamp: toTimestamp(at),
    eventType,
  };
}
