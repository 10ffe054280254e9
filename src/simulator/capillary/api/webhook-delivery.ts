import { setTimeout as sleep } from 'node:timers/promises';
import { isPrivateHost } from '../../../config/address-checks.ts';
import {
  BACK_OFF_MS,
  backOffMs,
  createWebhookClient,
  isRetryable,
  isSuccess,
  type WebhookAnswer,
  type WebhookRequest,
} from '../webhook-client.ts';
import type { DeliveryRecord } from './delivery-records.ts';
import type { TwinWebhook } from './webhook-object.ts';

export interface DeliveryOptions {
  /** The webhook as it is now. */
  readonly webhookOf: (record: DeliveryRecord) => TwinWebhook | undefined;
  /** Factor of the waits between attempts. */
  readonly retryScale: number;
  readonly timeoutMs: number;
  /** True if an event that was delivered is to be sent once more. */
  readonly repeats: () => boolean;
  /** Host names that events may be posted to, besides private ones. */
  readonly hosts: readonly string[];
  /** Epoch ms. */
  readonly now: () => number;
  readonly onChange: () => void;
}

/** Posts events to webhooks. */
export interface WebhookDelivery {
  enqueue(record: DeliveryRecord): void;
  /** The webhook was changed: it may be active again, or have more connections. */
  wake(webhookId: string): void;
  /** Forgets what is queued and ends what is in progress. */
  clear(): void;
  close(): Promise<void>;
}

/** The queue of one webhook. */
interface Lane {
  readonly queue: DeliveryRecord[];
  running: number;
}

/** Repeats after the first attempt (docs/platforms/capillary.md#patience). */
const MAX_RETRIES = 10;

/** Maximum length of a receiver's answer in the log. */
const MAX_MESSAGE_CHARS = 500;

const METHODS = ['POST', 'PUT', 'GET', 'DELETE'] as const;

function methodOf(webhook: TwinWebhook): NonNullable<WebhookRequest['method']> {
  return METHODS.find((method) => method === webhook.fields.methodType) ?? 'POST';
}

/**
 * Whether invented events may go to the URL: to this machine, or to others of a private network. A
 * registered URL can be that of a real relay.
 */
export function isNearby(url: string, hosts: readonly string[]): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  return isPrivateHost(hostname) || hosts.includes(hostname);
}

function messageOf(answer: WebhookAnswer): string {
  if (answer.kind === 'failure') return `webhook response:  | ${answer.failure}`;
  return `webhook response:  | ${answer.status} - ${answer.text}`.slice(0, MAX_MESSAGE_CHARS);
}

const UNREACHABLE: WebhookAnswer = {
  kind: 'failure',
  detail: 'the simulator posts to private networks only',
  failure: 'the simulator posts to private networks only',
  durationMs: 0,
};

/** The answer is lost on its way back. */
function lost({ durationMs }: WebhookAnswer): WebhookAnswer {
  return { kind: 'failure', detail: 'connection reset', failure: 'connection reset', durationMs };
}

/**
 * Delivers the events of each webhook from a queue of its own, over as many connections as it
 * allows. An event that fails is repeated in its place, so it holds up what is behind it
 * (docs/platforms/capillary.md#queue-blocking). `Retry-After` is not read.
 */
export function createWebhookDelivery(options: DeliveryOptions): WebhookDelivery {
  const { webhookOf, retryScale, now, onChange } = options;
  const client = createWebhookClient(undefined, options.timeoutMs);
  const lanes = new Map<string, Lane>();
  let stop = new AbortController();

  const post = async (
    record: DeliveryRecord,
    webhook: TwinWebhook,
    signal: AbortSignal,
  ): Promise<WebhookAnswer> => {
    const { webHookUrl: url, webHookHeaders: headers } = webhook.fields;
    if (!isNearby(url, options.hosts)) return UNREACHABLE;
    const answer = await client.send({ url, method: methodOf(webhook), headers, body: record.body }, signal);
    return record.losesAnswers && isSuccess(answer) ? lost(answer) : answer;
  };

  /** Records one attempt and returns the wait before the next, or undefined if it was the last. */
  const settle = (record: DeliveryRecord, answer: WebhookAnswer): number | undefined => {
    const isLast = record.attempts > MAX_RETRIES;
    record.lastAttemptAt = now();
    record.durationMs = answer.durationMs;
    record.message = messageOf(answer);
    if (answer.kind === 'answer') record.responseStatus = answer.status;
    else delete record.responseStatus;
    delete record.nextAttemptAt;
    if (isSuccess(answer)) record.status = 'SUCCESS';
    else if (!isRetryable(answer)) record.status = 'FAILED';
    else {
      const wait = (isLast ? BACK_OFF_MS.max : backOffMs(record.attempts)) * retryScale;
      record.nextAttemptAt = record.lastAttemptAt + wait;
      if (isLast) record.status = 'FAILED';
    }
    onChange();
    return record.status === 'IN_PROGRESS' ? (record.nextAttemptAt ?? 0) - record.lastAttemptAt : undefined;
  };

  /** Repeats the event until it is settled. False if the webhook was deactivated meanwhile. */
  const deliver = async (record: DeliveryRecord, signal: AbortSignal): Promise<boolean> => {
    for (;;) {
      const webhook = webhookOf(record);
      if (!webhook?.fields.active) return false;
      record.attempts += 1;
      record.firstAttemptAt ??= now();
      const wait = settle(record, await post(record, webhook, signal));
      if (wait === undefined) {
        if (record.status === 'SUCCESS' && options.repeats()) await post(record, webhook, signal);
        return true;
      }
      await sleep(wait, undefined, { signal });
    }
  };

  const run = async (lane: Lane, record: DeliveryRecord, signal: AbortSignal): Promise<void> => {
    lane.running += 1;
    try {
      if (!(await deliver(record, signal))) lane.queue.unshift(record);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    lane.running -= 1;
    if (!signal.aborted) pump(record.webhookId);
  };

  const pump = (webhookId: string): void => {
    const lane = lanes.get(webhookId);
    if (!lane) return;
    for (let [head] = lane.queue; head; [head] = lane.queue) {
      const fields = webhookOf(head)?.fields;
      if (!fields?.active || lane.running >= fields.maxAllowedConnections) return;
      lane.queue.shift();
      void run(lane, head, stop.signal);
    }
  };

  const clear = (): void => {
    stop.abort();
    stop = new AbortController();
    lanes.clear();
  };

  return {
    enqueue: (record) => {
      const lane = lanes.get(record.webhookId) ?? { queue: [], running: 0 };
      lanes.set(record.webhookId, lane);
      lane.queue.push(record);
      pump(record.webhookId);
    },
    wake: pump,
    clear,
    close: async () => {
      clear();
      await client.close();
    },
  };
}
