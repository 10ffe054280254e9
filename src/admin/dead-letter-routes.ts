import type { FastifyInstance } from 'fastify';
import {
  DEAD_LETTER_STATES,
  deadLetterFilter,
  discardDeadLetters,
  replayDeadLetters,
} from '../operations/dead-letter-actions.ts';
import { checkFilter } from './filter-values.ts';
import { actionView, eventView, replayView } from './views.ts';
import {
  deadLettersQuery,
  discardBody,
  toFilter,
  splitPage,
  listPage,
  parseInput,
  replayBody,
} from './requests.ts';
import { operatorOf } from './access.ts';
import { firstThatFit } from './answer-size.ts';
import type { AdminParts } from './admin-parts.ts';

/** The dead letters: dead events and malformed bodies. */
export function deadLetterRoutes(app: FastifyInstance, parts: AdminParts): void {
  app.route({
    method: 'GET',
    url: '/dead-letters',
    handler: async (request) => {
      const { filter, page } = splitPage(parseInput(deadLettersQuery, request.query));
      await checkFilter(parts, filter, DEAD_LETTER_STATES);
      const { items, next } = await listPage(parts.journal.list(deadLetterFilter(filter), page));
      return { deadLetters: items.map(eventView), next };
    },
  });

  app.route({
    method: 'POST',
    url: '/dead-letters/replay',
    handler: async (request) => {
      const { asNew, refetch, dryRun, ...selection } = parseInput(replayBody, request.body);
      const by = operatorOf(request);
      await checkFilter(parts, selection.filter ?? {}, DEAD_LETTER_STATES, 'filter.');
      const filter = toFilter(selection);
      const result = await replayDeadLetters(parts, { filter, asNew, refetch, by, dryRun });
      const { counts, answer } = actionView(result, eventView);
      parts.observer.actionPerformed({ action: 'dead-letters.replay', by, dryRun, counts });
      return answer;
    },
  });

  app.route({
    method: 'GET',
    url: '/dead-letters/replays',
    handler: async () => ({ replays: firstThatFit((await parts.journal.replays()).map(replayView)) }),
  });

  app.route({
    method: 'POST',
    url: '/dead-letters/discard',
    handler: async (request) => {
      const { dryRun, ...selection } = parseInput(discardBody, request.body);
      const by = operatorOf(request);
      await checkFilter(parts, selection.filter ?? {}, DEAD_LETTER_STATES, 'filter.');
      const result = await discardDeadLetters(parts, { filter: toFilter(selection), by, dryRun });
      const { counts, answer } = actionView(result, eventView);
      parts.observer.actionPerformed({ action: 'dead-letters.discard', by, dryRun, counts });
      return answer;
    },
  });
}
