import { formatFindings } from '../doctor/finding-lines.ts';
import { fail } from '../doctor/finding.ts';
import { formatFitting } from '../fitting-table.ts';
import { toPrintable } from '../table.ts';
import type { AppliedWebhook, PausedWebhook, WebhookPlan, WebhookView } from './plan-webhook.ts';
import type { Outcome } from './registration.ts';
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

function organisationOf({ organisation: { orgId, defaultTill } }: Pick<WebhookPlan, 'organisation'>): string {
  const till = defaultTill === undefined ? '' : `, till ${defaultTill}`;
  return toPrintable(`organisation ${orgId ?? 'unknown'}${till}`);
}

const PLANNED = {
  nothing: 'unchanged',
  create: 'to be created',
  change: 'to be changed',
} as const;

function planLines(plan: WebhookPlan): string[] {
  const what = plan.webhook === undefined ? 'webhook' : nameOf(plan.webhook);
  return [
    `${PLANNED[plan.action]}: ${what}, ${organisationOf(plan)}`,
    ...formatChanges(plan.changes),
    ...findingsOf(plan),
  ];
}

function appliedLines(applied: AppliedWebhook): string[] {
  const { did, webhook, changes, left } = applied;
  return [
    `${did === 'nothing' ? 'unchanged' : did}: ${nameOf(webhook)}, ${organisationOf(applied)}`,
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

export const LINES = { plan: planLines, apply: appliedLines, pause: pausedLines };

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
