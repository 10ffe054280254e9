import { flatEvent } from '../../src/mapping/flat-event.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/capillary/json.ts';
import { victimLaneOf } from '../../src/mapping/identities.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import { contextOf, eventOf, fixtureEvent } from '../mapping/mapping-rig.ts';
import { leavesOf, withLeafChanged } from './payload-leaves.ts';

/** What is known of one path of a result, by trying. */
export interface FieldFact {
  readonly record: 'event' | 'profile';
  /** `T.points.issued`, `productListItems[].SKU`. */
  readonly path: string;
  /** Places in the payload that its value follows; empty when none changes it. */
  readonly sources: readonly string[];
  /** `loyaltyEvents`: it is there only with this switch; `not loyalty2026`: only without it. */
  readonly switches: readonly string[];
  readonly values: readonly JsonValue[];
}

/** What one payload becomes. */
export interface MappingFacts {
  readonly eventName: string;
  readonly eventType: string;
  readonly isDeletion: boolean;
  /** What is known of another customer is put into the profile. */
  readonly folds: boolean;
  readonly fields: readonly FieldFact[];
}

const TENANT = '_acme';
const SWITCHES = Object.keys(contextOf().destination.schemaFeatures);
/** Every switch is on but this one. */
type Variant = string | undefined;
const VARIANTS: readonly Variant[] = [undefined, ...SWITCHES];

const contextOfVariant = (off: Variant) =>
  contextOf({
    destination: {
      tenant: TENANT,
      schemaFeatures: Object.fromEntries(SWITCHES.map((name) => [name, name !== off])),
    },
  });
const CONTEXTS = new Map(VARIANTS.map((variant) => [variant, contextOfVariant(variant)] as const));

/** Single values of both records by `event path` or `profile path`. */
type Fields = ReadonlyMap<string, JsonValue>;

interface Result {
  readonly eventType: string;
  readonly isDeletion: boolean;
  readonly folds: boolean;
  readonly fields: Fields;
}

const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

const flatten = (value: JsonValue, path: string): readonly (readonly [string, JsonValue])[] => {
  if (Array.isArray(value)) return value.flatMap((item, index) => flatten(item, `${path}[${index}]`));
  if (!isJsonObject(value)) return [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) =>
    flatten(inner, path.endsWith(' ') ? path + name : `${path}.${name}`),
  );
};

const resultOf = async (payload: JsonObject, variant: Variant): Promise<Result | undefined> => {
  const event = eventOf(payload);
  const mapped = await mapEvent(event, CONTEXTS.get(variant) ?? contextOfVariant(variant));
  if (mapped.outcome !== 'messages') return undefined;
  const attributes = [...(mapped.profile?.attributes ?? [])].filter(
    ([path]) => !path.startsWith('identityMap.'),
  );
  const { eventType, ...entity } = mapped.event;
  return {
    eventType: textOf(eventType),
    isDeletion: mapped.erase,
    folds: victimLaneOf(event) !== undefined,
    fields: new Map([
      ...flatten(entity, 'event '),
      ...attributes.flatMap(([path, value]) => flatten(value, `profile ${path}`)),
    ]),
  };
};

/** `event _acme.capillary.changes[0].field` → `event T.changes[].field`. */
const nameOf = (path: string): string =>
  path.replace(` ${TENANT}.capillary.`, ' T.').replaceAll(/\[\w+\]/g, '[]');

const listOf = (path: string): string | undefined =>
  path.includes('[') ? path.slice(0, path.indexOf('[')) : undefined;

const listSize = (fields: Fields, list: string): number =>
  [...fields.keys()].filter((path) => path.startsWith(`${list}[`)).length;

/** How a changed payload shows at a path: its value is another, or the path is no more (or its list has shifted). */
const effectOn = (path: string, before: Fields, after: Fields): 'value' | 'gone' | undefined => {
  const [old, next] = [before.get(path), after.get(path)];
  if (next === undefined) return 'gone';
  if (old === next) return undefined;
  const list = listOf(path);
  return list !== undefined && listSize(before, list) !== listSize(after, list) ? 'gone' : 'value';
};

