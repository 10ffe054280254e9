import type { Answer } from '../../adobe/exchange.ts';
import { apiError, asFloat, v3Answer } from './api-answers.ts';
import type { CapillaryCall, CapillaryRoute } from './api-route.ts';
import type { DeliveryRecord, LogRange } from './delivery-records.ts';
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
    originalPayload: record.hasPayload ? record.originalPayload : null,
    enrichedPayload: record.hasPayload ? record.enrichedPayload : null,
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

/** What the query selects of the caller's consumer group, or the refusal. */
function selected({
  twin,
  caller,
  params,
  query,
  now,
}: CapillaryCall): { readonly range: LogRange; readonly log: LogQuery } | { readonly refusal: Answer } {
  const { consumerGroupId = '' } = params;
  const read = readLogQuery(query, now);
  if ('problem' in read) return { refusal: apiError('v3', 400, read.problem.code, read.problem.message) };
  if (!twin.webhooks.byConsumerGroup(caller.orgId, consumerGroupId)) {
    const message = 'The consumer group does not belong to the organization';
    return { refusal: apiError('v3', 400, FOREIGN_GROUP, message) };
  }
  const log = read.value;
  return { range: { consumerGroupId, from: log.startDate, to: log.endDate }, log };
}

/** The rows of the page, and how many there are on all pages. */
function pageOf(
  { twin }: CapillaryCall,
  range: LogRange,
  { filters, timeOrder, compare, page, pageSize }: LogQuery,
): { readonly rows: readonly DeliveryRecord[]; readonly total: number } {
  const first = (page - 1) * pageSize;
  if (filters.length === 0 && timeOrder !== undefined) {
    const total = twin.log.size(range);
    if (timeOrder === 'asc') return { rows: twin.log.slice(range, first, first + pageSize), total };
    const last = Math.max(0, total - first);
    return { rows: twin.log.slice(range, Math.max(0, last - pageSize), last).toReversed(), total };
  }
  const found = twin.log.slice(range).filter((record) => filters.every((filter) => filter(record)));
  const ordered = timeOrder === 'asc' ? found : found.toReversed().toSorted(compare);
  return { rows: ordered.slice(first, first + pageSize), total: found.length };
}

function showLog(call: CapillaryCall): Answer {
  const found = selected(call);
  if ('refusal' in found) return found.refusal;
  const { page, pageSize } = found.log;
  const { rows, total } = pageOf(call, found.range, found.log);
  return v3Answer({
    data: rows.map(rowOf),
    page,
    pageSize,
    totalElements: total,
    totalPages: asFloat(Math.ceil(total / pageSize)),
  });
}

function showMetrics(call: CapillaryCall): Answer {
  const found = selected(call);
  if ('refusal' in found) return found.refusal;
  const { range } = found;
  const counts = call.twin.log.metrics(range);
  return v3Answer({
    totalEvents: counts.total,
    deliveredEvents: counts.delivered,
    failedEvents: counts.failed,
    retryingEvents: counts.retrying,
    pendingEvents: counts.pending,
    startDate: range.from,
    endDate: range.to,
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
