import { randomBytes, randomUUID } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import type { GeneratedEvent } from '../capillary-events.ts';
import type { DeliveryRecord } from './delivery-records.ts';
import { enrichedEvent, isEnriched, plainEvent } from './event-enrichment.ts';
import type { TwinWebhook } from './webhook-object.ts';

function parsed(body: string): JsonObject {
  try {
    const value = JSON.parse(body) as JsonValue;
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** The flat event in the body; undefined if the body has another form. */
function flatOf({ body }: GeneratedEvent): JsonObject | undefined {
  const flat = parsed(body);
  return typeof flat.eventName === 'string' && isJsonObject(flat.data) ? flat : undefined;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** The value at the path that the event names as its search key, such as the customer's id. */
function searchValueOf(flat: JsonObject): string {
  const path = textOf(flat.eventSearchKey) || 'data.customerIdentifiers.customerId';
  const value = path
    .split('.')
    .reduce<JsonValue | undefined>((at, key) => (isJsonObject(at) ? at[key] : undefined), flat);
  return textOf(value);
}

/** The organisation of an event; undefined if its body names none. */
export function orgOf(event: GeneratedEvent): number | undefined {
  const { orgId } = parsed(event.body);
  return typeof orgId === 'number' ? orgId : undefined;
}

/** The body as it was made, unless something is removed from it. */
function bodyFor(event: GeneratedEvent, flat: JsonObject | undefined, webhook: TwinWebhook): string {
  if (!flat) return event.body;
  const enriched = JSON.stringify(enrichedEvent(flat, webhook.fields));
  return enriched === JSON.stringify(flat) ? event.body : enriched;
}

/** The router's message (docs/platforms/capillary.md#router-wrapper). */
function wrapperOf(flat: JsonObject, eventId: string, orgId: number, now: number): JsonObject {
  const { eventId: _id, ...attributes } = plainEvent(flat);
  return {
    eventId,
    eventType: `${orgId}_${textOf(flat.eventName)}`,
    consumerGroupId: '',
    actionType: 'START',
    timeStamp: now,
    attributes,
  };
}

/**
 * The entry of an event in the delivery log of one webhook, before its first attempt. Its payloads
 * are made when they are read, because a long log holds many.
 * @param generatedAt epoch ms
 */
export function recordOf(
  event: GeneratedEvent,
  webhook: TwinWebhook,
  generatedAt: number,
  losesAnswers = false,
): DeliveryRecord {
  const read = flatOf(event);
  const flat: JsonObject = read ?? { eventName: event.name, data: {} };
  const eventId = event.eventId ?? randomUUID();
  const { id: webhookId, orgId, consumerGroupId, fields } = webhook;
  const body = bodyFor(event, read, webhook);
  return {
    id: randomBytes(12).toString('hex'),
    eventId,
    eventName: event.name,
    orgId,
    webhookId,
    consumerGroupId,
    refId: textOf(flat.refId),
    requestId: textOf(flat.apiRequestId),
    searchValue: searchValueOf(flat),
    generatedAt,
    body,
    get originalPayload() {
      const wrapped = flatOf(event) ?? { eventName: event.name, data: {} };
      return JSON.stringify(wrapperOf(wrapped, eventId, orgOf(event) ?? orgId, generatedAt));
    },
    get enrichedPayload() {
      return isEnriched(fields) ? JSON.stringify(body) : undefined;
    },
    losesAnswers,
    hasPayload: true,
    status: 'IN_PROGRESS',
    attempts: 0,
    message: null,
  };
}

/** How a delivery has ended. Times are epoch ms. */
export interface EndedDelivery {
  readonly generatedAt: number;
  /** Default 200 ms after the event was generated. */
  readonly deliveredAt?: number;
  readonly status: 'SUCCESS' | 'FAILED';
  /** Default 200 of a success, none of a failure. */
  readonly responseStatus?: number;
}

const ENDED_AFTER_MS = 200;

/** The entry of an event whose delivery has ended. */
export function endedRecordOf(
  event: GeneratedEvent,
  webhook: TwinWebhook,
  { generatedAt, deliveredAt, status, responseStatus }: EndedDelivery,
): DeliveryRecord {
  const at = deliveredAt ?? generatedAt + ENDED_AFTER_MS;
  const answered = responseStatus ?? (status === 'SUCCESS' ? 200 : undefined);
  return Object.assign(recordOf(event, webhook, generatedAt), {
    status,
    attempts: 1,
    firstAttemptAt: at,
    lastAttemptAt: at,
    durationMs: 0,
    ...(answered === undefined ? {} : { responseStatus: answered }),
  });
}
