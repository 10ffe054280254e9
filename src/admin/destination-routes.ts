import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { suggest } from '../config/nearest.ts';
import { ProblemError } from '../http/problems.ts';
import type { SourceTable } from '../sources/source-table.ts';
import { operatorOf } from './access.ts';
import type { AdminObserver, AnswerView, DestinationDirectory, DestinationView } from './admin-parts.ts';
import { bodyFlag, nonEmptyString, parseInput } from './requests.ts';
import { isoTime } from './views.ts';

interface DestinationParts {
  readonly destinations: DestinationDirectory;
  readonly sources: Pick<SourceTable, 'names'>;
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
      misplaced: parts.destinations.knownMisplaced(),
    }),
  });
  app.route({
    method: 'POST',
    url: '/destinations/reroute',
    handler: async (request) => reroute(parts, request),
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

const rerouteBody = z
  .strictObject({ source: nonEmptyString().optional(), dryRun: bodyFlag() })
  .default({ dryRun: false });

/** Moves pending events to the destination that their source has now. */
async function reroute({ destinations, sources, observer }: DestinationParts, request: FastifyRequest) {
  const { source, dryRun } = parseInput(rerouteBody, request.body ?? undefined);
  const names = sources.names();
  if (source !== undefined && !names.includes(source)) {
    const known = suggest(source, names, `the sources are: ${names.join(', ')}`);
    throw new ProblemError('bad-request', `source: is not configured; ${known}`);
  }
  const moves = (await destinations.misplaced()).filter((move) => move.source === (source ?? move.source));
  const matched = moves.reduce((sum, { pending }) => sum + pending, 0);
  const by = operatorOf(request);
  const rerouted = dryRun || matched === 0 ? 0 : await destinations.reroute(by, source);
  observer.actionPerformed({
    action: 'destinations.reroute',
    by,
    counts: { matched, rerouted },
    dryRun,
    moves,
  });
  return { matched, ...(dryRun ? { dryRun } : { rerouted }), moves };
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
