import type { JsonObject } from '../capillary/json.ts';
import { identityMap, identityViolations } from './identity.ts';
import { firstViolations, type Violation, violationsOf } from './violations.ts';
import { commerce, productListItem } from './xdm-commerce.ts';
import type { XdmField } from './xdm-field.ts';
import { eventLoyalty, profileLoyalty } from './xdm-loyalty.ts';
import { personFields } from './xdm-person.ts';

export type XdmKind = 'event' | 'profile';

/** Adobe says 10 KB and 100 KB without saying of which K (reference: adobe.md §3): the smaller reading is the safe one. */
const MAX_BYTES: Readonly<Record<XdmKind, number>> = { event: 10_000, profile: 100_000 };

const audit: XdmField = {
  fields: {
    createdBy: 'string',
    createdDate: 'date-time',
    lastUpdatedBy: 'string',
    lastUpdatedDate: 'date-time',
    lastActivityDate: 'date-time',
    lastReferencedDate: 'date-time',
    lastViewedDate: 'date-time',
    externalID: 'string',
    externalKey: 'anything',
  },
};

const COMMON: Readonly<Record<string, XdmField>> = {
  ...personFields,
  _id: 'uri-reference',
  identityMap,
  extSourceSystemAudit: audit,
};

const FIELDS: Readonly<Record<XdmKind, Readonly<Record<string, XdmField>>>> = {
  event: {
    ...COMMON,
    timestamp: 'date-time',
    eventType: 'string',
    eventMergeId: 'string',
    producedBy: 'string',
    commerce,
    productListItems: { list: productListItem },
    loyalty: eventLoyalty,
    placeContext: 'anything',
    environment: 'anything',
    device: 'anything',
  },
  profile: { ...COMMON, personID: 'string', _repo: 'anything', loyalty: profileLoyalty },
};

const REQUIRED: Readonly<Record<XdmKind, readonly string[]>> = { event: ['_id', 'timestamp'], profile: [] };

/** Custom fields sit in one object named after the tenant, such as `_acme` (reference: adobe.md §5.9). */
function tenantFields(entity: JsonObject): Record<string, XdmField> {
  return Object.fromEntries(
    Object.keys(entity)
      .filter((key) => /^_[a-z0-9]+$/i.test(key))
      .map((key) => [key, { map: 'anything' } as const]),
  );
}

/** An entity with a time or an event type is an event, any other a profile record. */
export function kindOf(entity: JsonObject): XdmKind {
  return Object.hasOwn(entity, 'timestamp') || Object.hasOwn(entity, 'eventType') ? 'event' : 'profile';
}

function* sizeAndTime(entity: JsonObject, kind: XdmKind, now: number): Generator<Violation> {
  const bytes = Buffer.byteLength(JSON.stringify(entity));
  if (bytes > MAX_BYTES[kind]) {
    yield {
      pointer: '#',
      keyword: 'size',
      message: `${bytes} bytes are over the limit of ${MAX_BYTES[kind]}`,
    };
  }
  const { timestamp } = entity;
  if (typeof timestamp === 'string' && Date.parse(timestamp) > now) {
    yield { pointer: '#/timestamp', keyword: 'future', message: 'lies in the future' };
  }
}

/**
 * Why Adobe would drop the record after it was taken (reference: adobe.md §2.8, §3, §4.4, §5): the first five reasons.
 * `namespaces`: the codes that exist in the sandbox; without them every code is held to exist.
 */
export function recordViolations(
  entity: JsonObject,
  now: number,
  namespaces: readonly string[] | undefined,
): Violation[] {
  const kind = kindOf(entity);
  const fields = { ...tenantFields(entity), ...FIELDS[kind] };
  function* all(): Generator<Violation> {
    yield* violationsOf(entity, { fields, required: REQUIRED[kind] });
    yield* identityViolations(entity, namespaces);
    yield* sizeAndTime(entity, kind, now);
  }
  return firstViolations(all());
}
