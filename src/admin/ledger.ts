import type { FastifyInstance } from 'fastify';
import type { Journal, Ledger, SourceCounts } from '../journal/journal.ts';

/** The accounts of one source or of all. `balanced`: nothing that was accepted is unaccounted for. */
export interface LedgerLine extends SourceCounts {
  readonly balanced: boolean;
}

export interface LedgerView extends LedgerLine {
  readonly sources: Readonly<Record<string, LedgerLine>>;
}

const EMPTY: SourceCounts = {
  accepted: 0,
  pending: 0,
  delivered: 0,
  ignored: 0,
  dead: 0,
  malformed: 0,
  quarantined: 0,
};

/** Adds up the sources; `balanced` of the whole holds only if each source's does. */
export function ledgerView(ledger: Ledger): LedgerView {
  const sources = Object.fromEntries(Object.entries(ledger).map(([name, counts]) => [name, line(counts)]));
  const total = Object.values(ledger).reduce(plus, EMPTY);
  const balanced = Object.values(sources).every((source) => source.balanced);
  return { ...total, balanced, sources };
}

function line(counts: SourceCounts): LedgerLine {
  return { ...counts, balanced: isBalanced(counts) };
}

function isBalanced({ accepted, pending, delivered, ignored, dead }: SourceCounts): boolean {
  return accepted === pending + delivered + ignored + dead;
}

function plus(a: SourceCounts, b: SourceCounts): SourceCounts {
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

export function ledgerRoutes(
  app: FastifyInstance,
  { journal }: { readonly journal: Pick<Journal, 'ledger'> },
): void {
  app.route({ method: 'GET', url: '/ledger', handler: async () => ledgerView(await journal.ledger()) });
}
