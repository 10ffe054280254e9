import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { replayEvent } from '../operations/replay-event.ts';
import { ProblemError } from '../http/problems.ts';
import type { EventRecord, Journal } from '../journal/journal.ts';
import { eventView } from './event-view.ts';
import { flag, option } from './fields.ts';
import { eventsQuery } from './filters.ts';
import { readInput } from './input.ts';
import { listed, pageOf } from './listing.ts';
import { operatorOf } from './operator.ts';
import type { AdminParts } from './parts.ts';
import { recordView } from './record-view.ts';

type One = { Params: { receipt: string } };

const recordQuery = z.strictObject({ body: flag(true) });
const replayBody = z.strictObject({ asNew: option() }, { error: 'body: must be {} or {"asNew": true}' });

/** The events: listed, each with its whole history, and replayed one by one. */
export function eventRoutes(app: FastifyInstance, parts: AdminParts): void {
  const { journal, observer } = parts;

  app.route({
    method: 'GET',
    url: '/events',
    handler: async (request) => {
      const { filter, page } = listed(readInput(eventsQuery, request.query));
      const { state, ...rest } = filter;
      const states = state === undefined ? {} : { states: state };
      const { items, next } = await pageOf(journal.list({ ...rest, ...states }, page));
      return { events: items.map(eventView), next };
    },
  });

  app.route<One>({
    method: 'GET',
    url: '/events/:receipt',
    handler: async (request) => {
      const query = readInput(recordQuery, request.query);
      return recordView(await findRecord(journal, request.params.receipt), { content: query.body });
    },
  });

  app.route<One>({
    method: 'POST',
    url: '/events/:receipt/replay',
    handler: async (request) => {
      const { asNew } = readInput(replayBody, request.body ?? {});
      const by = operatorOf(request);
      const record = await findRecord(journal, request.params.receipt);
      const replay = await replayEvent(parts, record, { asNew, by });
      if (!replay.ok) throw new ProblemError('conflict', replay.detail);
      const counts = { matched: 1, replayed: replay.duplicate ? 0 : 1 };
      observer.acted({ action: 'event.replay', by, counts });
      return { ...counts, receipt: replay.receipt };
    },
  });
}

async function findRecord(journal: Pick<Journal, 'find'>, receipt: string): Promise<EventRecord> {
  const record = await journal.find(receipt);
  if (record === undefined) {
    throw new ProblemError(
      'not-found',
      'no event has this receipt or event id; retention may have removed it',
    );
  }
  return record;
}
