import type { JsonObject, JsonValue } from '../capillary/json.ts';
import { toTimestamp } from '../capillary/times.ts';
import { conform } from '../xdm/conform.ts';
import type { ObjectShape } from '../xdm/shape.ts';
import { expandAttributes } from './attributes.ts';
import { commonTenantFields, identifyingTenantFields, placeContext } from './common-fields.ts';
import { extend } from './extend.ts';
import type { FamilyInput, FamilyResult } from './family.ts';
import { noteFault } from './notes.ts';

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
    ...(tenant === undefined ? {} : { [tenant]: { capillary: { ...commonTenantFields(input), ...result.tenant } } }),
  };
  const built = validEvent(draft, shape, input);
  return custom.size === 0 ? built : validEvent(extend(built, expandAttributes(custom, input.notes)), shape, input);
}

/** The one event that tells of a deletion: which customer, and nothing else of the person. */
export function deletionEntity(input: FamilyInput, id: string, shape: ObjectShape): JsonObject {
  const { tenant } = input.context.destination;
  const draft = {
    ...head(input, 'loyalty.customerDeleted', id),
    ...(tenant === undefined ? {} : { [tenant]: { capillary: identifyingTenantFields(input.event) } }),
  };
  return validEvent(draft, shape, input);
}

/** What is valid of an event that has been extended. */
export const validEvent = (draft: object, shape: ObjectShape, { notes }: FamilyInput): JsonObject =>
  (conform(draft, shape, '', noteFault(notes)) ?? {}) as JsonObject;

const head = ({ at }: FamilyInput, eventType: string, id: string) => ({
  _id: id,
  timestamp: toTimestamp(at),
  eventType,
});
