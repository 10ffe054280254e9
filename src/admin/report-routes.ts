import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Journal, Ledger, SharedContact, SourceCounts } from '../journal/journal.ts';
import type { SourceTable } from '../sources/source-table.ts';
import type { CoverageSource } from './admin-parts.ts';
import { fieldsThatFit } from './answer-size.ts';
import { checkSource } from './filter-values.ts';
import { nonEmptyString, parseInput } from './requests.ts';
import { isoTime } from './views.ts';

/** Counts of one source or of all. `balanced`: every accepted event is accounted for. */
export interface LedgerLine extends SourceCounts {
  readonly balanced: boolean;
}

/** Pending events of a source that is not configured wait until it is. */
export interface SourceLine extends LedgerLine {
  readonly configured: boolean;
}

export interface LedgerView extends LedgerLine {
  readonly sources: Readonly<Record<string, SourceLine>>;
}

const NO_COUNTS: SourceCounts = {
  accepted: 0,
  pending: 0,
  delivered: 0,
  ignored: 0,
  dead: 0,
  malformed: 0,
  quarantined: 0,
};

/** Adds up the sources. The total is balanced only if each source is. */
export function ledgerView(ledger: Ledger, configured: readonly string[]): LedgerView {
  const sources = Object.fromEntries(
    Object.entries(ledger).map(([name, counts]) => [
      name,
      { ...lineOf(counts), configured: configured.includes(name) },
    ]),
  );
  const total = Object.values(ledger).reduce(add, NO_COUNTS);
  const balanced = Object.values(sources).every((source) => source.balanced);
  return { ...total, balanced, sources };
}

function lineOf(counts: SourceCounts): LedgerLine {
  return { ...counts, balanced: isBalanced(counts) };
}

function isBalanced({ accepted, pending, delivered, ignored, dead }: SourceCounts): boolean {
  return accepted === pending + delivered + ignored + dead;
}

function add(a: SourceCounts, b: SourceCounts): SourceCounts {
  return {
    accepted: a.accepted + b.accepted,
    pending: a.pending + b.pending,
    delivered: a.delivered + b.delivered,
    ignored: a.ignored + b.ignored,
    dead: a.dead + b.dead,
    malformed: a.malformed + b.malformed,
    quarantined: a.quarantined + b.quarantined,
  };
}

/** The ledger: the counts of all events by state. */
export function ledgerRoutes(
  app: FastifyInstance,
  {
    journal,
    sources,
  }: { readonly journal: Pick<Journal, 'ledger'>; readonly sources: Pick<SourceTable, 'names'> },
): void {
  app.route({
    method: 'GET',
    url: '/ledger',
    handler: async () => ledgerView(await journal.ledger(), sources.names()),
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
