import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { type ApiResult, unreadable } from './api-answer.ts';
import type { CapillaryClient } from './capillary-client.ts';

/* What Capillary records of the deliveries of one webhook, by its consumer group. */

/** Times of generation, epoch ms. */
export interface LogWindow {
  readonly from: number;
  readonly to: number;
}

/** Numbers of events that were generated within the window. */
export interface DeliveryMetrics {
  readonly total: number;
  readonly delivered: number;
  readonly failed: number;
  readonly retrying: number;
  readonly pending: number;
}

/** One event in the delivery log. Times are epoch ms. */
export interface DeliveryRow {
  /** Of the row; empty if it has none. */
  readonly id: string;
  readonly eventId: string;
  readonly eventName: string;
  readonly orgId?: number;
  /** `FAILED` is reported as `FAIL`, the value that filters have. */
  readonly status: string;
  /**
   * JSON text: the body as it was or would be posted, or the router wrapper, which has the same
   * event. Undefined if the row has neither.
   */
  readonly body?: string;
  /** JSON text of the router wrapper, if `body` is another text. */
  readonly wrapper?: string;
  /** Value of the event's primary identifier, such as the customer's id. Personal data. */
  readonly searchValue: string;
  readonly generatedAt?: number;
  readonly deliveredAt?: number;
  readonly nextRetryAt?: number;
  readonly retryCount: number;
  /** HTTP status of the last attempt. */
  readonly answered?: number;
  readonly message: string;
  /** Id of the API request that caused the event. */
  readonly requestId: string;
}

export interface DeliveryPage {
  readonly rows: readonly DeliveryRow[];
  readonly totalPages: number;
  readonly totalRows: number;
}

export interface DeliveryQuery extends LogWindow {
  /** `IN_PROGRESS`, `SUCCESS`, `PARTIAL_SUCCESS` or `FAIL`; rows of others may come too. */
  readonly status?: string;
  readonly eventName?: string;
  /** From 1. */
  readonly page: number;
  /** Rows of a page; default the largest. */
  readonly pageSize?: number;
}

/** Largest page. Source: docs/platforms/capillary.md#delivery-log */
export const LOG_PAGE_SIZE = 100;

function groupPath(consumerGroupId: string, part: 'logs' | 'metrics'): string {
  return `/v3/events/consumer-groups/${encodeURIComponent(consumerGroupId)}/${part}`;
}

function textOf(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : '';
}

/** Numbers come as text and as floats too. */
function numberOf(value: JsonValue | undefined): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function optional<K extends string>(key: K, value: number | undefined): { readonly [P in K]?: number } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: number });
}

function metricsOf(data: JsonObject): DeliveryMetrics | undefined {
  const total = numberOf(data['totalEvents']);
  if (total === undefined) return undefined;
  const count = (key: string): number => numberOf(data[key]) ?? 0;
  return {
    total,
    delivered: count('deliveredEvents'),
    failed: count('failedEvents'),
    retrying: count('retryingEvents'),
    pending: count('pendingEvents'),
  };
}

/** How many events of a window were delivered. Capillary counts up to 30 days back. */
export async function deliveryMetrics(
  client: Pick<CapillaryClient, 'get'>,
  consumerGroupId: string,
  { from, to }: LogWindow,
): Promise<ApiResult<DeliveryMetrics>> {
  const path = groupPath(consumerGroupId, 'metrics');
  const answer = await client.get(path, { query: { startDate: from, endDate: to } });
  if (!answer.ok) return answer;
  const data = isJsonObject(answer.body) ? answer.body['data'] : undefined;
  const metrics = isJsonObject(data) ? metricsOf(data) : undefined;
  return metrics === undefined
    ? unreadable(`GET ${path}`, answer, 'without counts')
    : { ok: true, value: metrics };
}

/** A JSON text in a JSON string, as `enrichedPayload` is; other texts are returned as they are. */
function unwrapText(text: string): string {
  if (!text.trimStart().startsWith('"')) return text;
  try {
    const inner: unknown = JSON.parse(text);
    return typeof inner === 'string' ? inner : text;
  } catch {
    return text;
  }
}

/** Kept as text, because numbers beyond 2^53 would lose digits. */
function bodiesOf({ enrichedPayload, originalPayload }: JsonObject): Pick<DeliveryRow, 'body' | 'wrapper'> {
  const texts = [enrichedPayload, originalPayload].map((payload) =>
    isJsonObject(payload) ? JSON.stringify(payload) : unwrapText(textOf(payload)),
  );
  const [body, wrapper] = texts.filter((text) => text.trimStart().startsWith('{'));
  return { ...(body === undefined ? {} : { body }), ...(wrapper === undefined ? {} : { wrapper }) };
}

/** Rows say FAILED where the filter says FAIL. */
function statusOf(value: JsonValue | undefined): string {
  const status = textOf(value).toUpperCase();
  return status.startsWith('FAIL') ? 'FAIL' : status;
}

function rowOf(row: JsonValue): DeliveryRow[] {
  if (!isJsonObject(row)) return [];
  return [
    {
      id: textOf(row['id']),
      eventId: textOf(row['eventId']),
      eventName: textOf(row['eventType']),
      ...optional('orgId', numberOf(row['orgId'])),
      status: statusOf(row['deliveryStatus']),
      ...bodiesOf(row),
      searchValue: textOf(row['eventSearchKey']),
      ...optional('generatedAt', numberOf(row['eventGeneratedDate'])),
      ...optional('deliveredAt', numberOf(row['eventDeliveryDate'])),
      ...optional('nextRetryAt', numberOf(row['nextRetryTime'])),
      retryCount: numberOf(row['retryCount']) ?? 0,
      ...optional('answered', numberOf(row['webhookResponseCode'])),
      message: textOf(row['message']),
      requestId: textOf(row['requestId']),
    },
  ];
}

/** One page of the delivery log, oldest events first. */
export async function deliveryPage(
  client: Pick<CapillaryClient, 'get'>,
  consumerGroupId: string,
  { from, to, status, eventName, page, pageSize = LOG_PAGE_SIZE }: DeliveryQuery,
): Promise<ApiResult<DeliveryPage>> {
  const path = groupPath(consumerGroupId, 'logs');
  const answer = await client.get(path, {
    query: {
      startDate: from,
      endDate: to,
      deliveryStatus: status,
      eventType: eventName,
      page,
      pageSize,
      sortBy: 'eventGeneratedDate:asc',
    },
  });
  if (!answer.ok) return answer;
  const data = isJsonObject(answer.body) ? answer.body['data'] : undefined;
  const list = isJsonObject(data) ? data['data'] : undefined;
  if (!isJsonObject(data) || !Array.isArray(list))
    return unreadable(`GET ${path}`, answer, 'without a list of events');
  const rows = list.flatMap(rowOf);
  const totalPages = Math.ceil(numberOf(data['totalPages']) ?? 1);
  return { ok: true, value: { rows, totalPages, totalRows: numberOf(data['totalElements']) ?? rows.length } };
}
