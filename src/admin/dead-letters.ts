import type { FastifyInstance } from 'fastify';
import { deadLetterFilter } from '../operations/dead-letter-filter.ts';
import { discardDeadLetters } from '../operations/discard.ts';
import { replayDeadLetters } from '../operations/replay.ts';
import { eventView } from './event-view.ts';
import { deadLettersQuery } from './filters.ts';
import { readInput } from './input.ts';
import { listed, pageOf } from './listing.ts';
import { operatorOf } from './operator.ts';
import type { AdminParts } from './parts.ts';
import { replayView } from './replay-view.ts';
import { discardBody, filterFrom, replayBody } from './selection.ts';

/** The dead letters: buried events and malformed bodies. */
export function deadLetterRoutes(app: FastifyInstance, parts: AdminParts): void {
  app.route({
    method: 'GET',
    url: '/dead-letters',
    handler: async (request) => {
      const { filter, page } = listed(readInput(deadLettersQuery, request.query));
      const { items, next } = await pageOf(parts.journal.list(deadLetterFilter(filter), page));
      return { deadLetters: items.map(eventView), next };
    },
  });

  app.route({
    method: 'POST',
    url: '/dead-letters/replay',
    handler: async (request) => {
      const { asNew, dryRun, ...selection } = readInput(replayBody, request.body);
      const by = operatorOf(request);
      const counts = await replayDeadLetters(parts, { filter: filterFrom(selection), asNew, by, dryRun });
      parts.observer.acted({ action: 'dead-letters.replay', by, dryRun, counts: { ...counts } });
      return counts;
    },
  });

  app.route({
    method: 'GET',
    url: '/dead-letters/replays',
    handler: async () => ({ replays: (await parts.journal.replays()).map(replayView) }),
  });

  app.route({
    method: 'POST',
    url: '/dead-letters/discard',
    handler: async (request) => {
      const { dryRun, ...selection } = readInput(discardBody, request.body);
      const by = operatorOf(request);
      const counts = await discardDeadLetters(parts, { filter: filterFrom(selection), by, dryRun });
      parts.observer.acted({ action: 'dead-letters.discard', by, dryRun, counts: { ...counts } });
      return counts;
    },
  });
}
