import type { ValidateFunction } from 'ajv/dist/ajv.js';
import { serializeEnvelope } from '../../src/adobe/inlet/inlet-envelope.ts';
import type { CapillaryEvent } from '../../src/capillary/event.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/capillary/json.ts';
import { applyToCustomer } from '../../src/mapping/customer/apply-to-customer.ts';
import type { MappingContext, MappingResult } from '../../src/mapping/mapping-result.ts';
import { conform } from '../../src/xdm/conform.ts';
import { eventShape } from '../../src/xdm/event-shape.ts';
import { profileShape } from '../../src/xdm/profile-shape.ts';
import { isListShape, isObjectShape, type ObjectShape, type Shape } from '../../src/xdm/shape.ts';
import {
  jsonBytes,
  MAX_EVENT_BYTES,
  MAX_IDENTITIES,
  MAX_IDENTITY_CHARS,
  MAX_PROFILE_BYTES,
} from '../../src/xdm/xdm-record.ts';
import type { ClosedXdmValidators } from '../helpers/xdm-schema.ts';

const REASONS = ['test-event', 'no-identity', 'unmapped'];
const TARGET = {
  imsOrgId: '1A2B3C@AdobeOrg',
  flow: { schemaId: 'https://ns.adobe.com/acme/schemas/1', datasetId: 'd1', flowId: 'f1' },
  format: 'xdm',
} as const;

/** The faults of a mapping in format xdm; there must be none for any event. */
export function faultsOf(
  event: CapillaryEvent,
  mapped: MappingResult,
  context: MappingContext,
  validators?: ClosedXdmValidators,
): readonly string[] {
  const ofNotes = mapped.notes.flatMap(({ path }) =>
    path.length <= 250 && path.isWellFormed() ? [] : [`a note about ${path.length} characters`],
  );
  if (mapped.outcome !== 'messages') {
    return REASONS.includes(mapped.reason) ? ofNotes : [mapped.reason];
  }
  const { tenant, schemaFeatures } = context.destination;
  const ofEvent = [
    ...recordFaults(mapped.event, eventShape(schemaFeatures, tenant), context, validators?.event),
    ...(jsonBytes(mapped.event) > MAX_EVENT_BYTES ? [`${jsonBytes(mapped.event)} bytes of event`] : []),
    ...(mapped.event['_id'] === mapped.id && /^cap-[0-9a-f]{40}$/.test(mapped.id) ? [] : ['a wrong _id']),
    ...(['timestamp', 'eventType'].every((name) => name in mapped.event)
      ? []
      : ['no timestamp or eventType']),
  ];
  return [...ofNotes, ...ofEvent, ...profileFaults(event, mapped, context, validators)];
}

/** The faults of an assembled profile record. */
export function profileRecordFaults(
  entity: JsonObject,
  context: MappingContext,
  validators?: ClosedXdmValidators,
): readonly string[] {
  const { tenant, schemaFeatures } = context.destination;
  return [
    ...recordFaults(entity, profileShape(schemaFeatures, tenant), context, validators?.profile),
    ...(jsonBytes(entity) > MAX_PROFILE_BYTES ? [`${jsonBytes(entity)} bytes of profile`] : []),
  ];
}

function profileFaults(
  event: CapillaryEvent,
  mapped: Extract<MappingResult, { outcome: 'messages' }>,
  context: MappingContext,
  validators?: ClosedXdmValidators,
): readonly string[] {
  if (mapped.profile === undefined) {
    return [];
  }
  const before = { lane: '1', ownLane: '1', state: undefined, victim: undefined };
  const { profile, state } = applyToCustomer(event, mapped, before, context);
  const again = applyToCustomer(event, mapped, { ...before, state }, context);
  return [
    ...(profile === undefined ? [] : profileRecordFaults(profile.entity, context, validators)),
    ...(again.state === undefined ? [] : ['a repetition gives another profile']),
  ];
}

