import type { FastifyInstance } from 'fastify';
import type { Ledger } from '../journal/journal.ts';
import { ACCEPTED_OUTCOMES } from './accepted-outcomes.ts';
import type { AdminParts, SourceIntake } from './admin-parts.ts';
import { isoTime } from './views.ts';

const NOTHING: SourceIntake = { outcomes: new Map(), refusedInARow: 0 };

type IntakeJournal = Pick<AdminParts['journal'], 'ledger' | 'listQuarantined'>;

/** In the journal, so that a restart does not hide what was refused before it. */
async function newestQuarantined(journal: IntakeJournal, source: string) {
  const [newest] = (await journal.listQuarantined({ source }, { limit: 1 })).items;
  return newest && { receivedAt: isoTime(newest.receivedAt), reasons: newest.reasons };
}

async function sourceView(
  journal: IntakeJournal,
  source: string,
  { outcomes, refusedInARow, lastAcceptedAt, lastRefusedAt }: SourceIntake,
  stored: Ledger[string] | undefined,
) {
  const refused = [...outcomes].reduce(
    (sum, [outcome, count]) => sum + (ACCEPTED_OUTCOMES.has(outcome) ? 0 : count),
    0,
  );
  const quarantined = stored?.quarantined ?? 0;
  return {
    source,
    outcomes: Object.fromEntries(outcomes),
    refused,
    refusedInARow,
    lastAcceptedAt: isoTime(lastAcceptedAt),
    lastRefusedAt: isoTime(lastRefusedAt),
    quarantined,
    newestQuarantined: quarantined === 0 ? undefined : await newestQuarantined(journal, source),
    malformed: stored?.malformed ?? 0,
  };
}

/** How the webhooks of the last minutes were answered: all configured sources, then others. */
export function intakeRoutes(
  app: FastifyInstance,
  { intake, sources, journal }: Pick<AdminParts, 'intake' | 'sources'> & { journal: IntakeJournal },
): void {
  app.route({
    method: 'GET',
    url: '/intake',
    handler: async () => {
      const ledger = await journal.ledger();
      const { minutes, since, sources: counted, otherPaths } = intake.counts();
      const refusal = intake.refusal();
      const quarantined = Object.keys(ledger).filter((name) => (ledger[name]?.quarantined ?? 0) > 0);
      const names = new Set([...sources.names(), ...counted.keys(), ...quarantined]);
      return {
        minutes,
        since: isoTime(since),
        open: refusal === undefined,
        reason: refusal?.code,
        detail: refusal?.cause ?? refusal?.detail,
        sources: await Promise.all(
          [...names].map((name) => sourceView(journal, name, counted.get(name) ?? NOTHING, ledger[name])),
        ),
        otherPaths,
      };
    },
  });
}
