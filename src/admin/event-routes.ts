import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { replayEvent } from '../operations/event-replay.ts';
import { whyUnknown } from '../operations/receipt-problems.ts';
import { ProblemError } from '../http/problems.ts';
import type { EventRecord, Journal } from '../journal/journal.ts';
import { eventView, recordView } from './views.ts';
import { eventsQuery, queryFlag, splitPage, bodyFlag, listPage, parseInput } from './requests.ts';
import { operatorOf } from './access.ts';
import { checkFilter } from './filter-values.ts';
import type { AdminParts } from './admin-parts.ts';

type ReceiptRoute = { Params: { receipt: string } };

const recordQuery = z.strictObject({ body: queryFlag(true) });
const replayBody = z.strictObject(
  { asNew: bodyFlag(), refetch: bodyFlag() },
  { error: 'body: must be {}, or have asNew or refetch: {"asNew": true}' },
);

/** The events: listing them, the history of one, and replaying one. */
export function eventRoutes(app: FastifyInstance, parts: AdminParts): void {
  const { journal, sources, reconciliation, observer } = parts;

  app.route({
    method: 'GET',
    url: '/events',
    handler: async (request) => {
      const { filter, page } = splitPage(parseInput(eventsQuery, request.query));
      const { state, ...rest } = filter;
      await checkFilter(parts, filter, state);
      const states = state === undefined ? {} : { states: state };
      const { items, next } = await listPage(journal.list({ ...rest, ...states }, page));
      return { events: items.map(eventView), next };
    },
  });

  app.route<ReceiptRoute>({
    method: 'GET',
    url: '/events/:receipt',
    handler: async (request) => {
      const query = parseInput(recordQuery, request.query);
      const record = await findRecord(journal, request.params.receipt);
      const { receipt, source, destination } = record.event;
      const enrichment = (await journal.enrichments([receipt])).get(receipt);
      const isCompared = reconciliation.targets.some(
        ({ side, name }) => side === 'aep' && name === destination,
      );
      const landing = isCompared ? await journal.landing(receipt) : undefined;
      const { config } = sources.get(source) ?? {};
      return recordView(record, { content: query.body, source: config, enrichment, landing });
    },
  });

  app.route<ReceiptRoute>({
    method: 'POST',
    url: '/events/:receipt/replay',
    handler: async (request) => {
      const options = parseInput(replayBody, request.body === undefined ? {} : request.body);
      const by = operatorOf(request);
      const record = await findReplayable(journal, request.params.receipt);
      const replay = await replayEvent(parts, record, { ...options, by });
      if (!replay.ok) throw new ProblemError('conflict', replay.detail);
      const counts = { matched: 1, replayed: replay.duplicate ? 0 : 1 };
      observer.actionPerformed({ action: 'event.replay', by, counts });
      return { ...counts, receipt: replay.receipt };
    },
  });
}

async function findRecord(
  journal: Pick<Journal, 'find' | 'listQuarantined'>,
  receipt: string,
): Promise<EventRecord> {
  const record = await journal.find(receipt);
  if (record === undefined) throw new ProblemError('not-found', (await whyUnknown(journal, receipt)).detail);
  return record;
}

/** Like `findRecord`; a request in the quarantine is there, but was never accepted. */
async function findReplayable(
  journal: Pick<Journal, 'find' | 'listQuarantined'>,
  receipt: string,
): Promise<EventRecord> {
  const record = await journal.find(receipt);
  if (record !== undefined) return record;
  const { isQuarantined, detail } = await whyUnknown(journal, receipt);
  throw new ProblemError(isQuarantined ? 'conflict' : 'not-found', detail);
}