function recordFaults(
  entity: JsonObject,
  shape: ObjectShape,
  context: MappingContext,
  validate?: ValidateFunction,
): readonly string[] {
  const { identityMap, ...fields } = entity;
  const ofShape: string[] = [];
  const conformed = conform(fields, shape, '', (path, code) => ofShape.push(`${code} ${path}`));
  const isValid = validate?.(withoutOwnFields(entity, context.destination.tenant)) ?? true;
  return [
    ...ofShape,
    ...(JSON.stringify(conformed) === JSON.stringify(fields) ? [] : ['a value does not conform']),
    ...(isValid ? [] : [JSON.stringify(validate?.errors)]),
    ...emptyPlaces(entity, '').map((path) => `${path} is empty`),
    ...malformedTimes(fields, shape, ''),
    ...identityFaults(identityMap, context),
    ...sendingFaults(entity),
  ];
}

/**
 * The schema that the tests make knows the relay's fields below the tenant; a brand has its own
 * beside them.
 */
function withoutOwnFields(entity: JsonObject, tenant = ''): JsonObject {
  const { [tenant]: own, ...standard } = entity;
  const capillary = isJsonObject(own) ? own['capillary'] : undefined;
  return capillary === undefined ? standard : { ...standard, [tenant]: { capillary } };
}

function identityFaults(
  identityMap: JsonValue | undefined,
  { destination }: MappingContext,
): readonly string[] {
  const namespaces = Object.entries(isJsonObject(identityMap) ? identityMap : {});
  const known = Object.values(destination.identity.namespaces);
  const identities = namespaces.flatMap(([, items]) => items as JsonObject[]);
  const primaries = identities.filter(({ primary }) => primary === true).length;
  const unfit = identities.filter(
    ({ id, authenticatedState }) =>
      typeof id !== 'string' || id.length > MAX_IDENTITY_CHARS || authenticatedState !== 'ambiguous',
  );
  return [
    ...(identities.length >= 1 && identities.length <= MAX_IDENTITIES
      ? []
      : [`${identities.length} identities`]),
    ...(primaries === 1 ? [] : [`${primaries} primary identities`]),
    ...(unfit.length === 0 ? [] : ['an invalid identity']),
    ...namespaces.filter(([name]) => !known.includes(name)).map(([name]) => `namespace ${name}`),
  ];
}

/** The sent text must contain the record in exactly the measured bytes. */
function sendingFaults(entity: JsonObject): readonly string[] {
  const text = serializeEnvelope(TARGET, entity, 1_794_000_000_000);
  const start = text.indexOf('"xdmEntity":') + '"xdmEntity":'.length;
  const sent = Buffer.from(text, 'utf8').subarray(Buffer.byteLength(text.slice(0, start)), -2);
  return [
    ...(sent.length === jsonBytes(entity)
      ? []
      : [`sends ${sent.length} bytes, measures ${jsonBytes(entity)}`]),
    ...(sent.toString('utf8') === JSON.stringify(entity) ? [] : ['sends another text than the record']),
  ];
}

/** Times that are not RFC 3339 with milliseconds and Z. */
function malformedTimes(value: JsonValue | undefined, shape: Shape, path: string): readonly string[] {
  if (value === undefined) {
    return [];
  }
  if (isObjectShape(shape)) {
    const fields = isJsonObject(value) ? value : {};
    return Object.entries(shape.fields).flatMap(([name, inner]) =>
      malformedTimes(fields[name], inner, `${path}.${name}`),
    );
  }
  if (isListShape(shape)) {
    return (Array.isArray(value) ? value : []).flatMap((item) => malformedTimes(item, shape.items, path));
  }
  const isTight = /^"2[01]\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$/.test(JSON.stringify(value));
  return shape !== 'date-time' || isTight ? [] : [`${path} is not a time with ms and Z`];
}

function emptyPlaces(value: JsonValue, path: string): readonly string[] {
  if (typeof value === 'object' && value !== null) {
    const inner = Object.entries(value).flatMap(([key, below]) => emptyPlaces(below, `${path}.${key}`));
    return Object.keys(value).length === 0 ? [path] : inner;
  }
  const isEmpty =
    value === null || (typeof value === 'string' && (value.trim() === '' || !value.isWellFormed()));
  return isEmpty ? [path] : [];
}
