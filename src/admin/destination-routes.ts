import type { FastifyInstance, FastifyRequest } from 'fastify';
import { suggest } from '../config/nearest.ts';
import { ProblemError } from '../http/problems.ts';
import { operatorOf } from './access.ts';
import type { AdminObserver, AnswerView, DestinationDirectory, DestinationView } from './admin-parts.ts';
import { isoTime } from './views.ts';

interface DestinationParts {
  readonly destinations: DestinationDirectory;
  readonly observer: Pick<AdminObserver, 'actionPerformed'>;
}

type NamedRoute = { Params: { name: string } };

/** The destinations: listing them, and pausing and resuming one. */
export function destinationRoutes(app: FastifyInstance, parts: DestinationParts): void {
  app.route({
    method: 'GET',
    url: '/destinations',
    handler: async () => ({
      destinations: (await parts.destinations.list()).map(destinationView),
    }),
  });
  app.route<NamedRoute>({
    method: 'POST',
    url: '/destinations/:name/pause',
    handler: async (request) => changeState(parts, request, 'pause'),
  });
  app.route<NamedRoute>({
    method: 'POST',
    url: '/destinations/:name/resume',
    handler: async (request) => changeState(parts, request, 'resume'),
  });
}

async function changeState(
  { destinations, observer }: DestinationParts,
  request: FastifyRequest<NamedRoute>,
  action: 'pause' | 'resume',
) {
  const { name } = request.params;
  const by = operatorOf(request);
  const destination = destinations.get(name);
  if (destination === undefined) return notFound(name, await destinations.list());
  await destination[action](by);
  observer.actionPerformed({ action: `destination.${action}`, by, destination: name });
  const all = await destinations.list();
  return destinationView(all.find((view) => view.name === name) ?? notFound(name, all));
}

function notFound(given: string, all: readonly DestinationView[]): never {
  const names = all.map(({ name }) => name);
  const known = suggest(given, names, `the destinations are: ${names.join(', ')}`);
  throw new ProblemError('not-found', `no destination has this name; ${known}`);
}

function answerView(answer: AnswerView | undefined) {
  return answer === undefined ? undefined : { ...answer, at: isoTime(answer.at) };
}

function destinationView(view: DestinationView) {
  const { since, nextTryAt, lastSuccessAt, oldestPendingAt, lastAnswers, ...rest } = view;
  return {
    ...rest,
    lastAnswers: { inlet: answerView(lastAnswers.inlet), ims: answerView(lastAnswers.ims) },
    since: isoTime(since),
    nextTryAt: isoTime(nextTryAt),
    lastSuccessAt: isoTime(lastSuccessAt),
    oldestPendingAt: isoTime(oldestPendingAt),
  };
}
