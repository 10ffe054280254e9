import { idText } from '../capillary/identifiers.ts';
import { isJsonObject, type JsonValue } from '../capillary/json.ts';

/** A value and the event that said it. */
export interface Said<Value> {
  readonly value: Value;
  /** Epoch ms of the event. */
  readonly at: number;
}

/** What events have said about a loyalty program. */
export interface Program {
  name?: Said<string>;
  isDefault?: Said<boolean>;
  /** Names of its tiers, by number. */
  readonly tiers: Map<string, Said<string>>;
}

/** A bound on memory; no brand has nearly as many. */
const MAX_TIERS = 200;
/** The time of what is known already is stored at most this often. */
const MIN_NEWS_MS = 86_400_000;

/** Whether more than its id is known. */
export function isDescribed({ name, isDefault, tiers }: Program): boolean {
  return name !== undefined || isDefault !== undefined || tiers.size > 0;
}

function compare(a: string | boolean, b: string | boolean): number {
  return Number(a > b) - Number(a < b);
}

/** The newer one; of two values of the same time the greater one, whatever their order. */
function newerOf<Value extends string | boolean>(
  known: Said<Value> | undefined,
  said: Said<Value>,
): Said<Value> {
  const isOlder = known !== undefined && (said.at - known.at || compare(said.value, known.value)) < 0;
  return isOlder ? known : said;
}

/** Most events say again what is known, and that is not worth a write. */
function isNews<Value>(known: Said<Value> | undefined, next: Said<Value>): boolean {
  return next.value !== known?.value || next.at - known.at >= MIN_NEWS_MS;
}

/**
 * Adds to a program what is said about it. The newest value wins, in whatever order they come.
 * @returns whether something changed that must be stored
 */
export function mergeProgram(program: Program, said: Program): boolean {
  let hasChanged = false;
  const merge = <Value extends string | boolean>(
    known: Said<Value> | undefined,
    next: Said<Value>,
  ): Said<Value> => {
    const newer = newerOf(known, next);
    hasChanged ||= isNews(known, newer);
    return newer;
  };
  if (said.name !== undefined) program.name = merge(program.name, said.name);
  if (said.isDefault !== undefined) program.isDefault = merge(program.isDefault, said.isDefault);
  for (const [number, name] of said.tiers) {
    const known = program.tiers.get(number);
    if (known !== undefined || program.tiers.size < MAX_TIERS) program.tiers.set(number, merge(known, name));
  }
  return hasChanged;
}

export function programsToJson(programs: ReadonlyMap<string, Program>): JsonValue {
  return [...programs].map(([id, { name, isDefault, tiers }]) => ({
    id,
    ...(name === undefined ? {} : { name: { ...name } }),
    ...(isDefault === undefined ? {} : { isDefault: { ...isDefault } }),
    tiers: Object.fromEntries([...tiers].map(([number, said]) => [number, { ...said }])),
  }));
}

/** The programs in the text of `programsToJson`; what is not understood is left out. */
export function programsFromJson(json: string): readonly (readonly [id: string, program: Program])[] {
  const parsed: unknown = JSON.parse(json);
  return (Array.isArray(parsed) ? parsed : []).flatMap((stored: unknown) => {
    const id = isJsonObject(stored) ? idText(stored['id']) : undefined;
    return id === undefined || !isJsonObject(stored) ? [] : [[id, programFromJson(stored)] as const];
  });
}

function programFromJson(stored: { readonly [key: string]: JsonValue | undefined }): Program {
  const program: Program = { tiers: new Map() };
  const name = saidIn(stored['name']);
  if (typeof name?.value === 'string') program.name = { value: name.value, at: name.at };
  const isDefault = saidIn(stored['isDefault']);
  if (typeof isDefault?.value === 'boolean') program.isDefault = { value: isDefault.value, at: isDefault.at };
  for (const [number, tier] of Object.entries(isJsonObject(stored['tiers']) ? stored['tiers'] : {})) {
    const said = saidIn(tier);
    if (typeof said?.value === 'string') program.tiers.set(number, { value: said.value, at: said.at });
  }
  return program;
}

function saidIn(value: JsonValue | undefined): Said<JsonValue> | undefined {
  if (!isJsonObject(value)) return undefined;
  const { value: said, at } = value;
  return said === undefined || typeof at !== 'number' ? undefined : { value: said, at };
}
