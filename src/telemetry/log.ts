import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from '../config/schema.ts';
import { errorFields } from './error-fields.ts';
import { redactLine } from './redaction.ts';
import { createStandardOutput } from './gathered-output.ts';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Standard output by default. */
  readonly destination?: DestinationStream;
}

interface RequestLike {
  readonly method?: string;
  readonly url?: string;
}

/** Without the query, which may carry a token, and without headers. */
function requestFields({ method, url }: RequestLike) {
  return { method, path: url?.split('?')[0] };
}

/**
 * A logger of one JSON object per line with ISO times and level names. Secrets are taken out of the finished line, wherever they
 * come from: fields, child bindings, messages, stacks.
 */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  return pino(
    {
      name: 'capillary-aep-relay',
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
