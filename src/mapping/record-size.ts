import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { jsonBytes, LARGE_EVENT_BYTES, MAX_EVENT_BYTES, MAX_PROFILE_BYTES } from '../xdm/xdm-record.ts';
import { textOf, type WrittenText } from '../xdm/json-buffer.ts';
import type { Notes } from './mapping-notes.ts';

/** Never left out: a record without these is invalid. */
const REQUIRED_FIELDS = new Set(['_id', 'timestamp', 'eventType', 'identityMap']);

/** Lists below the tenant, in the order in which they are left out. */
const TENANT_LISTS = [
  'changes',
  'lineItems',
  'tenders',
  'transaction.points',
  'expiries',
  'promisedPoints',
  'expiryChanges',
  'currencyExpiries',
  'pointsBreakdown',
  'appliedPromotions',
  'failedRewards',
  'promotion.linkedTargets',
  'promotion.restrictions',
  'coupons',
  'milestones',
  'targets',
  'streaks',
  'subscriptions',
] as const;

/**
 * The JSON text of an ExperienceEvent, reduced to the size that AEP accepts
 * (docs/platforms/adobe.md#record-limits).
 * Parts are left out in a fixed order (docs/mapping.md#sizes): the payload text; line items from
 * the end, counted in `transaction.lineItemsOmitted`; lists below the tenant; the brand's own
 * fields; the rest of the tenant; standard fields; identities except the primary one.
 */
export function shrinkEvent(text: WrittenText, tenant: string | undefined, notes: Notes): WrittenText {
  const { json, bytes: size } = text;
  if (size <= MAX_EVENT_BYTES) {
    if (size >= LARGE_EVENT_BYTES) {
      notes.add('xdmEntity', 'near-limit', `${size} bytes`);
    }
    return text;
  }
  const entity = JSON.parse(json) as JsonObject;
  const steps = [
    ...(tenant === undefined ? [] : [drop([tenant, 'capillary', 'payload'])]),
    dropLineItems(tenant),
    ...(tenant === undefined
      ? []
      : TENANT_LISTS.map((name) => drop([tenant, 'capillary', ...name.split('.')]))),
    ...ownFields(entity, tenant).map((name) => drop([tenant ?? '', name])),
    ...(tenant === undefined ? [] : [drop([tenant])]),
    ...Object.keys(entity).map(() => dropLargest),
    dropIdentities,
  ];
  return shrink(entity, MAX_EVENT_BYTES, steps, notes);
}

/** Lists of a profile below the tenant, in the order in which they are shortened. */
const TENANT_PROFILE_LISTS = ['challenges', 'badges', 'rewards', 'coupons'] as const;

/** Lists of rewards in `loyalty`, in the order in which they are shortened. */
const REWARD_LISTS = [
  ['challenges'],
  ['rewards', 'badges'],
  ['rewards', 'giveaways'],
  ['rewards', 'coupons'],
] as const;

/**
 * The JSON text of a profile record, reduced to the size that AEP accepts: the brand's own fields
 * first, then lists of rewards, of which the newest items stay, then other programs, other lists of
 * the loyalty object, and the largest fields.
 */
export function shrinkProfile(text: WrittenText, tenant: string | undefined, notes: Notes): WrittenText {
  if (text.bytes <= MAX_PROFILE_BYTES) {
    return text;
  }
  const entity = JSON.parse(text.json) as JsonObject;
  const steps = [
    ...ownFields(entity, tenant).map((name) => drop([tenant ?? '', name])),
    ...(tenant === undefined
      ? []
      : [...TENANT_PROFILE_LISTS.map((name) => shorten([tenant, 'capillary', name])), drop([tenant])]),
    ...REWARD_LISTS.map((path) => shorten(['loyalty', ...path])),
    drop(['loyalty', 'pointsExpiration']),
    drop(['loyalty', 'loyaltyID']),
    ...Object.keys(entity).map(() => dropLargest),
    dropIdentities,
  ];
  return shrink(entity, MAX_PROFILE_BYTES, steps, notes);
}

interface StepResult {
  readonly entity: JsonObject;
  /** What the step left out; undefined if there was nothing to leave out. */
  readonly path?: string;
  readonly detail?: string;
}

type Step = (entity: JsonObject, limit: number) => StepResult;

