import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { suggest } from '../config/nearest.ts';
import { ProblemError } from '../http/problems.ts';
import { MAX_OPEN_RUNS, type RunTarget } from '../reconciliation/run-requests.ts';
import { operatorOf } from './access.ts';
import type { AdminObserver, ReconciliationSource } from './admin-parts.ts';
import { destinationReconciliationView, runView, sourceReconciliationView } from './reconciliation-view.ts';
import { nonEmptyString, parseInput } from './requests.ts';
import { timeField } from './time-field.ts';

interface ReconciliationParts {
  readonly reconciliation: ReconciliationSource;
  readonly observer: Pick<AdminObserver, 'actionPerformed'>;
  /** Epoch ms. */
  readonly now: () => number;
}

const DAY_MS = 86_400_000;
/** How far back both sides can see (docs/platforms/capillary.md#delivery-log). */
const MAX_SINCE_DAYS = 30;
const SINCE_ERROR = `must be in the past, at most ${MAX_SINCE_DAYS} days ago`;
const FLAG_ERROR = 'must be true or false; omit it to do as the configuration says';
const BODY_ERROR = 'body: must be {}, or have source or destination, since and resend';

const runBody = z
  .strictObject(
    {
      source: nonEmptyString().optional(),
      destination: nonEmptyString().optional(),
      since: timeField().optional(),
      resend: z.boolean({ error: FLAG_ERROR }).optional(),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? BODY_ERROR : undefined) },
  )
  .refine(({ source, destination }) => source === undefined || destination === undefined, {
    error: 'cannot be given with source; omit both to run all',
    path: ['destination'],
  })
  .refine(({ destination, resend }) => destination === undefined || resend === undefined, {
    error: 'is for sources: events are taken from the log of Capillary',
    path: ['resend'],
  });

function bad(detail: string): never {
  throw new ProblemError('bad-request', detail);
}

function targetsOf(
  { targets }: ReconciliationSource,
  {
    source,
    destination,
  }: { readonly source?: string | undefined; readonly destination?: string | undefined },
): readonly RunTarget[] {
  if (targets.length === 0) bad('no source and no destination has `reconcile` in the configuration');
  const key = source === undefined ? 'destination' : 'source';
  const name = source ?? destination;
  if (name === undefined) return targets;
  const ofSide = targets.filter(({ side }) => (side === 'capillary') === (key === 'source'));
  const found = ofSide.filter((target) => target.name === name);
  if (found.length > 0) return found;
  const names = ofSide.map((target) => target.name);
  return bad(
    names.length === 0
      ? `${key}: no ${key} has \`reconcile\` in the configuration`
      : `${key}: no ${key} of this name has \`reconcile\`; ${suggest(name, names, `known: ${names.join(', ')}`)}`,
  );
}

async function requestRun(parts: ReconciliationParts, request: FastifyRequest) {
  const { reconciliation, observer, now } = parts;
  const { since, resend, ...given } = parseInput(runBody, request.body ?? {});
  const targets = targetsOf(reconciliation, given);
  if (since !== undefined && (since > now() || since < now() - MAX_SINCE_DAYS * DAY_MS))
    bad(`since: ${SINCE_ERROR}`);
  const by = operatorOf(request);
  const id = await reconciliation.request(
    {
      by,
      ...(since === undefined ? {} : { since }),
      ...(resend === undefined ? {} : { resend }),
    },
    targets,
  );
  if (id === undefined)
    throw new ProblemError('conflict', `${MAX_OPEN_RUNS} runs have not ended yet; wait for them`);
  observer.actionPerformed({ action: 'reconciliation.run', by, counts: { targets: targets.length } });
  return { run: id, targets };
}

/** What was compared with Capillary and AEP, and what differs. */
export function reconciliationRoutes(app: FastifyInstance, parts: ReconciliationParts): void {
  const { reconciliation } = parts;
  app.route({
    method: 'GET',
    url: '/reconciliation',
    handler: async () => {
      const { sources, destinations } = await reconciliation.report();
      return {
        sources: sources.map(sourceReconciliationView),
        destinations: destinations.map(destinationReconciliationView),
        runs: (await reconciliation.runs()).map(runView),
      };
    },
  });
  app.route({
    method: 'POST',
    url: '/reconciliation/run',
    handler: async (request, reply) => {
      const answer = await requestRun(parts, request);
      void reply.status(202);
      return answer;
    },
  });
}
