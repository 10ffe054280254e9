import { type DeliveryMetrics, deliveryMetrics } from '../../capillary/api/delivery-log.ts';
import type { AdminClient } from '../admin-client.ts';
import { type Finding, fail, ok, warn } from '../doctor/finding.ts';
import { formatDuration } from '../time-format.ts';
import type { SourcesAnswer } from './accepted-headers.ts';
import { type WebhookView, viewOf } from './plan-webhook.ts';
import type { Registration } from './registration.ts';
import { findWebhook, RegisterError, valueOf } from './settle-webhook.ts';

export interface RelayCounts {
  /** Events that were received since the beginning of the window. */
  readonly accepted: number;
  /** Those among them that were certainly generated within it, and counted at Capillary. */
  readonly acceptedAfterDelay: number;
  readonly malformed: number;
}

/** What both sides have counted. */
export interface DeliveryStatus {
  readonly webhook: WebhookView;
  /** ISO 8601. */
  readonly since: string;
  readonly until: string;
  readonly capillary: DeliveryMetrics;
  readonly relay: RelayCounts;
  readonly findings: readonly Finding[];
}

const WINDOW_MS = 86_400_000;
/**
 * Capillary counts by the time of generation, the relay by that of receipt: within this time an
 * event is published, and repeated if need be. How soon a delivery is in Capillary's counts is not
 * documented; it is after this time.
 * Source: docs/platforms/capillary.md#patience
 */
const DELAY_MS = 600_000;

function eventCount(count: number): string {
  return count === 1 ? '1 event' : `${count} events`;
}

/** What Capillary has given up. `reconcile` takes it from the log, with its own exit code. */
function givenUpFinding(failed: number, malformed: number, reconciled: string | undefined): Finding {
  const detail = `Capillary has given up ${eventCount(failed)}; bodies that were malformed in that time: ${malformed}`;
  if (reconciled !== undefined)
    return warn(
      'failed',
      detail,
      `\`capillary-relay reconcile --source ${reconciled}\` takes them from Capillary's log, and names what it cannot take`,
    );
  return fail(
    'failed',
    detail,
    "`capillary-relay quarantine list` and `status` show what was refused and why; Capillary's delivery log has each event with the answer it got. With `reconcile` the relay takes them from there (docs/reconciliation.md)",
  );
}

/** More at the relay than Capillary has sent. */
function elsewhereFinding(accepted: number, sent: number, reconciled: string | undefined): Finding {
  const detail = `the relay has ${eventCount(accepted)}, and Capillary has sent ${sent}: ${accepted - sent} came from elsewhere`;
  const fix = 'find other senders to this source: a second webhook, a Neo dataflow, or `send`';
  return reconciled === undefined
    ? fail('difference', detail, fix)
    : warn('difference', `${detail}, or were taken from Capillary's log of an earlier day`, fix);
}

/**
 * Events that were generated in the window and delivered have been received since its beginning;
 * what was received later than the delay after that was generated in it, and what was received the
 * delay before its end has been counted. What Capillary has given up can be at the relay all the
 * same: its answer was lost, or it was taken from the log.
 * @param reconciled name of the source if it has `reconcile`
 */
export function compareCounts(
  { delivered, failed, retrying, pending }: DeliveryMetrics,
  { accepted, acceptedAfterDelay, malformed }: RelayCounts,
  reconciled?: string,
): readonly Finding[] {
  const findings: Finding[] = [];
  if (failed > 0) findings.push(givenUpFinding(failed, malformed, reconciled));
  if (retrying > 0)
    findings.push(
      warn(
        'retrying',
        `Capillary is repeating ${eventCount(retrying)}, and holds up others meanwhile`,
        '`capillary-relay status` shows whether the relay refuses webhooks now',
      ),
    );
  if (pending > 0) findings.push(ok('pending', `not delivered yet: ${eventCount(pending)}`));
  if (delivered > accepted)
    findings.push(
      fail(
        'difference',
        `Capillary has delivered ${eventCount(delivered)}, and the relay has ${accepted}: ${delivered - accepted} are missing here`,
        'find out what answers at webhook.url: another relay, a gateway that answers 200 by itself, or a store that was replaced',
      ),
    );
  else if (delivered + failed < acceptedAfterDelay)
    findings.push(elsewhereFinding(acceptedAfterDelay, delivered + failed, reconciled));
  else
    findings.push(
      ok(
        'difference',
        `none: what the relay has received is what Capillary has delivered, apart from the first and the last ${formatDuration(DELAY_MS)}`,
      ),
    );
  return findings;
}

async function countAtRelay(
  client: Pick<AdminClient, 'get'>,
  source: string,
  since: number,
  until: number,
): Promise<{ readonly accepted: number; readonly malformed: number }> {
  const { sources } = await client.get<SourcesAnswer>('/sources', { source, since, until });
  const events = sources.find((entry) => entry.source === source)?.events;
  if (events === undefined)
    throw new RegisterError(
      `the running relay has no source with the name ${source}`,
      'run `capillary-relay reload`, or compare its configuration with this one',
    );
  return events;
}

/**
 * Capillary's figures of the last day beside those of the relay.
 * @param retentionMs how long the relay keeps records; older ones cannot be counted
 * @throws RegisterError
 */
export async function deliveryStatus(
  { source, wanted, client }: Registration,
  relay: Pick<AdminClient, 'get'>,
  retentionMs: number,
  now: number = Date.now(),
): Promise<DeliveryStatus> {
  const webhook = await findWebhook(client, wanted);
  const group = webhook?.consumerGroupId;
  if (webhook === undefined || group === undefined)
    throw new RegisterError(
      webhook === undefined
        ? `Capillary has no webhook with the name ${wanted.name}`
        : 'Capillary shows no consumer group of the webhook, by which deliveries are counted',
      'run `capillary-relay register apply`',
    );
  const since = now - Math.min(WINDOW_MS, retentionMs);
  const capillary = valueOf(await deliveryMetrics(client, group, { from: since, to: now }));
  const { accepted, malformed } = await countAtRelay(relay, source.name, since, now);
  const from = Math.min(since + DELAY_MS, now);
  const later = await countAtRelay(relay, source.name, from, Math.max(from, now - DELAY_MS));
  const counts = { accepted, acceptedAfterDelay: later.accepted, malformed };
  const inactive = webhook.active
    ? []
    : [
        fail(
          'active',
          'the webhook is inactive: Capillary sends nothing',
          'run `capillary-relay register apply`',
        ),
      ];
  return {
    webhook: viewOf(webhook),
    since: new Date(since).toISOString(),
    until: new Date(now).toISOString(),
    capillary,
    relay: counts,
    findings: [
      ...inactive,
      ...compareCounts(capillary, counts, source.reconcile === undefined ? undefined : source.name),
    ],
  };
}
