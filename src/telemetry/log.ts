import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from './log-level.ts';
import { createStandardOutput, LOG_NAME } from './log-output.ts';
import { redactLine } from './redaction.ts';

/** The fields of an error in a log line. */
export interface ErrorFields {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorFields;
  /** Of an AggregateError, as Node throws when no address of a host could be reached. */
  readonly errors?: readonly ErrorFields[];
}

const MAX_DEPTH = 3;
const MAX_ERRORS = 5;

function codeOf(error: Error): { code?: string } {
  return 'code' in error && (typeof error.code === 'string' || typeof error.code === 'number')
    ? { code: String(error.code) }
    : {};
}

/**
 * Errors of the engine whose messages quote the value they are about:
 * `Unexpected token 'x', "…" is not valid JSON`, `Invalid count value: …`.
 */
const QUOTING_ERRORS = new Set(['SyntaxError', 'RangeError']);

/**
 * Message and stack without quoted values. A stack repeats the message, so only its frames are
 * used.
 */
function messageAndStack({ name, message, stack }: Error): { message: string; stack?: string } {
  if (!QUOTING_ERRORS.has(name)) return { message, ...(stack === undefined ? {} : { stack }) };
  const safe = /^[^'":]*/.exec(message)?.[0].trim() ?? '';
  const frames = stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return {
    message: safe,
    ...(frames.length === 0 ? {} : { stack: [`${name}: ${safe}`, ...frames].join('\n') }),
  };
}

/**
 * Type, message, code, stack and causes of an error, and nothing else: other properties can hold
 * requests, headers and bodies, which do not belong in a log.
 */
export function errorFields(error: unknown, depth = 0): ErrorFields {
  if (!(error instanceof Error))
    return { type: typeof error, message: typeof error === 'string' ? error : 'not an Error' };
  const deeper = depth < MAX_DEPTH;
  return {
    type: error.name,
    ...codeOf(error),
    ...messageAndStack(error),
    ...(deeper && error.cause !== undefined ? { cause: errorFields(error.cause, depth + 1) } : {}),
    ...(deeper && error instanceof AggregateError
      ? { errors: error.errors.slice(0, MAX_ERRORS).map((inner) => errorFields(inner, depth + 1)) }
      : {}),
  };
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Standard output by default. */
  readonly destination?: DestinationStream;
}

interface RequestLike {
  readonly method?: string;
  readonly url?: string;
}

/** Without headers and query: both can contain a token. */
function requestFields({ method, url }: RequestLike) {
  return { method, path: url?.split('?')[0] };
}

/**
 * A logger that writes one JSON object per line, with ISO times and level names. Secrets are
 * removed from the finished line, wherever they come from: fields, child bindings, messages or
 * stacks.
 */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  return pino(
    {
      name: LOG_NAME,
      level,
      base: {},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: errorFields, error: errorFields, req: requestFields },
      hooks: { streamWrite: redactLine },
    },
    destination ?? createStandardOutput(),
  );
}
