import { isJsonObject, type JsonObject, type JsonValue } from '../../src/capillary/json.ts';
import { victimLaneOf } from '../../src/mapping/identities.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import { flatEvent } from '../../src/mapping/raw-format.ts';
import { createProgramCatalogue } from '../../src/mapping/program-catalogue.ts';
import {
  contextOf,
  enrichedNames,
  eventOf,
  fixtureEvent,
  readEnriched,
  recordOf,
} from '../mapping/mapping-rig.ts';
import { leavesOf, withLeafChanged } from './payload-leaves.ts';

/** What trials show about one path of a result. */
export interface FieldFact {
  readonly record: 'event' | 'profile';
  /** `T.points.issued`, `productListItems[].SKU`. */
  readonly path: string;
  /** Paths in the payload that change its value; empty if none does. */
  readonly sources: readonly string[];
  /** `loyaltyEvents`: present only with this feature; `not loyalty2026`: only without it. */
  readonly features: readonly string[];
  readonly values: readonly JsonValue[];
}

/** The result of one payload. */
export interface MappingFacts {
  readonly eventName: string;
  readonly eventType: string;
  readonly isDeletion: boolean;
  /** The stored attributes of another customer are added to the profile. */
  readonly addsVictim: boolean;
  readonly fields: readonly FieldFact[];
}

const TENANT = '_acme';
const FEATURES = Object.keys(contextOf().destination.schemaFeatures);
/** The one feature that is off; all others are on. */
type Variant = string | undefined;
const VARIANTS: readonly Variant[] = [undefined, ...FEATURES];

function contextOfVariant(off: Variant) {
  return contextOf({
    destination: {
      tenant: TENANT,
      schemaFeatures: Object.fromEntries(FEATURES.map((name) => [name, name !== off])),
    },
  });
}
const CONTEXTS = new Map(VARIANTS.map((variant) => [variant, contextOfVariant(variant)] as const));

/** The scalars of both records by `event path` or `profile path`. */
type Fields = ReadonlyMap<string, JsonValue>;

interface Result {
  readonly eventType: string;
  readonly isDeletion: boolean;
  readonly addsVictim: boolean;
  readonly fields: Fields;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function flatten(value: JsonValue, path: string): readonly (readonly [string, JsonValue])[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => flatten(item, `${path}[${index}]`));
  if (!isJsonObject(value)) return [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) =>
    flatten(inner, path.endsWith(' ') ? path + name : `${path}.${name}`),
  );
}

async function resultOf(payload: JsonObject, variant: Variant): Promise<Result | undefined> {
  const event = eventOf(payload);
  // What one trial says about programs must not be known to the next one.
  const context = {
    ...(CONTEXTS.get(variant) ?? contextOfVariant(variant)),
    programs: createProgramCatalogue(),
  };
  const mapped = await mapEvent(event, context);
  if (mapped.outcome !== 'messages') return undefined;
  const {
    _id: _,
    identityMap: _identities,
    extSourceSystemAudit: _time,
    ...attributes
  } = recordOf(event, mapped, context);
  const { eventType, ...entity } = mapped.event;
  return {
    eventType: textOf(eventType),
    isDeletion: mapped.erase,
    addsVictim: victimLaneOf(event) !== undefined,
    fields: new Map([...flatten(entity, 'event '), ...flatten(attributes, 'profile ')]),
  };
}

/** `event _acme.capillary.changes[0].field` → `event T.changes[].field`. */
function nameOf(path: string): string {
  return path.replace(` ${TENANT}.capillary.`, ' T.').replaceAll(/\[\w+\]/g, '[]');
}

function listOf(path: string): string | undefined {
  return path.includes('[') ? path.slice(0, path.indexOf('[')) : undefined;
}

function listSize(fields: Fields, list: string): number {
  return [...fields.keys()].filter((path) => path.startsWith(`${list}[`)).length;
}

/**
 * The effect of a changed payload on a path: another value, or the path is removed (or its list has
 * shifted).
 */
function effectOn(path: string, before: Fields, after: Fields): 'value' | 'removed' | undefined {
  const [old, next] = [before.get(path), after.get(path)];
  if (next === undefined) return 'removed';
  if (old === next) return undefined;
  const list = listOf(path);
  return list !== undefined && listSize(before, list) !== listSize(after, list) ? 'removed' : 'value';
}

/** A field that depends on at least this share of the data depends on all of it. */
const DATA_SHARE = 0.8;

