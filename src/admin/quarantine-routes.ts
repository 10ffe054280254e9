import type { FastifyInstance } from 'fastify';
import { discardQuarantined, headerNames, releaseQuarantined } from '../operations/quarantine-actions.ts';
import type { Quarantined } from '../journal/journal.ts';
import { bodyView, isoTime } from './views.ts';
import { toFilter, splitPage, listPage, quarantineBody, quarantineQuery, parseInput } from './requests.ts';
import { operatorOf } from './access.ts';
import type { AdminParts } from './admin-parts.ts';

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
      const { items, next } = await listPage(parts.journal.listQuarantined(filter, page));
      return { quarantined: items.map((item) => quarantinedView(item, content)), next };
    },
  });

  app.route({
    method: 'POST',
    url: '/quarantine/release',
    handler: async (request) => {
      const { dryRun, ...selection } = parseInput(quarantineBody, request.body);
      const by = operatorOf(request);
      const counts = await releaseQuarantined(parts, { filter: toFilter(selection), dryRun });
      parts.observer.actionPerformed({ action: 'quarantine.release', by, dryRun, counts: { ...counts } });
      return counts;
    },
  });

  app.route({
    method: 'POST',
    url: '/quarantine/discard',
    handler: async (request) => {
      const { dryRun, ...selection } = parseInput(quarantineBody, request.body);
      const by = operatorOf(request);
      const counts = await discardQuarantined(parts, { filter: toFilter(selection), dryRun });
      parts.observer.actionPerformed({ action: 'quarantine.discard', by, dryRun, counts: { ...counts } });
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
