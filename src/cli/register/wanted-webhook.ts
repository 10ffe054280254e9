import type { Webhook } from '../../capillary/api/webhooks.ts';
import type { JsonObject } from '../../capillary/json.ts';
import { RECOMMENDED_EVENTS } from '../../capillary/recommended-events.ts';
import type { WebhookConfig } from '../../config/capillary-config.ts';

/** What the relay sets in its webhook; all else stays as it is at Capillary. */
export interface WantedWebhook {
  readonly name: string;
  readonly url: string;
  readonly eventNames: readonly string[];
  readonly maxConnections: number;
  readonly header: { readonly name: string; readonly value: string };
}

export function wantedOf({ events, ...rest }: WebhookConfig): WantedWebhook {
  return { ...rest, eventNames: events === 'recommended' ? RECOMMENDED_EVENTS : [...new Set(events)] };
}

/**
 * Without them most events have no e-mail, phone or external id.
 * Source: docs/platforms/capillary.md#webhook-object
 */
const WANTED_IDENTIFIERS = ['Instore', 'cardnumbers'] as const;

/** Without them purchases and points have no code or name of the store. */
export const WANTED_SWITCHES = ['tillDetailsEnrichmentEnabled', 'storeDetailsEnrichmentEnabled'] as const;

/** The identifiers that the webhook lacks. */
export function missingIdentifiers({ identifiers }: Pick<Webhook, 'identifiers'>): readonly string[] {
  const present = identifiers.map((name) => name.toLowerCase());
  return WANTED_IDENTIFIERS.filter((wanted) => !present.includes(wanted.toLowerCase()));
}

/** Whether two names are of the same header. */
export function isSameHeader(name: string, other: string): boolean {
  return name.toLowerCase() === other.toLowerCase();
}

/** One header in place of all spellings of its name: one that comes twice is refused. */
export function headersWith(
  headers: Readonly<Record<string, string>>,
  { name, value }: WantedWebhook['header'],
): Record<string, string> {
  const others = Object.entries(headers).filter(([key]) => !isSameHeader(key, name));
  return { ...Object.fromEntries(others), [name]: value };
}

/** A new webhook: all fields that samples of requests have. */
export function newWebhook(wanted: WantedWebhook): JsonObject {
  return {
    name: wanted.name,
    active: true,
    webHookType: 'HTTP',
    methodType: 'POST',
    webHookUrl: wanted.url,
    webHookHeaders: { ...headersWith({}, wanted.header) },
    eventNames: [...wanted.eventNames],
    maxAllowedConnections: wanted.maxConnections,
    customerIdentifiersToBeEnriched: [...WANTED_IDENTIFIERS],
    tillDetailsEnrichmentEnabled: true,
    storeDetailsEnrichmentEnabled: true,
    awardedReferenceEnrichmentEnabled: false,
    availablePointsBalanceEnrichmentEnabled: false,
    neoEnrichment: {},
    listenToChildEvents: false,
  };
}

/** What Capillary assigns, or shows in a GET only. */
const ASSIGNED: ReadonlySet<string> = new Set([
  'webHookId',
  'consumerGroupId',
  'attribution',
  'possibleValues',
]);

/**
 * The complete object for a PUT: what is left out would be reset, and null is refused.
 * Source: docs/platforms/capillary.md#webhook-object
 * @param changes fields with other values than at present
 */
export function completeObject({ object }: Webhook, changes: JsonObject): JsonObject {
  const kept = Object.entries(object).filter(([key, value]) => !ASSIGNED.has(key) && value !== null);
  return { ...Object.fromEntries(kept), ...changes };
}

/** The webhook as it is to be. Its name stays: Capillary does not change it. */
export function mergedWebhook(webhook: Webhook, wanted: WantedWebhook): JsonObject {
  return completeObject(webhook, {
    active: true,
    webHookType: 'HTTP',
    methodType: 'POST',
    webHookUrl: wanted.url,
    webHookHeaders: headersWith(webhook.headers, wanted.header),
    eventNames: [...wanted.eventNames],
    maxAllowedConnections: wanted.maxConnections,
    // Those of other sources that somebody has switched on are kept.
    customerIdentifiersToBeEnriched: [...webhook.identifiers, ...missingIdentifiers(webhook)],
    ...Object.fromEntries(WANTED_SWITCHES.map((name) => [name, true])),
  });
}
