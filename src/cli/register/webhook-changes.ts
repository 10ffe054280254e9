import { shownUrl, type Webhook } from '../../capillary/api/webhooks.ts';
import { toPrintable } from '../table.ts';
import {
  headersWith,
  isSameHeader,
  missingIdentifiers,
  WANTED_SWITCHES,
  type WantedWebhook,
} from './wanted-webhook.ts';

/** One difference between the webhook at Capillary and the configuration. No secrets. */
export interface WebhookChange {
  /** Field of Capillary's object; of a header `webHookHeaders.<name>`. */
  readonly field: string;
  /** As text, at Capillary. */
  readonly now: string;
  readonly wanted: string;
  /** Of events: those that the configuration has and Capillary lacks. */
  readonly missing?: readonly string[];
  /** Of events: those that Capillary has and the configuration lacks. */
  readonly additional?: readonly string[];
  /** Capillary may leave it as it is: its support has to switch it. */
  readonly needsTicket?: true;
}

/** Stands for a webhook that does not exist. */
const ABSENT: Webhook = {
  id: '',
  name: '',
  url: '',
  type: '',
  active: false,
  headers: {},
  eventNames: [],
  identifiers: [],
  object: {},
};

function eventChange(webhook: Webhook, wanted: WantedWebhook): WebhookChange[] {
  const missing = wanted.eventNames.filter((name) => !webhook.eventNames.includes(name));
  const additional = webhook.eventNames.filter((name) => !wanted.eventNames.includes(name));
  if (missing.length === 0 && additional.length === 0) return [];
  const lists = [
    ...(missing.length === 0 ? [] : [`add ${missing.join(', ')}`]),
    ...(additional.length === 0 ? [] : [`remove ${additional.join(', ')}`]),
  ];
  return [
    {
      field: 'eventNames',
      now: webhook.eventNames.length === 0 ? 'none' : `${webhook.eventNames.length} events`,
      wanted: lists.join('; '),
      missing,
      additional,
    },
  ];
}

function headerChange({ headers }: Webhook, { header }: WantedWebhook): WebhookChange[] {
  const same = Object.entries(headers).filter(([name]) => isSameHeader(name, header.name));
  const field = `webHookHeaders.${header.name}`;
  if (same.length > 1) return [{ field, now: `${same.length} times`, wanted: 'once' }];
  const [found] = same;
  if (found === undefined) return [{ field, now: 'absent', wanted: 'the configured value' }];
  return found[1] === headersWith(headers, header)[header.name]
    ? []
    : [{ field, now: 'another value', wanted: 'the configured value' }];
}

function plainChange(webhook: Webhook, field: string, wanted: string | number | boolean): WebhookChange[] {
  const now = webhook.object[field];
  if (now === wanted) return [];
  return [{ field, now: toPrintable(now) || 'absent', wanted: String(wanted) }];
}

/** The URLs without what is not shown. */
function urlChange({ url }: Webhook, wanted: WantedWebhook): WebhookChange[] {
  if (url === wanted.url) return [];
  const now = toPrintable(shownUrl(url)) || 'absent';
  const configured = shownUrl(wanted.url);
  const field = 'webHookUrl';
  if (now !== configured) return [{ field, now, wanted: configured }];
  return [{ field, now: `${now}, with another query or user`, wanted: configured }];
}

function identifierChange(webhook: Webhook): WebhookChange[] {
  const missing = missingIdentifiers(webhook);
  if (missing.length === 0) return [];
  const now = webhook.identifiers.join(', ') || 'none';
  return [
    { field: 'customerIdentifiersToBeEnriched', now, wanted: `add ${missing.join(', ')}`, needsTicket: true },
  ];
}

function switchChanges(webhook: Webhook): WebhookChange[] {
  return WANTED_SWITCHES.flatMap((name) =>
    plainChange(webhook, name, true).map((change) => ({ ...change, needsTicket: true as const })),
  );
}

/** What a new webhook would have, in the same form as the changes of an existing one. */
export function fieldsOf(wanted: WantedWebhook): readonly WebhookChange[] {
  return changesOf(ABSENT, wanted);
}

/** What a PUT would change, in the order of its importance. */
export function changesOf(webhook: Webhook, wanted: WantedWebhook): readonly WebhookChange[] {
  return [
    ...plainChange(webhook, 'active', true),
    ...urlChange(webhook, wanted),
    ...plainChange(webhook, 'webHookType', 'HTTP'),
    ...plainChange(webhook, 'methodType', 'POST'),
    ...headerChange(webhook, wanted),
    ...eventChange(webhook, wanted),
    ...plainChange(webhook, 'maxAllowedConnections', wanted.maxConnections),
    ...identifierChange(webhook),
    ...switchChanges(webhook),
  ];
}