/** A field that follows so much of the data is made of the data as a whole. */
const MOST_OF_DATA = 0.8;

/** Where the values of these paths come from: what changes them, else what makes them vanish. */
const sourcesIn = async (
  payload: JsonObject,
  paths: readonly string[],
  base: Fields,
  variant: Variant,
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const leaves = leavesOf(payload).filter(({ name }) => name !== 'eventName');
  const found = new Map(paths.map((path) => [path, { value: new Set<string>(), gone: new Set<string>() }]));
  for (const leaf of leaves) {
    const after = await resultOf(withLeafChanged(payload, leaf), variant);
    // An event that is ignored now, for it names nobody any more, says nothing of a single field.
    if (after === undefined) continue;
    for (const [path, effects] of found) {
      const effect = effectOn(path, base, after.fields);
      if (effect !== undefined) effects[effect].add(leaf.name);
    }
  }
  const ofData = new Set(leaves.flatMap(({ name }) => (name.startsWith('data.') ? [name] : [])));
  const withDataAsOne = (sources: readonly string[]): readonly string[] => {
    const shared = sources.filter((name) => ofData.has(name)).length;
    return shared > 3 && shared >= ofData.size * MOST_OF_DATA ? ['data', ...sources] : sources;
  };
  return new Map(
    [...found].map(([path, { value, gone }]) => {
      const sources = [...(value.size > 0 ? value : gone)];
      const isName = sources.length === 0 && base.get(path) === payload['eventName'];
      return [path, isName ? ['eventName'] : withDataAsOne(sources)] as const;
    }),
  );
};

const switchesOf = (path: string, bases: ReadonlyMap<Variant, Fields>): readonly string[] => {
  const isNormal = bases.get(undefined)?.has(path) === true;
  return SWITCHES.flatMap((name) => {
    const isThere = bases.get(name)?.has(path) === true;
    if (isNormal) return isThere ? [] : [name];
    return isThere ? [`not ${name}`] : [];
  });
};

/** The facts of a payload; undefined for one that is ignored. */
export const factsOf = async (payload: JsonObject): Promise<MappingFacts | undefined> => {
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
    for (const [path, sources] of await sourcesIn(payload, paths, base, variant)) {
      const name = nameOf(path);
      const record = name.startsWith('event ') ? 'event' : 'profile';
      const values = [base.get(path) ?? null];
      facts.push({
        record,
        path: name.slice(record.length + 1),
        sources,
        switches: switchesOf(path, bases),
        values,
      });
    }
  }
  const { eventType, isDeletion, folds } = whole;
  return {
    eventName: textOf(payload['eventName']),
    eventType,
    isDeletion,
    folds,
    fields: joinedFields(facts),
  };
};

/** The same payload under a name that nothing maps: what it becomes then is what every event becomes. */
export const UNKNOWN_NAME = 'aNameThatNothingMaps';

export const payloadOf = (fixture: string): JsonObject => flatEvent(fixtureEvent(fixture));

/** `data` stands for everything below it. */
const withoutParts = (sources: readonly string[]): readonly string[] =>
  sources.includes('data') ? sources.filter((name) => !name.startsWith('data.')) : sources;

const union = <T>(one: readonly T[], other: readonly T[]): readonly T[] => [...new Set([...one, ...other])];

/** One fact for each path, in the order of the paths. */
export const joinedFields = (facts: readonly FieldFact[]): readonly FieldFact[] => {
  const joined = new Map<string, FieldFact>();
  for (const fact of facts) {
    const key = `${fact.record} ${fact.path.startsWith('T.') ? 1 : 0} ${fact.path}`;
    const known = joined.get(key);
    joined.set(key, {
      ...fact,
      sources: withoutParts(union(known?.sources ?? [], fact.sources)),
      switches: union(known?.switches ?? [], fact.switches),
      values: union(known?.values ?? [], fact.values),
    });
  }
  return [...joined].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact);
};
