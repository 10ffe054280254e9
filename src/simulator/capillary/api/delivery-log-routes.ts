import type { Answer } from '../../adobe/exchange.ts';
import { apiError, asFloat, v3Answer } from './api-answers.ts';
import type { CapillaryCall, CapillaryRoute } from './api-route.ts';
import { countDeliveries, type DeliveryRecord } from './delivery-records.ts';
import { type LogQuery, readLogQuery } from './log-query.ts';

const FOREIGN_GROUP = 300_005;

/** Order of the states in the log; only the one of `FAILED` was seen. */
const PRIORITIES: Readonly<Record<DeliveryRecord['status'], number>> = {
  SUCCESS: 1,
  IN_PROGRESS: 2,
  FAILED: 3,
};

/**
 * A row: `orgId` and `webhookResponseCode` are strings, `originalPayload` is JSON in a string,
 * `enrichedPayload` JSON in a string in a string.
 */
function rowOf(record: DeliveryRecord): unknown {
  return {
    id: record.id,
    eventId: record.eventId,
    orgId: String(record.orgId),
    consumerGroupId: record.consumerGroupId,
    deliveryStatus: record.status,
    eventSearchKey: record.searchValue,
    eventType: record.eventName,
    originalPayload: record.originalPayload,
    enrichedPayload: record.enrichedPayload,
    eventGeneratedDate: record.generatedAt,
    eventDeliveryDate: record.lastAttemptAt ?? null,
    retryCount: Math.max(0, record.attempts - 1),
    webhookResponseCode: record.responseStatus === undefined ? null : String(record.responseStatus),
    webhookDuration: record.durationMs === undefined ? null : Math.round(record.durationMs),
    lastRetryTime: record.attempts > 1 ? (record.lastAttemptAt ?? null) : null,
    nextRetryTime: record.nextAttemptAt === undefined ? null : Math.round(record.nextAttemptAt),
    message: record.message,
    statusPriority: PRIORITIES[record.status],
    requestId: record.requestId,
  };
}

/** The rows of the caller's consumer group that the query selects, or the refusal. */
function selected({
  twin,
  caller,
  params,
  query,
  now,
}: CapillaryCall):
  | { readonly rows: DeliveryRecord[]; readonly log: LogQuery }
  | { readonly refusal: Answer } {
  const { consumerGroupId = '' } = params;
  const read = readLogQuery(query, now);
  if ('problem' in read) return { refusal: apiError('v3', 400, read.problem.code, read.problem.message) };
  if (!twin.webhooks.byConsumerGroup(caller.orgId, consumerGroupId)) {
    const message = 'The consumer group does not belong to the organization';
    return { refusal: apiError('v3', 400, FOREIGN_GROUP, message) };
  }
  const log = read.value;
  const rows = twin.log.list((record) => record.consumerGroupId === consumerGroupId && log.matches(record));
  return { rows, log };
}

function showLog(call: CapillaryCall): Answer {
  const found = selected(call);
  if ('refusal' in found) return found.refusal;
  const { rows, log } = found;
  const { page, pageSize } = log;
  const first = (page - 1) * pageSize;
  // Rows are kept oldest first; of two with equal keys the newer one comes first.
  const sorted = rows.toReversed().toSorted(log.compare);
  return v3Answer({
    data: sorted.slice(first, first + pageSize).map(rowOf),
    page,
    pageSize,
    totalElements: rows.length,
    totalPages: asFloat(Math.ceil(rows.length / pageSize)),
  });
}

function showMetrics(call: CapillaryCall): Answer {
  const found = selected(call);
  if ('refusal' in found) return found.refusal;
  const counts = countDeliveries(found.rows);
  return v3Answer({
    totalEvents: counts.total,
    deliveredEvents: counts.delivered,
    failedEvents: counts.failed,
    retryingEvents: counts.retrying,
    pendingEvents: counts.pending,
    startDate: found.log.startDate,
    endDate: found.log.endDate,
  });
}

const ROUTE = {
  method: 'GET',
  access: { resource: 'Webhooks', rights: ['read'] },
  expiredStatus: 498,
} as const;

/** The delivery log of a webhook and its counts. */
export const DELIVERY_LOG_ROUTES: readonly CapillaryRoute[] = [
  { ...ROUTE, path: '/v3/events/consumer-groups/:consumerGroupId/logs', answer: showLog },
  { ...ROUTE, path: '/v3/events/consumer-groups/:consumerGroupId/metrics', answer: showMetrics },
];
