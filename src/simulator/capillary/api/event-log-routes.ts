import type { Answer } from '../../adobe/exchange.ts';
import { asFloat, failure, v3Answer } from './api-answers.ts';
import type { CapillaryCall, CapillaryRoute } from './api-route.ts';
import type { DeliveryRecord } from './delivery-records.ts';
import type { CapillaryTwin } from './capillary-twin.ts';

/** `2026-10-01T09:15:02.549+0000` */
function timestamp(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString().replace('Z', '+0000');
}

/** When the delivery took longer than the webhook's limit allows. */
function breachOf(record: DeliveryRecord, twin: CapillaryTwin): number | undefined {
  const webhook = twin.webhooks.get(record.orgId, record.webhookId);
  const limitMs = (webhook?.fields.slaInSeconds ?? 0) * 1_000;
  const late = limitMs > 0 && (record.lastAttemptAt ?? 0) > record.generatedAt + limitMs;
  return late ? record.generatedAt + limitMs : undefined;
}

/** Without an end and a response while the event is not delivered. */
function entryOf(record: DeliveryRecord, twin: CapillaryTwin): unknown {
  const isDelivered = record.status === 'SUCCESS';
  return {
    eventId: record.eventId,
    refId: record.refId,
    requestId: record.requestId,
    eventName: record.eventName,
    consumerGroupId: record.consumerGroupId,
    eventIngestionTimestamp: timestamp(record.generatedAt),
    eventStartTimestamp: timestamp(record.firstAttemptAt),
    eventEndTimestamp: timestamp(isDelivered ? record.lastAttemptAt : undefined),
    slaBreachTimestamp: timestamp(breachOf(record, twin)),
    consumerResponse: isDelivered
      ? {
          webhookHttpStatus: asFloat(record.responseStatus ?? 0),
          time_taken: asFloat(Math.round(record.durationMs ?? 0)),
        }
      : null,
  };
}

function entriesWhere(
  { twin, caller }: CapillaryCall,
  matches: (record: DeliveryRecord) => boolean,
): unknown[] {
  const records = twin.log.list((record) => record.orgId === caller.orgId && matches(record));
  return records.map((record) => entryOf(record, twin));
}

function byEventId(call: CapillaryCall): Answer {
  const [first] = entriesWhere(call, ({ eventId }) => eventId === call.params.eventId);
  return first === undefined ? failure('v3', 404, 'Event not found') : v3Answer(first);
}

function byRequestId(call: CapillaryCall): Answer {
  return v3Answer(entriesWhere(call, ({ requestId }) => requestId === call.params.requestId));
}

/** One entry is an object, several are an array: the documentation shows both. */
function byRefId(call: CapillaryCall): Answer {
  const entries = entriesWhere(call, ({ refId }) => refId === call.params.refId);
  return v3Answer(entries.length === 1 ? entries[0] : entries);
}

const ROUTE = {
  method: 'GET',
  access: { resource: 'Webhooks', rights: ['read'] },
  expiredStatus: 498,
} as const;

/** Look-ups of single events. */
export const EVENT_LOG_ROUTES: readonly CapillaryRoute[] = [
  { ...ROUTE, path: '/v3/webHooks/eventLog/:eventId', answer: byEventId },
  { ...ROUTE, path: '/v3/webHooks/eventLog/requestId/:requestId', answer: byRequestId },
  { ...ROUTE, path: '/v3/webHooks/eventLog/refId/:refId', answer: byRefId },
];
