import type { FastifyInstance } from 'fastify';
import type { AdminParts, SourceIntake } from './admin-parts.ts';
import { isoTime } from './views.ts';

/** Outcomes of webhooks that were answered 200. */
const ACCEPTED = new Set(['accepted', 'duplicate', 'partly-malformed']);

const NOTHING: SourceIntake = { outcomes: new Map(), refusedInARow: 0 };

function sourceView(
  source: string,
  { outcomes, refusedInARow, lastAcceptedAt, lastRefusedAt }: SourceIntake,
  quarantined: number,
) {
  const refused = [...outcomes].reduce(
    (sum, [outcome, count]) => sum + (ACCEPTED.has(outcome) ? 0 : count),
    0,
  );
  return {
    source,
    outcomes: Object.fromEntries(outcomes),
    refused,
    refusedInARow,
    lastAcceptedAt: isoTime(lastAcceptedAt),
    lastRefusedAt: isoTime(lastRefusedAt),
    quarantined,
  };
}

/** How the webhooks of the last minutes were answered: all configured sources, then others. */
export function intakeRoutes(
  app: FastifyInstance,
  { intake, sources, journal }: Pick<AdminParts, 'intake' | 'sources'> & { journal: Ledgers },
): void {
  app.route({
    method: 'GET',
    url: '/intake',
    handler: async () => {
      const ledger = await journal.ledger();
      const { minutes, since, sources: counted } = intake.counts();
      const refusal = intake.refusal();
      const quarantined = Object.keys(ledger).filter((name) => (ledger[name]?.quarantined ?? 0) > 0);
      const names = new Set([...sources.names(), ...counted.keys(), ...quarantined]);
      return {
        minutes,
        since: isoTime(since),
        open: refusal === undefined,
        reason: refusal?.code,
        detail: refusal?.detail,
        sources: [...names].map((name) =>
          sourceView(name, counted.get(name) ?? NOTHING, ledger[name]?.quarantined ?? 0),
        ),
      };
    },
  });
}

type Ledgers = Pick<AdminParts['journal'], 'ledger'>;
