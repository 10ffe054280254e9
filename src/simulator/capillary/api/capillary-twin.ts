import { createRandom } from '../../random.ts';
import type { GeneratedEvent } from '../capillary-events.ts';
import { type ApiTokens, createApiTokens } from './api-tokens.ts';
import { type CallLimit, createCallLimit } from './call-limit.ts';
import type { CapillarySettings } from './capillary-options.ts';
import { createDeliveryRecords, type DeliveryRecord, type DeliveryRecords } from './delivery-records.ts';
import { orgOf, recordOf } from './raised-event.ts';
import { createWebhookDelivery } from './webhook-delivery.ts';
import type { TwinWebhook } from './webhook-object.ts';
import { createWebhookStore, type WebhookStore } from './webhook-store.ts';

/** The simulated Capillary of one organisation, shared by its routes. */
export interface CapillaryTwin {
  /** The organisation's id. */
  readonly org: number;
  readonly settings: CapillarySettings;
  readonly tokens: ApiTokens;
  readonly limit: CallLimit;
  readonly webhooks: WebhookStore;
  /** The delivery log. */
  readonly log: Pick<DeliveryRecords, 'list'>;
  /** Calls by method and path of their route, and by outcome. */
  readonly calls: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Number of events raised. */
  readonly raised: () => number;
  /** Counts a call; `outcome` is a status, `hang`, `reset` or `gone`. */
  countCall(route: string, outcome: string): void;
  /**
   * An event has happened in the organisation: it is queued for every active webhook that lists its
   * name. Its body has all identifiers, till and store; each webhook gets what it switches on.
   */
  raise(event: GeneratedEvent): void;
  /** Clears counts, queues and the delivery log, and the webhooks too if asked. */
  reset(objects: boolean): void;
  close(): Promise<void>;
}

export interface TwinDependencies {
  /** Epoch ms. */
  readonly now: () => number;
  /** For random choices. */
  readonly seed: number;
  /** Called after an attempt to deliver an event. */
  readonly onChange: () => void;
}

/** Whether the webhook lists the event; one of a child organisation only if it listens to those. */
function isFor(webhook: TwinWebhook, event: GeneratedEvent): boolean {
  const { active, eventNames, listenToChildEvents, webHookType } = webhook.fields;
  const isOwn = (orgOf(event) ?? webhook.orgId) === webhook.orgId;
  return (
    active &&
    webhook.delivers &&
    webHookType === 'HTTP' &&
    eventNames.includes(event.name) &&
    (isOwn || listenToChildEvents)
  );
}

export function createCapillaryTwin(settings: CapillarySettings, given: TwinDependencies): CapillaryTwin {
  const { now, onChange } = given;
  const random = createRandom(given.seed);
  const calls = new Map<string, Map<string, number>>();
  const log = createDeliveryRecords(settings.maxLogged);
  let raised = 0;
  const delivery = createWebhookDelivery({
    webhookOf: (record: DeliveryRecord) => webhooks.get(record.orgId, record.webhookId),
    retryScale: settings.retryScale,
    timeoutMs: settings.responseTimeoutMs,
    repeats: () => random() < settings.duplicates,
    hosts: settings.hosts,
    now,
    onChange,
  });
  const webhooks = createWebhookStore(settings.webhooks, settings.orgId, now, ({ id }) => delivery.wake(id));

  return {
    org: settings.orgId,
    settings,
    tokens: createApiTokens(settings, now),
    limit: createCallLimit(settings.callsPerMinute, now),
    webhooks,
    log,
    calls,
    raised: () => raised,
    countCall: (route, outcome) => {
      const counts = calls.get(route) ?? new Map<string, number>();
      calls.set(route, counts.set(outcome, (counts.get(outcome) ?? 0) + 1));
    },
    raise: (event) => {
      raised += 1;
      for (const webhook of webhooks.list(settings.orgId)) {
        if (!isFor(webhook, event)) continue;
        const record = recordOf(event, webhook, now());
        log.add(record);
        delivery.enqueue(record);
      }
    },
    reset: (objects) => {
      raised = 0;
      calls.clear();
      log.clear();
      delivery.clear();
      if (objects) webhooks.clear();
    },
    close: () => delivery.close(),
  };
}