/** The sources of these paths: the fields that change them, else the fields that remove them. */
async function sourcesIn(
  payload: JsonObject,
  paths: readonly string[],
  base: Fields,
  eventType: string,
  variant: Variant,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const leaves = leavesOf(payload).filter(({ name }) => name !== 'eventName');
  const found = new Map(
    paths.map((path) => [path, { value: new Set<string>(), removed: new Set<string>() }]),
  );
  for (const leaf of leaves) {
    const after = await resultOf(withLeafChanged(payload, leaf), variant);
    // The changed event is ignored because it has no identity, which shows nothing about single
    // fields.
    if (after === undefined) continue;
    for (const [path, effects] of found) {
      const effect = effectOn(path, base, after.fields);
      // Another type of event has other fields, which shows nothing about the source of this one.
      if (effect === 'removed' && after.eventType !== eventType) continue;
      if (effect !== undefined) effects[effect].add(leaf.name);
    }
  }
  const ofData = new Set(leaves.flatMap(({ name }) => (name.startsWith('data.') ? [name] : [])));
  const withDataAsOne = (sources: readonly string[]): readonly string[] => {
    const shared = sources.filter((name) => ofData.has(name)).length;
    return shared > 3 && shared >= ofData.size * DATA_SHARE ? ['data', ...sources] : sources;
  };
  return new Map(
    [...found].map(([path, { value, removed }]) => {
      const sources = [...(value.size > 0 ? value : removed)];
      const isName = sources.length === 0 && base.get(path) === payload['eventName'];
      return [path, isName ? ['eventName'] : withDataAsOne(sources)] as const;
    }),
  );
}

function featuresOf(path: string, bases: ReadonlyMap<Variant, Fields>): readonly string[] {
  const isNormal = bases.get(undefined)?.has(path) === true;
  return FEATURES.flatMap((name) => {
    const isPresent = bases.get(name)?.has(path) === true;
    if (isNormal) return isPresent ? [] : [name];
    return isPresent ? [`not ${name}`] : [];
  });
}

/** The facts of a payload; undefined if its event is ignored. */
export async function factsOf(payload: JsonObject): Promise<MappingFacts | undefined> {
  const whole = await resultOf(payload, undefined);
  if (whole === undefined) return undefined;
  const bases = new Map<Variant, Fields>();
  for (const variant of VARIANTS) bases.set(variant, (await resultOf(payload, variant))?.fields ?? new Map());

  const seen = new Set<string>();
  const facts: FieldFact[] = [];
  for (const [variant, base] of bases) {
    const paths = [...base.keys()].filter((path) => !seen.has(path));
    for (const path of paths) seen.add(path);
    if (paths.length === 0) continue;
    for (const [path, sources] of await sourcesIn(payload, paths, base, whole.eventType, variant)) {
      const name = nameOf(path);
      const record = name.startsWith('event ') ? 'event' : 'profile';
      const values = [base.get(path) ?? null];
      facts.push({
        record,
        path: name.slice(record.length + 1),
        sources,
        features: featuresOf(path, bases),
        values,
      });
    }
  }
  const { eventType, isDeletion, addsVictim } = whole;
  return {
    eventName: textOf(payload['eventName']),
    eventType,
    isDeletion,
    addsVictim,
    fields: joinedFields(facts),
  };
}

/** A name without a mapping: the result of a payload under this name is common to all events. */
export const UNKNOWN_NAME = 'aNameWithoutMapping';

export function payloadOf(fixture: string): JsonObject {
  return flatEvent(fixtureEvent(fixture));
}

/** `data` replaces all paths below it. */
function withoutParts(sources: readonly string[]): readonly string[] {
  return sources.includes('data') ? sources.filter((name) => !name.startsWith('data.')) : sources;
}

function union<T>(one: readonly T[], other: readonly T[]): readonly T[] {
  return [...new Set([...one, ...other])];
}

/** One fact per path, in the order of the paths. */
export function joinedFields(facts: readonly FieldFact[]): readonly FieldFact[] {
  const joined = new Map<string, FieldFact>();
  for (const fact of facts) {
    const key = `${fact.record} ${fact.path.startsWith('T.') ? 1 : 0} ${fact.path}`;
    const known = joined.get(key);
    joined.set(key, {
      ...fact,
      sources: withoutParts(union(known?.sources ?? [], fact.sources)),
      features: union(known?.features ?? [], fact.features),
      values: union(known?.values ?? [], fact.values),
    });
  }
  return [...joined].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact);
}

/** The paths of all fields of the records of events that the API completed: `T.tenders[].mode`. */
export function enrichedPaths(): ReadonlySet<string> {
  const records = enrichedNames.flatMap((name) => {
    const { event, profile } = JSON.parse(readEnriched(`${name}.xdm`)) as JsonObject;
    return [event, isJsonObject(profile) ? profile['record'] : undefined];
  });
  const fields = records.flatMap((record) => (record === undefined ? [] : flatten(record, 'event ')));
  return new Set(fields.map(([path]) => nameOf(path).slice('event '.length)));
}
