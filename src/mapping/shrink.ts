import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { bytesOf, EVENT_MAX_BYTES, EVENT_WARN_BYTES, PROFILE_MAX_BYTES, sizeOf } from '../xdm/limits.ts';
import type { Notes } from './notes.ts';

/** A record that fits, and the JSON text that it was measured by: what is sent, so that it is written once. */
export interface Fitting {
  readonly entity: JsonObject;
  readonly json: string;
}

/** Without these a record is none. */
const KEPT = new Set(['_id', 'timestamp', 'eventType', 'identityMap']);

/** What goes first from the tenant's part of an event, longest and least telling first. */
const TENANT_LISTS = [
  'changes',
  'expiries',
  'expiryChanges',
  'currencyExpiries',
  'pointsBreakdown',
  'appliedPromotions',
  'failedRewards',
  'coupons',
  'milestones',
  'targets',
  'streaks',
  'subscriptions',
] as const;

/**
 * Makes an ExperienceEvent fit the size AEP takes, in a fixed order (reference: adobe.md §3; mapping.md,
 * Rules): the payload text, line items from the end (counted in `transaction.lineItemsOmitted`), lists and
 * brand fields below the tenant, the rest of the tenant, standard fields, and at last identities but the
 * primary.
 */
export function shrinkEvent(entity: JsonObject, tenant: string | undefined, notes: Notes): Fitting {
  const json = JSON.stringify(entity);
  const size = bytesOf(json);
  if (size <= EVENT_MAX_BYTES) {
    if (size >= EVENT_WARN_BYTES) {
      notes.add('xdmEntity', 'near-limit', `${size} bytes`);
    }
    return { entity, json };
  }
  const steps = [
    ...(tenant === undefined ? [] : [drop([tenant, 'capillary', 'payload'])]),
    dropLineItems(tenant),
    ...(tenant === undefined ? [] : TENANT_LISTS.map((name) => drop([tenant, 'capillary', name]))),
    ...ownFields(entity, tenant).map((name) => drop([tenant ?? '', name])),
    ...(tenant === undefined ? [] : [drop([tenant])]),
    ...Object.keys(entity).map(() => dropLargest),
    dropIdentities,
  ];
  return shrink(entity, EVENT_MAX_BYTES, steps, notes);
}

/**
 * Makes a profile record fit: brand fields and other programs first, then lists of the loyalty object, then
 * the largest fields.
 */
export function shrinkProfile(entity: JsonObject, tenant: string | undefined, notes: Notes): Fitting {
  const json = JSON.stringify(entity);
  if (bytesOf(json) <= PROFILE_MAX_BYTES) {
    return { entity, json };
  }
  const steps = [
    ...ownFields(entity, tenant).map((name) => drop([tenant ?? '', name])),
    ...(tenant === undefined ? [] : [drop([tenant])]),
    drop(['loyalty', 'pointsExpiration']),
    drop(['loyalty', 'loyaltyID']),
    ...Object.keys(entity).map(() => dropLargest),
    dropIdentities,
  ];
  return shrink(entity, PROFILE_MAX_BYTES, steps, notes);
}

interface Shrunk {
  readonly entity: JsonObject;
  /** What the step left out; undefined when there was nothing to leave out. */
  readonly path?: string;
  readonly detail?: string;
}

type Step = (entity: JsonObject, limit: number) => Shrunk;

function shrink(entity: JsonObject, limit: number, steps: readonly Step[], notes: Notes): Fitting {
  let current = entity;
  for (const step of steps) {
    if (sizeOf(current) <= limit) {
      break;
    }
    const { entity: next, path, detail } = step(current, limit);
    if (path !== undefined) {
      notes.add(path, 'shrunk', detail);
    }
    current = next;
  }
  return { entity: current, json: JSON.stringify(current) };
}

function drop(path: readonly string[]): Step {
  return (entity) => {
    const next = without(entity, path);
    return next === entity ? { entity } : { entity: next, path: path.join('.') };
  };
}

/** Takes away the standard field that is the largest by then; of equal ones the first by name. */
const dropLargest: Step = (entity, limit) => {
  const [largest] = Object.entries(entity)
    .filter(([name]) => !KEPT.has(name))
    .map(([name, value]) => ({ name, size: sizeOf(value) }))
    .toSorted((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1));
  return largest === undefined ? { entity } : drop([largest.name])(entity, limit);
};

/** Names of the brand's own fields beside ours, in order. */
function ownFields(entity: JsonObject, tenant: string | undefined): readonly string[] {
  const own = tenant === undefined ? undefined : entity[tenant];
  return isJsonObject(own)
    ? Object.keys(own)
        .filter((name) => name !== 'capillary')
        .toSorted()
    : [];
}

function dropLineItems(tenant: string | undefined): Step {
  return (entity, limit) => {
    const items = entity['productListItems'];
    if (!Array.isArray(items)) {
      return { entity };
    }
    const kept = mostThatFit(
      items.length,
      (count) => sizeOf(withLineItems(entity, items, count, tenant)) <= limit,
    );
    return {
      entity: withLineItems(entity, items, kept, tenant),
      path: 'productListItems',
      detail: `${items.length - kept} of ${items.length} line items`,
    };
  };
}

function withLineItems(
  entity: JsonObject,
  items: JsonValue[],
  count: number,
  tenant: string | undefined,
): JsonObject {
  const kept =
    count === 0
      ? without(entity, ['productListItems'])
      : { ...entity, productListItems: items.slice(0, count) };
  const omitted = items.length - count;
  return tenant === undefined || omitted === 0
    ? kept
    : withField(kept, [tenant, 'capillary', 'transaction', 'lineItemsOmitted'], omitted);
}

/** The largest count below `total` that fits; 0 when not even one does. */
function mostThatFit(total: number, fits: (count: number) => boolean): number {
  let low = 0;
  let high = total - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return Math.max(low, 0);
}

function isPrimary(item: JsonValue): boolean {
  return isJsonObject(item) && item['primary'] === true;
}

const dropIdentities: Step = (entity) => {
  const map = isJsonObject(entity['identityMap']) ? entity['identityMap'] : {};
  const primary = Object.entries(map).flatMap(([namespace, items]) => {
    const kept = Array.isArray(items) ? items.filter(isPrimary) : [];
    return kept.length > 0 ? [[namespace, kept] as const] : [];
  });
  return { entity: { ...entity, identityMap: Object.fromEntries(primary) }, path: 'identityMap' };
};

/**
 * A record without one field, and without the objects that it leaves empty; the same object when the field is
 * not there.
 */
function without(entity: JsonObject, [name = '', ...rest]: readonly string[]): JsonObject {
  const value = entity[name];
  if (value === undefined) {
    return entity;
  }
  const next = rest.length > 0 && isJsonObject(value) ? without(value, rest) : {};
  if (next === value || (rest.length > 0 && !isJsonObject(value))) {
    return entity;
  }
  const { [name]: _, ...others } = entity;
  return Object.keys(next).length > 0 ? { ...entity, [name]: next } : others;
}

function withField(
  entity: JsonObject,
  [name = '', ...rest]: readonly string[],
  value: JsonValue,
): JsonObject {
  const before = entity[name];
  const next = rest.length > 0 ? withField(isJsonObject(before) ? before : {}, rest, value) : value;
  return { ...entity, [name]: next };
}
