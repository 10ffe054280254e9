import { listWebhooks, offeredEvents, shownUrl, type Webhook } from '../../capillary/api/webhooks.ts';
import { isHeaderAccepted } from '../../sources/webhook-header.ts';
import type { Finding } from '../doctor/finding.ts';
import { RegisterError, settleWebhook, valueOf } from './settle-webhook.ts';
import { completeObject, mergedWebhook, newWebhook } from './wanted-webhook.ts';
import { changesOf, fieldsOf, type WebhookChange } from './webhook-changes.ts';
import { HEADER_FIX, webhookFindings } from './webhook-findings.ts';
import { matchWebhook } from './webhook-match.ts';
import type { Registration } from './registration.ts';

/** A webhook without its headers and other secrets, for output. */
export interface WebhookView {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly active: boolean;
  readonly consumerGroupId?: string;
}

export function viewOf({ id, name, url, active, consumerGroupId }: Webhook): WebhookView {
  return {
    id,
    name,
    url: shownUrl(url),
    active,
    ...(consumerGroupId === undefined ? {} : { consumerGroupId }),
  };
}

/** What `apply` would do. */
export interface WebhookPlan {
  readonly organisation: Registration['claims'];
  readonly action: 'nothing' | 'create' | 'change';
  /** Absent if it does not exist. */
  readonly webhook?: WebhookView;
  readonly changes: readonly WebhookChange[];
  readonly findings: readonly Finding[];
}

/** Compares Capillary with the configuration. Reads only. */
export async function planWebhook({ source, wanted, client, claims }: Registration): Promise<WebhookPlan> {
  const match = matchWebhook(valueOf(await listWebhooks(client)), wanted);
  if (match.kind === 'unclear') throw new RegisterError(match.why, match.fix);
  const offered = await offeredEvents(client);
  const findings = webhookFindings(source, wanted, { claims, match, offered });
  if (match.kind === 'none')
    return { organisation: claims, action: 'create', changes: fieldsOf(wanted), findings };
  const changes = changesOf(match.webhook, wanted);
  return {
    organisation: claims,
    action: changes.length === 0 ? 'nothing' : 'change',
    webhook: viewOf(match.webhook),
    changes,
    findings,
  };
}

/** What `apply` did. */
export interface AppliedWebhook extends Omit<WebhookPlan, 'action'> {
  readonly did: 'nothing' | 'created' | 'changed';
  readonly webhook: WebhookView;
  /** Switches that Capillary has left as they were: its support has to set them. */
  readonly left: readonly string[];
}

/**
 * Capillary does not repeat an event that is answered 401.
 * @throws RegisterError if the header would be set although the source refuses it
 */
function assertAccepted({ source, wanted }: Registration, { action, changes }: WebhookPlan): void {
  const isSet = action === 'create' || changes.some(({ field }) => field.startsWith('webHookHeaders.'));
  if (!isSet || isHeaderAccepted(source.verify, wanted.header)) return;
  throw new RegisterError(
    `no verifier of the source accepts the header ${wanted.header.name} with the value of webhook.header; nothing was changed`,
    HEADER_FIX,
  );
}

/**
 * Makes the webhook what the configuration says, and confirms it with a GET.
 * @throws RegisterError
 */
export async function applyWebhook(registration: Registration): Promise<AppliedWebhook> {
  const plan = await planWebhook(registration);
  assertAccepted(registration, plan);
  const { findings, changes, organisation } = plan;
  const { client, wanted } = registration;
  const optional = new Set<string>();
  const settled = await settleWebhook(client, {
    wanted,
    create: newWebhook(wanted),
    differences: (webhook) =>
      changesOf(webhook, wanted).map(({ field, needsTicket }) => {
        if (needsTicket === true) optional.add(field);
        return field;
      }),
    optional,
    replace: (webhook) => mergedWebhook(webhook, wanted),
  });
  const { webhook, did, left } = settled;
  return {
    organisation,
    did,
    webhook: viewOf(webhook),
    changes,
    left,
    findings: remaining(findings, webhook),
  };
}

/** The webhook is active now, and has the configured header. */
function remaining(findings: readonly Finding[], { active }: Webhook): readonly Finding[] {
  return findings.filter(({ check }) => check !== 'rotation' && !(check === 'active' && active));
}

/** What `pause` did. */
export interface PausedWebhook {
  readonly did: 'nothing' | 'created' | 'changed';
  readonly webhook: WebhookView;
}

/** Makes Capillary stop sending; nothing else of the webhook changes. */
export async function pauseWebhook({ client, wanted }: Registration): Promise<PausedWebhook> {
  const { webhook, did } = await settleWebhook(client, {
    wanted,
    differences: ({ active }) => (active ? ['active'] : []),
    replace: (found) => completeObject(found, { active: false }),
  });
  return { did, webhook: viewOf(webhook) };
}
