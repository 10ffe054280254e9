import type { JsonObject } from '../../capillary/json.ts';
import {
  jsonBytes,
  MAX_EVENT_BYTES,
  MAX_IDENTITIES,
  MAX_IDENTITY_CHARS,
  MAX_PROFILE_BYTES,
} from '../../xdm/xdm-record.ts';
import { ACCEPTED_RECORDS } from './accepted-records.ts';
import { fieldViolations, type Violation } from './field-violations.ts';
import { identitiesOf } from './record-identity.ts';
import type { AcceptedField, AcceptedObject } from './unwritten-fields.ts';

export type XdmKind = 'event' | 'profile';

/** What the records of a schema may have. */
export interface RecordSchema {
  readonly kind: XdmKind;
  /** With the tenant's fields. */
  readonly accepted: AcceptedObject;
}

/** Adobe reports at most five errors of one message (docs/platforms/adobe.md#error-documents). */
const MAX_VIOLATIONS = 5;

/** What Profile accepts, in bytes of one record. */
export type RecordLimits = Readonly<Record<XdmKind, number>>;

export const RECORD_LIMITS: RecordLimits = { event: MAX_EVENT_BYTES, profile: MAX_PROFILE_BYTES };

/** An entity with a time or an event type is an event, any other one is a profile record. */
export function kindOf(entity: JsonObject): XdmKind {
  return Object.hasOwn(entity, 'timestamp') || Object.hasOwn(entity, 'eventType') ? 'event' : 'profile';
}

/**
 * Custom fields are in one object named after the tenant (docs/platforms/adobe.md#tenant-fields).
 */
function tenantFields(entity: JsonObject): Record<string, AcceptedField> {
  return Object.fromEntries(
    Object.keys(entity)
      .filter((key) => /^_[a-z0-9]+$/i.test(key))
      .map((key) => [key, { values: 'anything' } as const]),
  );
}

function primariesText(count: number): string {
  return `needs exactly one primary identity, found: ${count}`;
}

/** The violation of a record without a primary identity in its identityMap. */
export const NO_PRIMARY = primariesText(0);

/**
 * Violations of the identities as a whole: exactly one primary, existing namespaces, and limits
 * (docs/platforms/adobe.md#identity-map,
 * docs/platforms/adobe.md#record-limits).
 */
function* identityViolations(
  entity: JsonObject,
  namespaces: readonly string[] | undefined,
): Generator<Violation> {
  const pointer = '#/identityMap';
  const identities = identitiesOf(entity);
  const primaries = identities.filter((identity) => identity.primary).length;
  if (primaries !== 1) {
    const message = primariesText(primaries);
    yield { pointer, keyword: 'identity', message };
  }
  if (identities.length > MAX_IDENTITIES) {
    const message = `${identities.length} identities are over the limit of ${MAX_IDENTITIES}`;
    yield { pointer, keyword: 'identity', message };
  }
  if (identities.some(({ id }) => id.length > MAX_IDENTITY_CHARS)) {
    const message = `an identity is over the limit of ${MAX_IDENTITY_CHARS} characters`;
    yield { pointer, keyword: 'identity', message };
  }
  for (const { namespace } of identities) {
    if (namespaces?.includes(namespace) === false) {
      const message = 'the namespace does not exist';
      yield { pointer: `${pointer}/${namespace}`, keyword: 'identity', message };
    }
  }
}

/** See docs/platforms/adobe.md#record-limits and docs/platforms/adobe.md#event-times. */
function* sizeAndTimeViolations(
  entity: JsonObject,
  { limit, now }: { readonly limit: number; readonly now: number },
): Generator<Violation> {
  const bytes = jsonBytes(entity);
  if (bytes > limit) {
    const message = `${bytes} bytes are over the limit of ${limit}`;
    yield { pointer: '#', keyword: 'size', message };
  }
  const { timestamp } = entity;
  if (typeof timestamp === 'string' && Date.parse(timestamp) > now) {
    yield { pointer: '#/timestamp', keyword: 'future', message: 'lies in the future' };
  }
}

/** Without a schema of the sandbox every field counts that we know of Adobe's field groups. */
function knownFields(entity: JsonObject): RecordSchema {
  const kind = kindOf(entity);
  const { fields, required } = ACCEPTED_RECORDS[kind];
  return { kind, accepted: { fields: { ...tenantFields(entity), ...fields }, required } };
}

/**
 * The first five reasons why Adobe would drop the record after accepting it
 * (docs/platforms/adobe.md#silent-drops).
 *
 * @param namespaces the codes that exist in the sandbox; undefined if every code exists
 * @param schema of the dataset, if the platform API has made it
 */
export function recordViolations(
  entity: JsonObject,
  now: number,
  namespaces: readonly string[] | undefined,
  schema: RecordSchema = knownFields(entity),
  limits: RecordLimits = RECORD_LIMITS,
): Violation[] {
  const { kind, accepted } = schema;
  function* allViolations(): Generator<Violation> {
    yield* fieldViolations(entity, accepted);
    yield* identityViolations(entity, namespaces);
    yield* sizeAndTimeViolations(entity, { limit: limits[kind], now });
  }
  const violations: Violation[] = [];
  for (const violation of allViolations()) {
    violations.push(violation);
    if (violations.length === MAX_VIOLATIONS) break;
  }
  return violations;
}
