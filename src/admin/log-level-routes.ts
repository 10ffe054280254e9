import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { duration } from '../config/field-types.ts';
import { nearest } from '../config/nearest.ts';
import { LOG_LEVELS, type LogLevelControl } from '../telemetry/log-level.ts';
import { operatorOf } from './access.ts';
import type { AdminObserver } from './admin-parts.ts';
import { parseInput } from './requests.ts';
import { isoTime } from './views.ts';

interface LogLevelParts {
  readonly logLevel: LogLevelControl;
  readonly observer: Pick<AdminObserver, 'actionPerformed'>;
}

function levelError(given: unknown): string {
  const meant = typeof given === 'string' ? nearest(given, LOG_LEVELS) : undefined;
  return `must be one of ${LOG_LEVELS.join(', ')}${meant === undefined ? '' : `; did you mean \`${meant}\`?`}`;
}

const BODY_ERROR = 'body: must have a level, such as {"level": "debug"} or {"level": "debug", "for": "10m"}';

const body = z.strictObject(
  {
    level: z.enum(LOG_LEVELS, { error: ({ input }) => levelError(input) }),
    for: duration({ min: '1s', max: '1d' }).optional(),
  },
  { error: (issue) => (issue.code === 'invalid_type' ? BODY_ERROR : undefined) },
);

/** Reading and changing the log level. */
export function logLevelRoutes(app: FastifyInstance, { logLevel, observer }: LogLevelParts): void {
  const view = () => {
    const { until, ...rest } = logLevel.status();
    return { ...rest, until: isoTime(until) };
  };
  app.route({ method: 'GET', url: '/log-level', handler: async () => view() });
  app.route({
    method: 'PUT',
    url: '/log-level',
    handler: async (request) => {
      const by = operatorOf(request);
      const { level, for: durationMs } = parseInput(body, request.body);
      logLevel.set(level, durationMs, () => observer.actionPerformed({ action: 'log-level.set', by, level }));
      return view();
    },
  });
}
