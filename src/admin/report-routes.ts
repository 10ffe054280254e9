import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Journal, SharedContact } from '../journal/journal.ts';
import type { Landings } from '../journal/landings.ts';
import type { SourceTable } from '../sources/source-table.ts';
import type { CoverageSource, ReconciliationSource } from './admin-parts.ts';
import { fieldsThatFit } from './answer-size.ts';
import { checkSource } from './filter-values.ts';
import { ledgerView } from './ledger-view.ts';
import { nonEmptyString, parseInput } from './requests.ts';
import { isoTime } from './views.ts';

/** The ledger: the counts of all events by state, and what is known of both ends. */
export function ledgerRoutes(
  app: FastifyInstance,
  {
    journal,
    sources,
    reconciliation,
  }: {
    readonly journal: Pick<Journal, 'ledger'> & Pick<Landings, 'landings'>;
    readonly sources: Pick<SourceTable, 'get' | 'names'>;
    readonly reconciliation: Pick<ReconciliationSource, 'report' | 'targets'>;
  },
): void {
  app.route({
    method: 'GET',
    url: '/ledger',
    handler: async () => {
      const { targets } = reconciliation;
      const compared = targets.flatMap(({ side, name }) => (side === 'aep' ? [name] : []));
      const report = targets.length === 0 ? undefined : await reconciliation.report();
      return ledgerView({
        ledger: await journal.ledger(),
        configured: sources.names(),
        sent: new Map((report?.sources ?? []).map((one) => [one.source, one])),
        landings: compared.length === 0 ? {} : await journal.landings(),
        isCompared: (name) => compared.includes(sources.get(name)?.config.destination ?? ''),
      });
    },
  });
}

function sharedContactView({ source, destination, kind, masked, at }: SharedContact) {
  return { source, destination, kind, contact: masked, since: isoTime(at) };
}

const query = z.strictObject({ source: nonEmptyString().optional(), eventName: nonEmptyString().optional() });

/** Shared contacts in one answer; the newest are listed. */
const MAX_LISTED_CONTACTS = 100;

/** The payload fields that the mapping does not read, and the contacts that it does not link. */
export function coverageRoutes(
  app: FastifyInstance,
  {
    coverage,
    journal,
    sources,
  }: {
    readonly coverage: CoverageSource;
    readonly journal: Pick<Journal, 'sharedContacts' | 'ledger'>;
    readonly sources: Pick<SourceTable, 'names'>;
  },
): void {
  app.route({
    method: 'GET',
    url: '/coverage',
    handler: async (request) => {
      const filter = parseInput(query, request.query);
      await checkSource({ journal, sources }, filter.source);
      const { since, events } = await coverage.report(filter);
      const { contacts, total } = await journal.sharedContacts({
        ...(filter.source === undefined ? {} : { source: filter.source }),
        limit: MAX_LISTED_CONTACTS,
      });
      return {
        since: isoTime(since),
        events: fieldsThatFit(events),
        sharedContacts: contacts.map(sharedContactView),
        moreSharedContacts: total - contacts.length,
      };
    },
  });
}
