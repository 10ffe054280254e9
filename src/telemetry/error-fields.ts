/** What a log line tells of an error. */
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

/** Messages of the engine that quote the value they are about: `Unexpected token 'x', "…" is not valid JSON`, `Invalid count value: …`. */
const QUOTING = new Set(['SyntaxError', 'RangeError']);

/** The message without what it quotes, and the stack, which begins with the message, likewise. */
function wordsOf({ name, message, stack }: Error): { message: string; stack?: string } {
  if (!QUOTING.has(name)) return { message, ...(stack === undefined ? {} : { stack }) };
  const told = /^[^'":]*/.exec(message)?.[0].trim() ?? '';
  const frames = stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return {
    message: told,
    ...(frames.length === 0 ? {} : { stack: [`${name}: ${told}`, ...frames].join('\n') }),
  };
}

/**
 * Type, message, code, stack and causes of an error, and nothing else: other properties of an error hold what was sent and answered
 * (requests, headers, bodies), which are no matter for a log.
 */
export function errorFields(error: unknown, depth = 0): ErrorFields {
  if (!(error instanceof Error))
    return { type: typeof error, message: typeof error === 'string' ? error : 'not an Error' };
  const deeper = depth < MAX_DEPTH;
  return {
    type: error.name,
    ...codeOf(error),
    ...wordsOf(error),
    ...(deeper && error.cause !== undefined ? { cause: errorFields(error.cause, depth + 1) } : {}),
    ...(deeper && error instanceof AggregateError
      ? { errors: error.errors.slice(0, MAX_ERRORS).map((one) => errorFields(one, depth + 1)) }
      : {}),
  };
}
