import { isDeepStrictEqual } from 'node:util';
import { formatPath } from './config-error.ts';
import type { Config } from './config-schema.ts';
import { summarizeKey } from './config-summary.ts';
import { isSecretKey } from './field-types.ts';

/**
 * One difference between two configurations. Without `from` and `to` the values differ in a part
 * that is not shown.
 */
export interface ConfigChange {
  /** Such as `sources[acme].verify[0].values`; sources and destinations are named. */
  readonly path: string;
  /** The value before, as in the summary of the configuration; absent for a new key. */
  readonly from?: string;
  /** The value after; absent for a removed key. */
  readonly to?: string;
  /** A secret: it changed, and nothing else is said about it. */
  readonly secret?: true;
}

/** Longest text of a value; an expression can have thousands of characters. */
const MAX_VALUE_CHARS = 200;

function shown(key: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const summary = summarizeKey(key, value);
  const text = typeof summary === 'string' ? summary : JSON.stringify(summary);
  return text.length <= MAX_VALUE_CHARS ? text : `${text.slice(0, MAX_VALUE_CHARS - 1)}…`;
}

function leafChange(path: string, key: string, before: unknown, after: unknown): ConfigChange {
  if (isSecretKey(key)) return { path, secret: true };
  const from = shown(key, before);
  const to = shown(key, after);
  if (from === to) return { path };
  return { path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

type Tree = Readonly<Record<string, unknown>>;

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function below(path: string, key: string): string {
  const step = formatPath([key]);
  return path === '' || step.startsWith('[') ? `${path}${step}` : `${path}.${step}`;
}

function unionOfKeys(before: object, after: object): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])];
}

/** The differences below one key. */
function changesAt(path: string, key: string, before: unknown, after: unknown): ConfigChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isSecretKey(key)) return [leafChange(path, key, before, after)];
  if (isTree(before) && isTree(after))
    return unionOfKeys(before, after).flatMap((name) =>
      changesAt(below(path, name), name, before[name], after[name]),
    );
  const isListOfObjects =
    Array.isArray(before) && Array.isArray(after) && [...before, ...after].every(isTree);
  if (isListOfObjects && before.length === after.length)
    return before.flatMap((item: unknown, index) => changesAt(`${path}[${index}]`, '', item, after[index]));
  return [leafChange(path, key, before, after)];
}

type Named = readonly { readonly name: string }[];

/** By name, because an entry that is added or removed moves the others. */
function changesOfList(list: string, before: Named, after: Named): ConfigChange[] {
  const old = new Map(before.map((entry) => [entry.name, entry]));
  const next = new Map(after.map((entry) => [entry.name, entry]));
  const names = [...new Set([...old.keys(), ...next.keys()])];
  return names.flatMap((name) => changesAt(`${list}[${name}]`, '', old.get(name), next.get(name)));
}

/** What differs between two configurations: no secret, and the summary of every other value. */
export function diffConfigs(before: Config, after: Config): ConfigChange[] {
  const { sources: oldSources, destinations: oldDestinations, ...oldRest } = before;
  const { sources, destinations, ...rest } = after;
  return [
    ...changesAt('', '', oldRest, rest),
    ...changesOfList('sources', oldSources, sources),
    ...changesOfList('destinations', oldDestinations, destinations),
  ];
}
