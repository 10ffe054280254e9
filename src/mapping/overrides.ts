import jsonata from 'jsonata';
import { isJsonObject, type JsonObject } from '../capillary/json.ts';
import { toTimestamp } from '../capillary/times.ts';
import type { SourceConfig } from '../config/schema.ts';

/**
 * What an expression sees: the flat event, and the ExperienceEvent and the profile fields that the built-in
 * mapping made of it.
 */
export interface OverrideInput {
  readonly event: JsonObject;
  readonly mapped: JsonObject;
  readonly profile: JsonObject;
}

export type OverridePart = 'event' | 'profile';

/** The overrides of one source, ready to run. */
export interface CompiledOverrides {
  /** Whether there is an expression for the event: without one there is nothing to run, nor to wait for. */
  has(eventName: string): boolean;
  /**
   * What the expression gives: undefined when there is none or it gives nothing. `see` is called only where
   * there is one; `receivedAt` (epoch ms) is its clock, so that an event mapped twice gives the same. Rejects
   * when the expression fails, runs too long or too deep, or gives anything but an object: `overrideFault` says why.
   */
  run(
    eventName: string,
    part: OverridePart,
    see: () => OverrideInput,
    receivedAt: number,
  ): Promise<JsonObject | undefined>;
  /** The words of an event's expressions: the names of all fields that they read are among them. */
  words(eventName: string): ReadonlySet<string>;
}

/**
 * Milliseconds, nested evaluations and list items that one expression may use. A regular expression inside it
 * is not bounded.
 */
const BOUNDS = { timeout: 250, stack: 500, sequence: 10_000 };

const compiled = new WeakMap<SourceConfig['overrides'], CompiledOverrides>();

/** `compileOverrides`, done once per configuration. */
export function overridesOf(source: Pick<SourceConfig, 'overrides'>): CompiledOverrides {
  const known = compiled.get(source.overrides) ?? compileOverrides(source);
  compiled.set(source.overrides, known);
  return known;
}

/**
 * Compiles the JSONata expressions of a source. Throws an Error that names the expression and says what is
 * wrong with it.
 */
export function compileOverrides(source: Pick<SourceConfig, 'overrides'>): CompiledOverrides {
  const expressions = new Map<string, jsonata.Expression>();
  const words = new Map<string, ReadonlySet<string>>();
  for (const [eventName, parts] of Object.entries(source.overrides)) {
    words.set(
      eventName,
      new Set(
        Object.values(parts)
          .join(' ')
          .match(/[\p{L}_][\p{L}\p{N}_]*/gu),
      ),
    );
    for (const part of ['event', 'profile'] as const) {
      const text = parts[part];
      if (text !== undefined) {
        expressions.set(`${eventName} ${part}`, compile(text, `overrides.${eventName}.${part}`));
      }
    }
  }
  return {
    has: (eventName) => words.has(eventName),
    async run(eventName, part, see, receivedAt) {
      const expression = expressions.get(`${eventName} ${part}`);
      return expression === undefined
        ? undefined
        : inTurn(() => patiently(() => evaluate(expression, see(), receivedAt)));
    },
    words: (eventName) => words.get(eventName) ?? new Set(),
  };
}

function compile(text: string, place: string): jsonata.Expression {
  try {
    return jsonata(text, BOUNDS);
  } catch (error) {
    const { message, position } = asJsonataError(error);
    throw new Error(
      `${place} is no JSONata expression: ${message}${position === undefined ? '' : ` (at character ${position})`}`,
      {
        cause: error,
      },
    );
  }
}

/** Evaluations of one expression that a stalled machine may cut short. */
const STALLS = 5;

/**
 * JSONata measures its time by the clock. An expression that was cut short before it had used that time itself was held up by the machine, and is
 * evaluated again: an event must not be buried for that.
 */
async function patiently<T>(run: () => Promise<T>): Promise<T> {
  for (let stalls = 0; ; stalls += 1) {
    const before = process.threadCpuUsage();
    try {
      return await run();
    } catch (error) {
      const { user, system } = process.threadCpuUsage(before);
      const isStall = fieldsOf(error)['code'] === 'D1012' && (user + system) / 1_000 < BOUNDS.timeout * 0.8;
      if (!isStall || stalls === STALLS) throw error;
    }
  }
}

/** What JSONata throws is an object, and no Error. */
function fieldsOf(error: unknown): Readonly<Record<string, unknown>> {
  return (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
}

async function evaluate(
  expression: jsonata.Expression,
  input: OverrideInput,
  receivedAt: number,
): Promise<JsonObject | undefined> {
  const bindings = {
    now: () => toTimestamp(receivedAt),
    millis: () => receivedAt,
    random: refuseChance,
    shuffle: refuseChance,
  };
  const result: unknown = await expression.evaluate(structuredClone(input), bindings);
  if (result === undefined || result === null) {
    return undefined;
  }
  const text = isFunction(result) ? undefined : JSON.stringify(result);
  const plain: unknown = text === undefined ? undefined : JSON.parse(text);
  if (!isJsonObject(plain)) {
    throw new OverrideFault('it gives something else than an object');
  }
  return plain;
}

/** JSONata gives its functions as objects with a mark. */
function isFunction(result: unknown): boolean {
  return (
    typeof result === 'function' ||
    (typeof result === 'object' &&
      result !== null &&
      ('_jsonata_function' in result || '_jsonata_lambda' in result))
  );
}

function refuseChance(): never {
  throw new OverrideFault('it asks for chance, and a resent event must give the same record');
}

/** Something wrong with an override that JSONata has no code for; the message holds no value of the event. */
class OverrideFault extends Error {
  override name = 'OverrideFault';
}

let lastTurn: Promise<unknown> = Promise.resolve();

/**
 * One evaluation at a time: they never wait for anything, and side by side each would use up the time of the
 * others.
 */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = lastTurn.then(work);
  lastTurn = turn.catch(() => undefined);
  return turn;
}

/**
 * The message of what JSONata throws may quote values of the event, so it is for the check of a
 * configuration only.
 */
function asJsonataError(error: unknown): { message: string; position: number | undefined } {
  const { message, position } = fieldsOf(error);
  return {
    message: typeof message === 'string' ? message : 'it cannot be read',
    position: typeof position === 'number' ? position : undefined,
  };
}

/** Codes of JSONata that an author meets by the bounds above. */
const BOUND_WORDS: Readonly<Record<string, string>> = {
  D1011: ` (it nests deeper than ${BOUNDS.stack} levels)`,
  D1012: ` (it runs longer than ${BOUNDS.timeout} ms)`,
  D2015: ` (it makes a list of more than ${BOUNDS.sequence} items)`,
};

/**
 * What went wrong in an expression, and where in its text: `JSONata code D3137 at character 9`. Free of values, unlike JSONata's own message,
 * which may quote the event.
 */
export function overrideFault(error: unknown): string {
  const { code, position } = fieldsOf(error);
  const hasCode = typeof code === 'string' && /^[A-Z]\d{4}$/.test(code);
  const ownWords = error instanceof OverrideFault ? error.message : 'it fails without a code';
  const what = hasCode ? `JSONata code ${code}${BOUND_WORDS[code] ?? ''}` : ownWords;
  return typeof position === 'number' ? `${what} at character ${position}` : what;
}
