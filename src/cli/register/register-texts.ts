import { formatFindings } from '../doctor/finding-lines.ts';
import { fail } from '../doctor/finding.ts';
import { formatFitting } from '../fitting-table.ts';
import { formatTable, toPrintable } from '../table.ts';
import { formatTime } from '../time-format.ts';
import type { DeliveryStatus } from './delivery-status.ts';
import type { AppliedWebhook, PausedWebhook, WebhookPlan, WebhookView } from './plan-webhook.ts';
import type { Outcome } from './registration.ts';
import type { Rotation } from './rotate-header.ts';
import type { WebhookChange } from './webhook-changes.ts';

function nameOf({ name, id, consumerGroupId }: WebhookView): string {
  const group = consumerGroupId === undefined ? '' : `, consumer group ${consumerGroupId}`;
  return toPrintable(`webhook ${name} (${id}${group})`);
}

function formatChanges(changes: readonly WebhookChange[]): string[] {
  if (changes.length === 0) return [];
  return formatFitting(changes, [
    { heading: 'FIELD', cell: ({ field }) => field },
    { heading: 'AT CAPILLARY', cell: ({ now }) => now, cutTo: 20, below: 'at Capillary' },
    { heading: 'CONFIGURED', cell: ({ wanted }) => wanted, cutTo: 20, below: 'configured' },
  ])
    .split('\n')
    .map((line) => `  ${line}`);
}

function findingsOf({ findings }: Pick<WebhookPlan, 'findings'>): string[] {
  return findings.length === 0 ? [] : [formatFindings(findings)];
}

/** Where an API client belongs to, in words. */
export function formatOrganisation({ orgId, defaultTill }: WebhookPlan['organisation']): string {
  const till = defaultTill === undefined ? '' : `, default till ${defaultTill}`;
  return toPrintable(`organisation ${orgId ?? 'unknown'}${till}`);
}

const PLANNED = {
  nothing: 'unchanged',
  create: 'to be created',
  change: 'to be changed',
} as const;

function planLines(plan: WebhookPlan): string[] {
  const what = plan.webhook === undefined ? 'a webhook' : nameOf(plan.webhook);
  return [
    `${PLANNED[plan.action]}: ${what}, ${formatOrganisation(plan.organisation)}`,
    ...formatChanges(plan.changes),
    ...findingsOf(plan),
  ];
}

function appliedLines(applied: AppliedWebhook): string[] {
  const { did, webhook, changes, left } = applied;
  return [
    `${did === 'nothing' ? 'unchanged' : did}: ${nameOf(webhook)}, ${formatOrganisation(applied.organisation)}`,
    ...(did === 'changed' ? formatChanges(changes.filter(({ field }) => !left.includes(field))) : []),
    ...left.map((field) => `Capillary has left ${field} as it was: ask its support to switch it on`),
    ...findingsOf(applied),
  ];
}

function pausedLines({ did, webhook }: PausedWebhook): string[] {
  const state =
    did === 'nothing' ? 'was inactive already' : 'is inactive: events of this time are not sent later';
  return [`${nameOf(webhook)} ${state}; \`capillary-relay register apply\` resumes it`];
}

function statusLines(status: DeliveryStatus): string[] {
  const { webhook, since, until, capillary, relay, findings } = status;
  const rows = [
    { what: 'delivered', capillary: capillary.delivered, relay: relay.accepted },
    { what: 'failed', capillary: capillary.failed, relay: undefined },
    { what: 'malformed', capillary: undefined, relay: relay.malformed },
    { what: 'retrying', capillary: capillary.retrying, relay: undefined },
    { what: 'pending', capillary: capillary.pending, relay: undefined },
    { what: 'all', capillary: capillary.total, relay: undefined },
  ];
  const table = formatTable(rows, [
    { heading: 'EVENTS', cell: ({ what }) => what },
    { heading: 'CAPILLARY', cell: ({ capillary: count }) => count },
    { heading: 'RELAY', cell: ({ relay: count }) => count },
  ]);
  return [
    `${nameOf(webhook)}, ${webhook.active ? 'active' : 'inactive'}`,
    `from ${formatTime(since)} to ${formatTime(until)}`,
    ...table.split('\n').map((line) => `  ${line}`),
    formatFindings(findings),
  ];
}

const ROTATED = {
  rotated: 'Capillary sends the new value, and a webhook has come with it',
  finished: 'Capillary sends the configured value, and a webhook has come with it',
  nothing: 'there is no new value',
} as const;

function rotatedLines({ did, dropped, todo }: Rotation): string[] {
  return [
    dropped ? `${ROTATED[did]}; the former value is not accepted any more` : ROTATED[did],
    ...(todo === undefined ? [] : [todo]),
  ];
}

export const LINES = {
  plan: planLines,
  apply: appliedLines,
  pause: pausedLines,
  status: statusLines,
  rotate: rotatedLines,
};

/** The outcomes of all sources as text, each after the name of its source. */
export function formatOutcomes<T>(outcomes: readonly Outcome<T>[], lines: (value: T) => string[]): string {
  return outcomes
    .map((outcome) => {
      if (outcome.ok) return [`${outcome.source}: ${lines(outcome.value).join('\n')}`].join('\n');
      const { source, error, fix } = outcome;
      const finding =
        fix === undefined
          ? { check: source, level: 'fail' as const, detail: error }
          : fail(source, error, fix);
      return formatFindings([finding]);
    })
    .join('\n\n');
}
