import type { FastifyInstance } from 'fastify';
import { ConfigError, type ConfigProblem } from '../config/config-error.ts';
import type { RunningConfig } from '../config/running-config.ts';
import { problem } from '../http/problems.ts';
import { operatorOf } from './access.ts';
import type { AdminObserver } from './admin-parts.ts';

interface ConfigParts {
  readonly config: Pick<RunningConfig, 'reload'>;
  readonly observer: Pick<AdminObserver, 'actionPerformed'>;
}

/** Of a long list; `check` prints all of them. */
const MAX_PROBLEMS = 100;

function problemView({ path, message, fix, line, column }: ConfigProblem) {
  return { path, message, fix, line, column };
}

/** Reading the configuration again. */
export function configRoutes(app: FastifyInstance, { config, observer }: ConfigParts): void {
  app.route({
    method: 'POST',
    url: '/config/reload',
    handler: async (request, reply) => {
      const by = operatorOf(request);
      try {
        const result = await config.reload();
        const counts = { changed: result.changed.length, needsRestart: result.needsRestart.length };
        observer.actionPerformed({ action: 'config.reload', by, counts });
        return { ...result, warnings: result.warnings.slice(0, MAX_PROBLEMS).map(problemView) };
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        const { file, problems } = error;
        const answer = problem(
          'invalid-config',
          `${file}: problems: ${problems.length}; nothing has changed`,
        );
        void reply.code(answer.status).type('application/problem+json');
        return { ...answer, file, problems: problems.slice(0, MAX_PROBLEMS).map(problemView) };
      }
    },
  });
}
