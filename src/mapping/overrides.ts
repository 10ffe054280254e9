import jsonata from 'jsonata';
import type { BillEntity, CustomerEntity } from '../capillary/entities.ts';
import { isJsonObject, type JsonObject } from '../capillary/json.ts';
import { toTimestamp } from '../capillary/times.ts';
import type { Finding } from '../config/config-error.ts';
import type { SourceConfig } from '../config/config-schema.ts';
import type { SourceDraft } from '../config/draft.ts';

/**
 * The input of an expression: the flat event, what the built-in mapping produces from it
 * (ExperienceEvent and profile fields), and what was read from Capillary's API, if it was.
 */
export interface OverrideInput {
  readonly event: JsonObject;
  readonly mapped: JsonObject;
  readonly profile: JsonObject;
  readonly bill?: BillEntity;
  readonly customer?: CustomerEntity;
}

export type OverridePart = 'event' | 'profile';

/**
 * An override failed. The message names source, event, part and position, and no value of the
 * event.
 */
export class MappingFailure extends Error {
  override name = 'MappingFailure';
}

/** The overrides of one source, ready to run. */
export interface CompiledOverrides {
  /** True if the event has an expression. */
  has(eventName: string): boolean;
  /**
   * The result of the expression: undefined if there is no expression or no result. `input` is
   * called only if there is an expression. `receivedAt` (epoch ms) is its clock, so that mapping an
   * event twice produces the same result. Rejects if the expression fails, exceeds a limit or
   * returns anything but an object; `describeOverrideError` gives the reason.
   */
  run(
    eventName: string,
    part: OverridePart,
    input: () => OverrideInput,
    receivedAt: number,
  ): Promise<JsonObject | undefined>;
  /** All words in an event's expressions; they include the names of the fields that it reads. */
  words(eventName: string): ReadonlySet<string>;
}

/**
 * Milliseconds, nested evaluations and list items of one expression. Regular expressions inside it
 * are not limited.
 */
const LIMITS = { timeout: 250, stack: 500, sequence: 10_000 };

const compiled = new WeakMap<SourceConfig['overrides'], CompiledOverrides>();

/** The compiled overrides of a source, compiled once per configuration. */
export function overridesOf(source: Pick<SourceConfig, 'overrides'>): CompiledOverrides {
  const known = compiled.get(source.overrides) ?? compileOverrides(source);
  compiled.set(source.overrides, known);
  return known;
}

/**
 * Compiles the JSONata expressions of a source.
 * @throws Error that names the expression and its fault
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
    async run(eventName, part, input, receivedAt) {
      const expression = expressions.get(`${eventName} ${part}`);
      return expression === undefined
        ? undefined
        : runSerially(() => retryAfterStall(() => evaluate(expression, input(), receivedAt)));
    },
    words: (eventName) => words.get(eventName) ?? new Set(),
  };
}

/** The expressions that do not compile, as a `SourceCheck` of the configuration. */
export function checkOverrides({ overrides = {} }: SourceDraft): readonly Finding[] {
  return Object.entries(overrides).flatMap(([eventName, parts]) =>
    (['event', 'profile'] as const).flatMap((part) => {
      const message = compileProblem(parts[part]);
      return message === undefined
        ? []
        : [
            {
              path: ['overrides', eventName, part],
              message,
              fix: 'correct the expression; `capillary-relay map` shows its result for an event',
            },
          ];
    }),
  );
}

function compileProblem(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    jsonata(text, LIMITS);
    return undefined;
  } catch (error) {
    return describeCompileError(error);
  }
}

function compile(text: string, place: string): jsonata.Expression {
  try {
    return jsonata(text, LIMITS);
  } catch (error) {
    throw new Error(`${place} ${describeCompileError(error)}`, { cause: error });
  }
}

function describeCompileError(error: unknown): string {
  const { message, position } = asJsonataError(error);
  const place = position === undefined ? '' : ` (at character ${position})`;
  return `is not a valid JSONata expression: ${message}${place}`;
}

/** Evaluations repeated because the machine stalled. */
const MAX_STALL_RETRIES = 5;

/**
 * JSONata measures wall-clock time. If it stopped an expression that had used less CPU time than
 * the limit, the machine was busy. The expression is then evaluated again, so that the event does
 * not become a dead letter.
 */
async function retryAfterStall<T>(run: () => Promise<T>): Promise<T> {
  for (let stalls = 0; ; stalls += 1) {
    const before = process.threadCpuUsage();
    try {
      return await run();
    } catch (error) {
      const { user, system } = process.threadCpuUsage(before);
      const isStall = fieldsOf(error)['code'] === 'D1012' && (user + system) / 1_000 < LIMITS.timeout * 0.8;
      if (!isStall || stalls === MAX_STALL_RETRIES) throw error;
    }
  }
}

/** JSONata throws objects that are not Errors. */
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
    random: refuseRandomness,
    shuffle: refuseRandomness,
  };
  const result: unknown = await expression.evaluate(structuredClone(input), bindings);
  if (result === undefined || result === null) {
    return undefined;
  }
  const text = isFunction(result) ? undefined : JSON.stringify(result);
  const plain: unknown = text === undefined ? undefined : JSON.parse(text);
  if (!isJsonObject(plain)) {
    throw new OverrideError('the result is not an object');
  }
  return plain;
}

/** JSONata represents its functions as marked objects. */
function isFunction(result: unknown): boolean {
  return (
    typeof result === 'function' ||
    (typeof result === 'object' &&
      result !== null &&
      ('_jsonata_function' in result || '_jsonata_lambda' in result))
  );
}

function refuseRandomness(): never {
  throw new OverrideError(
    'random functions are not allowed, because a resent event must produce the same record',
  );
}

/** A fault for which JSONata has no code; the message contains no value of the event. */
class OverrideError extends Error {
  override name = 'OverrideError';
}

let lastEvaluation: Promise<unknown> = Promise.resolve();

/**
 * Runs one evaluation at a time: they never wait for I/O, and concurrent ones would use up each
 * other's time.
 */
function runSerially<T>(work: () => Promise<T>): Promise<T> {
  const evaluation = lastEvaluation.then(work);
  lastEvaluation = evaluation.catch(() => undefined);
  return evaluation;
}

/** JSONata's message can quote values of an event, so it is used only while compiling. */
function asJsonataError(error: unknown): { message: string; position: number | undefined } {
  const { message, position } = fieldsOf(error);
  return {
    message: typeof message === 'string' ? message : 'it cannot be parsed',
    position: typeof position === 'number' ? position : undefined,
  };
}

/** Explains JSONata's codes for the limits above. */
const LIMIT_MESSAGES: Readonly<Record<string, string>> = {
  D1011: ` (it nests deeper than ${LIMITS.stack} levels)`,
  D1012: ` (it runs longer than ${LIMITS.timeout} ms)`,
  D2015: ` (it creates a list of more than ${LIMITS.sequence} items)`,
};

/**
 * The fault of an expression and its position: `JSONata code D3137 at character 9`. Contains no
 * values, unlike JSONata's own message, which can quote the event.
 */
export function describeOverrideError(error: unknown): string {
  const { code, position } = fieldsOf(error);
  const hasCode = typeof code === 'string' && /^[A-Z]\d{4}$/.test(code);
  const ownMessage = error instanceof OverrideError ? error.message : 'it failed without a code';
  const fault = hasCode ? `JSONata code ${code}${LIMIT_MESSAGES[code] ?? ''}` : ownMessage;
  return typeof position === 'number' ? `${fault} at character ${position}` : fault;
}
