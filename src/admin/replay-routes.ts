import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../http/problems.ts';
import { previewSettledReplay, replaySettled, SETTLED_STATES } from '../operations/settled-replay.ts';
import { operatorOf } from './access.ts';
import type { AdminParts } from './admin-parts.ts';
import { firstThatFit } from './answer-size.ts';
import { checkFilter } from './filter-values.ts';
import { replayParams, settledReplayBody } from './replay-request.ts';
import { parseInput, toFilter } from './requests.ts';
import { eventView, replayView } from './views.ts';

const ACTION = 'events.replay';

/** Replays of settled events in any number, and the list of all replays. */
export function replayRoutes(app: FastifyInstance, parts: AdminParts): void {
  const { journal, observer } = parts;

  app.route({
    method: 'POST',
    url: '/events/replay',
    handler: async (request, reply) => {
      const body = parseInput(settledReplayBody, request.body);
      const { asNew, refetch, dryRun, states = SETTLED_STATES, ...selection } = body;
      const by = operatorOf(request);
      await checkFilter(parts, selection.filter ?? {}, states, 'filter.');
      const wanted = { filter: toFilter(selection), states, asNew, refetch, by };
      if (dryRun) {
        const { matched, dryRun: preview, ...more } = await previewSettledReplay(parts, wanted);
        const eligible = preview?.eligible ?? 0;
        observer.actionPerformed({ action: ACTION, by, dryRun, counts: { matched, eligible } });
        const sample = preview?.sample.map(eventView) ?? [];
        return { matched, dryRun: true, eligible, sample, ...listed(more) };
      }
      const result = await replaySettled(parts, wanted);
      if (result.outcome === 'already-running')
        throw new ProblemError('conflict', runningDetail(result.replay));
      const { outcome: _outcome, problems, ...answer } = result;
      const { matched, replayed } = result;
      observer.actionPerformed({ action: ACTION, by, dryRun, counts: { matched, replayed } });
      return reply.status(result.done ? 200 : 202).send({ ...answer, ...listed({ problems }) });
    },
  });

  app.route({
    method: 'GET',
    url: '/replays',
    handler: async () => ({ replays: firstThatFit((await journal.replays()).map(replayView)) }),
  });

  app.route({
    method: 'GET',
    url: '/replays/:id',
    handler: async (request) => {
      const { id } = parseInput(replayParams, request.params);
      const job = (await journal.replays()).find((one) => one.id === id);
      if (job === undefined)
        throw new ProblemError('not-found', 'no replay has this id; the last hundred finished ones are kept');
      return replayView(job);
    },
  });
}

function runningDetail(replay: number): string {
  return `replay ${replay} with the same filter has not finished: GET /admin/v1/replays/${replay} (events replays) shows how far it is`;
}

/** Without the lists that are empty. */
function listed(lists: Readonly<Record<string, readonly unknown[]>>) {
  return Object.fromEntries(Object.entries(lists).filter(([, items]) => items.length > 0));
}
