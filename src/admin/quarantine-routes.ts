import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { shortId } from '../capillary/event-id.ts';
import { eventIdIn, eventNameIn } from '../capillary/event-parser.ts';
import { ProblemError } from '../http/problems.ts';
import {
  discardQuarantined,
  headersOf,
  releaseQuarantined,
  verifyAgain,
} from '../operations/quarantine-actions.ts';
import { pagesOf } from '../operations/journal-pages.ts';
import { whyUnknown } from '../operations/receipt-problems.ts';
import type { Quarantined } from '../journal/journal.ts';
import { checkSource } from './filter-values.ts';
import { actionView, bodyView, isoTime } from './views.ts';
import {
  toFilter,
  splitPage,
  listPage,
  quarantineBody,
  quarantineQuery,
  parseInput,
  queryFlag,
} from './requests.ts';
import { operatorOf } from './access.ts';
import type { AdminParts } from './admin-parts.ts';

const showQuery = z.strictObject({ body: queryFlag(false) });

/** Bytes. The body comes from an unknown sender, so a larger one is not parsed for its name. */
const MAX_PARSED_BYTES = 65_536;
/** Newest requests in which an event id is searched; Capillary's retries alone are about ten. */
const MAX_SEARCHED = 200;
/** Requests with their bodies in memory at once. */
const SEARCH_PAGE = 20;
/** Of each request, so that short headers do not make a page long. */
const MAX_HEADERS = 100;

/**
 * The requests that failed verification: listing, releasing and discarding them. Header values are
 * never shown, because they may be credentials.
 */
export function quarantineRoutes(app: FastifyInstance, parts: AdminParts): void {
  app.route({
    method: 'GET',
    url: '/quarantine',
    handler: async (request) => {
      const { body: content, ...query } = parseInput(quarantineQuery, request.query);
      const { filter, page } = splitPage(query);
      await checkSource(parts, filter.source);
      const { items, next } = await listPage(parts.journal.listQuarantined(filter, page));
      return { quarantined: await quarantinedViews(items, content), next };
    },
  });

  app.route<{ Params: { receipt: string } }>({
    method: 'GET',
    url: '/quarantine/:receipt',
    handler: async (request) => {
      const { body: content } = parseInput(showQuery, request.query);
      const { receipt } = request.params;
      const item = await findQuarantined(parts, receipt);
      if (item === undefined) throw new ProblemError('not-found', await whyAbsent(parts, receipt));
      const verdict = verifyAgain(parts, item);
      return {
        ...quarantinedView(item, content),
        releasable: verdict.ok,
        problem: verdict.ok ? undefined : verdict.detail,
        expected: parts.sources.get(item.source)?.verifier.names ?? [],
      };
    },
  });

  app.route({
    method: 'POST',
    url: '/quarantine/release',
    handler: async (request) => {
      const { dryRun, ...selection } = parseInput(quarantineBody, request.body);
      const by = operatorOf(request);
      await checkSource(parts, selection.filter?.source, 'filter.');
      const result = await releaseQuarantined(parts, {
        filter: toFilter(selection),
        by,
        dryRun,
        onReleased: (source) => parts.intake.released(source),
      });
      const { counts, answer } = actionView(result, quarantinedView);
      parts.observer.actionPerformed({ action: 'quarantine.release', by, dryRun, counts });
      return answer;
    },
  });

  app.route({
    method: 'POST',
    url: '/quarantine/discard',
    handler: async (request) => {
      const { dryRun, ...selection } = parseInput(quarantineBody, request.body);
      const by = operatorOf(request);
      await checkSource(parts, selection.filter?.source, 'filter.');
      const result = await discardQuarantined(parts, { filter: toFilter(selection), dryRun });
      const { counts, answer } = actionView(result, quarantinedView);
      parts.observer.actionPerformed({ action: 'quarantine.discard', by, dryRun, counts });
      return answer;
    },
  });
}

/**
 * The request with this receipt, else the newest with this event id. The ids are not indexed, so
 * they are searched in the newest requests only.
 */
async function findQuarantined({ journal }: AdminParts, id: string): Promise<Quarantined | undefined> {
  const [named] = (await journal.listQuarantined({ receipts: [id] }, { limit: 1 })).items;
  // What was accepted is no longer here, and has a history of its own.
  if (named !== undefined || (await journal.find(id)) !== undefined) return named;
  const wanted = shortId(id);
  let searched = 0;
  for await (const items of pagesOf((page) => journal.listQuarantined({}, page), SEARCH_PAGE)) {
    for (const item of items) {
      await nextTurn();
      if (item.body.length <= MAX_PARSED_BYTES && eventIdIn(item.body) === wanted) return item;
    }
    searched += items.length;
    if (searched >= MAX_SEARCHED) return undefined;
  }
  return undefined;
}

async function whyAbsent({ journal }: AdminParts, receipt: string): Promise<string> {
  const record = await journal.find(receipt);
  return record === undefined
    ? (await whyUnknown(journal, receipt)).detail
    : `it is not in the quarantine: it was accepted and is ${record.event.state}`;
}

/** Webhooks are served between two of them: the bodies of a page are large enough to parse. */
async function quarantinedViews(items: readonly Quarantined[], content: boolean) {
  const views = [];
  for (const item of items) {
    await nextTurn();
    views.push(quarantinedView(item, content));
  }
  return views;
}

function quarantinedView(item: Quarantined, content = false) {
  const headers = headersOf(item.rawHeaders.slice(0, 2 * MAX_HEADERS));
  return {
    receipt: item.receipt,
    source: item.source,
    receivedAt: isoTime(item.receivedAt),
    ip: item.ip,
    reasons: item.reasons,
    eventName: item.body.length > MAX_PARSED_BYTES ? undefined : eventNameIn(item.body),
    bytes: item.body.length,
    headers,
    ...(content ? { headerNames: headers.map(({ name }) => name), ...bodyView(item.body) } : {}),
  };
}
