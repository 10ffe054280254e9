import { createRandom } from '../../random.ts';
import type { GeneratedEvent } from '../capillary-events.ts';
import type { World } from '../world/world.ts';
import { lazyWorld } from '../world/world-settings.ts';
import { type ApiTokens, createApiTokens } from './api-tokens.ts';
import { type CallLimit, createCallLimit } from './call-limit.ts';
import type { CapillarySettings } from './capillary-options.ts';
import { createDeliveryRecords, type DeliveryRecord, type DeliveryRecords } from './delivery-records.ts';
import { createEventRuns, type EventRun, type EventRuns, type RaiseOptions } from './event-run.ts';
import { type EndedDelivery, endedRecordOf, orgOf, recordOf } from './raised-event.ts';
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
  readonly log: Pick<DeliveryRecords, 'list' | 'size' | 'slice' | 'metrics' | 'forget'>;
  /** The organisation's customers, bills and points. */
  readonly world: World;
  /** Calls by method and path of their route, and by outcome. */
  readonly calls: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Number of events raised. */
  readonly raised: () => number;
  /** Counts a call; `outcome` is a status, `hang`, `reset` or `gone`. */
  countCall(route: string, outcome: string): void;
  /**
   * An event has happened in the organisation: it is queued for every active webhook that lists its
   * name. Its body has all identifiers, till and store; each webhook gets what it switches on.
   * Returns its deliveries, which change as they go on.
   */
  raise(event: GeneratedEvent): readonly DeliveryRecord[];
  /**
   * Adds an event to the log of every webhook that it would be queued for, as a delivery that has
   * ended. Nothing is posted.
   */
  addToLog(event: GeneratedEvent, ended: EndedDelivery): readonly DeliveryRecord[];
  /** Runs that raise events from the world. */
  readonly runs: EventRuns;
  /**
   * Changes the world and raises the events of the changes; resolves when all are raised.
   * @throws RangeError if the names cannot be raised
   */
  raiseEvents(options: RaiseOptions): Promise<RaisedEvents>;
  /** Clears counts, queues and the delivery log, and the webhooks too if asked. */
  reset(objects: boolean): void;
  close(): Promise<void>;
}

export interface RaisedEvents extends EventRun {
  /** Oldest first. */
  readonly events: readonly GeneratedEvent[];
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
  const world = lazyWorld({ seed: given.seed, ...settings.world }, settings.orgId, now);
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

  const webhooksFor = (event: GeneratedEvent): TwinWebhook[] =>
    webhooks.list(settings.orgId).filter((webhook) => isFor(webhook, event));

  /** Asks for no number unless there are such losses, so that the other choices stay the same. */
  const losesAnswers = (): boolean => settings.lostAnswers > 0 && random() < settings.lostAnswers;

  const raise = (event: GeneratedEvent): DeliveryRecord[] => {
    raised += 1;
    const records = webhooksFor(event).map((webhook) => recordOf(event, webhook, now(), losesAnswers()));
    for (const record of records) {
      log.add(record);
      delivery.enqueue(record);
    }
    return records;
  };

  const runs = createEventRuns({ world: () => world.get(), raise, now });

  return {
    org: settings.orgId,
    settings,
    tokens: createApiTokens(settings, now),
    limit: createCallLimit(settings.callsPerMinute, now),
    webhooks,
    log,
    get world() {
      return world.get();
    },
    calls,
    raised: () => raised,
    countCall: (route, outcome) => {
      const counts = calls.get(route) ?? new Map<string, number>();
      calls.set(route, counts.set(outcome, (counts.get(outcome) ?? 0) + 1));
    },
    raise,
    addToLog: (event, ended) => {
      const records = webhooksFor(event).map((webhook) => endedRecordOf(event, webhook, ended));
      for (const record of records) log.add(record);
      return records;
    },
    runs,
    raiseEvents: async (options) => {
      const run = runs.start(options);
      return { ...run, events: await run.raised };
    },
    reset: (objects) => {
      raised = 0;
      calls.clear();
      log.clear();
      runs.clear();
      delivery.clear();
      if (!objects) return;
      webhooks.clear();
      world.clear();
    },
    close: () => {
      runs.clear();
      return delivery.close();
    },
  };
}
