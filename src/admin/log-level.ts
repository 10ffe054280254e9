import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type LogLevel, logLevels } from '../config/schema.ts';
import { duration } from '../config/units.ts';
import { readInput } from './input.ts';
import { isoTime } from './iso-time.ts';
import type { AdminObserver } from './observer.ts';
import { operatorOf } from './operator.ts';

/** The level of the log while the relay runs. */
export interface LogLevelControl {
  /** `until`: epoch ms at which it falls back to the configured one by itself. */
  status(): { readonly level: LogLevel; readonly configured: LogLevel; readonly until: number | undefined };
  /** @param lasts ms; undefined: until it is set again, or a restart. @param record writes the line of the change, at any level */
  set(level: LogLevel, lasts: number | undefined, record: () => void): void;
}

interface LogLevelParts {
  readonly logLevel: LogLevelControl;
  readonly observer: Pick<AdminObserver, 'acted'>;
}

const LEVEL = `must be one of ${logLevels.join(', ')}`;
const BODY = 'body: give a level, such as {"level": "debug"} or {"level": "debug", "for": "10m"}';

const body = z.strictObject(
  {
    level: z.enum(logLevels, { error: LEVEL }),
    for: duration({ min: '1s', max: '1d' }).optional(),
  },
  { error: (issue) => (issue.code === 'invalid_type' ? BODY : undefined) },
);

/** How much is logged. */
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
      const { level, for: lasts } = readInput(body, request.body);
      logLevel.set(level, lasts, () => observer.acted({ action: 'log-level.set', by, level }));
      return view();
    },
  });
}