function shrink(entity: JsonObject, limit: number, steps: readonly Step[], notes: Notes): WrittenText {
  let current = entity;
  for (const step of steps) {
    if (jsonBytes(current) <= limit) {
      break;
    }
    const { entity: next, path, detail } = step(current, limit);
    if (path !== undefined) {
      notes.add(path, 'shrunk', detail);
    }
    current = next;
  }
  return textOf(current);
}

function drop(path: readonly string[]): Step {
  return (entity) => {
    const next = removeField(entity, path);
    return next === entity ? { entity } : { entity: next, path: path.join('.') };
  };
}

/** Leaves out as many items from the end of a list as needed. */
function shorten(path: readonly string[]): Step {
  return (entity, limit) => {
    const items = fieldAt(entity, path);
    if (!Array.isArray(items)) {
      return { entity };
    }
    const withItems = (count: number): JsonObject =>
      count === 0 ? removeField(entity, path) : setField(entity, path, items.slice(0, count));
    const count = largestThatFits(items.length, (candidate) => jsonBytes(withItems(candidate)) <= limit);
    const detail = `${items.length - count} of ${items.length} items`;
    return { entity: withItems(count), path: path.join('.'), detail };
  };
}

function fieldAt(entity: JsonObject, path: readonly string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>(
    (value, name) => (isJsonObject(value) ? value[name] : undefined),
    entity,
  );
}

/** Leaves out the largest remaining field; of equally large ones the first by name. */
function dropLargest(entity: JsonObject, limit: number): StepResult {
  const [largest] = Object.entries(entity)
    .filter(([name]) => !REQUIRED_FIELDS.has(name))
    .map(([name, value]) => ({ name, size: jsonBytes(value) }))
    .toSorted((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1));
  return largest === undefined ? { entity } : drop([largest.name])(entity, limit);
}

/** Names of the brand's own fields below the tenant, in order. */
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
    const count = largestThatFits(
      items.length,
      (candidate) => jsonBytes(withLineItems(entity, items, candidate, tenant)) <= limit,
    );
    return {
      entity: withLineItems(entity, items, count, tenant),
      path: 'productListItems',
      detail: `${items.length - count} of ${items.length} line items`,
    };
  };
}

function withLineItems(
  entity: JsonObject,
  items: JsonValue[],
  count: number,
  tenant: string | undefined,
): JsonObject {
  const reduced =
    count === 0
      ? removeField(entity, ['productListItems'])
      : { ...entity, productListItems: items.slice(0, count) };
  const omitted = items.length - count;
  return tenant === undefined || omitted === 0
    ? reduced
    : setField(reduced, [tenant, 'capillary', 'transaction', 'lineItemsOmitted'], omitted);
}

/** The largest count below `total` that fits; 0 if not even one does. */
function largestThatFits(total: number, fits: (count: number) => boolean): number {
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

/** Leaves out all identities except the primary one. */
function dropIdentities(entity: JsonObject): StepResult {
  const map = isJsonObject(entity['identityMap']) ? entity['identityMap'] : {};
  const primary = Object.entries(map).flatMap(([namespace, items]) => {
    const primaries = Array.isArray(items) ? items.filter(isPrimary) : [];
    return primaries.length > 0 ? [[namespace, primaries] as const] : [];
  });
  return { entity: { ...entity, identityMap: Object.fromEntries(primary) }, path: 'identityMap' };
}

/**
 * Removes a field, and parent objects that become empty. Returns the same object if the field is
 * absent.
 */
function removeField(entity: JsonObject, [name = '', ...rest]: readonly string[]): JsonObject {
  const value = entity[name];
  if (value === undefined) {
    return entity;
  }
  const next = rest.length > 0 && isJsonObject(value) ? removeField(value, rest) : {};
  if (next === value || (rest.length > 0 && !isJsonObject(value))) {
    return entity;
  }
  const { [name]: _, ...others } = entity;
  return Object.keys(next).length > 0 ? { ...entity, [name]: next } : others;
}

function setField(entity: JsonObject, [name = '', ...rest]: readonly string[], value: JsonValue): JsonObject {
  const before = entity[name];
  const next = rest.length > 0 ? setField(isJsonObject(before) ? before : {}, rest, value) : value;
  return { ...entity, [name]: next };
}
