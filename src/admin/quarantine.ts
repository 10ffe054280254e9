import type { FastifyInstance } from 'fastify';
import { discardQuarantined, releaseQuarantined } from '../operations/quarantine.ts';
import { headerNames } from '../operations/raw-headers.ts';
import type { Quarantined } from '../journal/journal.ts';
import { bodyView } from './body-view.ts';
import { quarantineQuery } from './filters.ts';
import { readInput } from './input.ts';
import { isoTime } from './iso-time.ts';
import { listed, pageOf } from './listing.ts';
import { operatorOf } from './operator.ts';
import type { AdminParts } from './parts.ts';
import { filterFrom, quarantineBody } from './selection.ts';

/** The requests that no verifier passed. Values of headers are never shown: they may be credentials. */
export function quarantineRoutes(app: FastifyInstance, parts: AdminParts): void {
  app.route({
    method: 'GET',
    url: '/quarantine',
    handler: async (request) => {
      const { body: content, ...query } = readInput(quarantineQuery, request.query);
      const { filter, page } = listed(query);
      const { items, next } = await pageOf(parts.journal.listQuarantined(filter, page));
      return { quarantined: items.map((item) => quarantinedView(item, content)), next };
    },
  });

  app.route({
    method: 'POST',
    url: '/quarantine/release',
    handler: async (request) => {
      const { dryRun, ...selection } = readInput(quarantineBody, request.body);
      const by = operatorOf(request);
      const counts = await releaseQuarantined(parts, { filter: filterFrom(selection), dryRun });
      parts.observer.acted({ action: 'quarantine.release', by, dryRun, counts: { ...counts } });
      return counts;
    },
  });

  app.route({
    method: 'POST',
    url: '/quarantine/discard',
    handler: async (request) => {
      const { dryRun, ...selection } = readInput(quarantineBody, request.body);
      const by = operatorOf(request);
      const counts = await discardQuarantined(parts, { filter: filterFrom(selection), dryRun });
      parts.observer.acted({ action: 'quarantine.discard', by, dryRun, counts: { ...counts } });
      return counts;
    },
  });
}

function quarantinedView(item: Quarantined, content: boolean) {
  return {
    receipt: item.receipt,
    source: item.source,
    receivedAt: isoTime(item.receivedAt),
    ip: item.ip,
    reasons: item.reasons,
    bytes: item.body.length,
    ...(content ? { headerNames: headerNames(item.rawHeaders), ...bodyView(item.body) } : {}),
  };
}
