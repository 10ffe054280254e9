import type { FieldProblem } from './webhook-fields.ts';
import type { DeliveryRecord, DeliveryStatus } from './delivery-records.ts';

/** The query of the delivery log and its metrics. Times are epoch ms. */
export interface LogQuery {
  readonly startDate: number;
  readonly endDate: number;
  /** Filters besides the time; none if it selects everything. */
  readonly filters: readonly ((record: DeliveryRecord) => boolean)[];
  readonly page: number;
  readonly pageSize: number;
  /** Of two with equal keys the newer one comes first, except in the ascending order of time. */
  readonly compare: (a: DeliveryRecord, b: DeliveryRecord) => number;
  /** The direction, if the order is that of generation. */
  readonly timeOrder: Direction | undefined;
}

type Direction = 'asc' | 'desc';

type Read<T> = { readonly value: T } | { readonly problem: FieldProblem };

const UNPARSABLE = 300_004;
const BAD_PAGE = 999_999;

const DAY_MS = 86_400_000;
/** What the UI and the metrics show. */
const DEFAULT_SPAN_MS = 30 * DAY_MS;
const DEFAULT_PAGE_SIZE = 10;
const MAX_PAGE_SIZE = 100;

/** The filter's values and the states that they select: `FAIL` finds what rows call `FAILED`. */
const STATUSES: Readonly<Record<string, DeliveryStatus | undefined>> = {
  IN_PROGRESS: 'IN_PROGRESS',
  SUCCESS: 'SUCCESS',
  PARTIAL_SUCCESS: undefined,
  FAIL: 'FAILED',
};

const TIME_FIELD = 'eventGeneratedDate';
const SORT_FIELDS: Readonly<Record<string, (record: DeliveryRecord) => number | string>> = {
  [TIME_FIELD]: ({ generatedAt }) => generatedAt,
  eventDeliveryDate: ({ lastAttemptAt }) => lastAttemptAt ?? 0,
  webhookDuration: ({ durationMs }) => durationMs ?? 0,
  eventType: ({ eventName }) => eventName,
};

function unparsable(name: string): { readonly problem: FieldProblem } {
  return { problem: { code: UNPARSABLE, message: `Unable to parse: ${name}` } };
}

function readInteger(query: URLSearchParams, name: string, fallback: number): Read<number> {
  const text = query.get(name);
  if (text === null) return { value: fallback };
  return /^\d{1,15}$/.test(text) ? { value: Number(text) } : unparsable(name);
}

function ascending(a: number | string, b: number | string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function readOrder(text: string): Read<Pick<LogQuery, 'compare' | 'timeOrder'>> {
  const [field = '', direction = ''] = text.split(':');
  const key = SORT_FIELDS[field];
  if (!key || (direction !== 'asc' && direction !== 'desc')) return unparsable('sortBy');
  const sign = direction === 'asc' ? 1 : -1;
  return {
    value: {
      compare: (a, b) => sign * ascending(key(a), key(b)),
      timeOrder: field === TIME_FIELD ? direction : undefined,
    },
  };
}

/** Undefined without a filter. */
function readStatus(text: string | null): Read<((record: DeliveryRecord) => boolean) | undefined> {
  if (text === null) return { value: undefined };
  if (!Object.hasOwn(STATUSES, text)) return unparsable('deliveryStatus');
  const wanted = STATUSES[text];
  return { value: ({ status }) => status === wanted };
}

/** The given parameters, each compared exactly. */
function filtersOf(query: URLSearchParams): ((record: DeliveryRecord) => boolean)[] {
  const wanted = {
    eventName: query.get('eventType'),
    searchValue: query.get('eventSearchKey'),
    requestId: query.get('requestId'),
  };
  return Object.entries(wanted).flatMap(([key, value]) =>
    value === null ? [] : [(record) => record[key as keyof typeof wanted] === value],
  );
}

function pageProblem(page: number, pageSize: number): FieldProblem | undefined {
  if (page >= 1 && pageSize >= 1 && pageSize <= MAX_PAGE_SIZE) return undefined;
  return { code: BAD_PAGE, message: `page must be at least 1, pageSize between 1 and ${MAX_PAGE_SIZE}` };
}

/**
 * Reads the query (docs/platforms/capillary.md#delivery-log); by default the last 30 days, newest
 * first, ten rows a page.
 */
export function readLogQuery(query: URLSearchParams, now: number): Read<LogQuery> {
  const numbers = {
    startDate: readInteger(query, 'startDate', now - DEFAULT_SPAN_MS),
    endDate: readInteger(query, 'endDate', now),
    page: readInteger(query, 'page', 1),
    pageSize: readInteger(query, 'pageSize', DEFAULT_PAGE_SIZE),
  };
  for (const read of Object.values(numbers)) if ('problem' in read) return read;
  const values = Object.fromEntries(
    Object.entries(numbers).map(([name, read]) => [name, 'value' in read ? read.value : 0]),
  ) as Record<keyof typeof numbers, number>;
  const problem = pageProblem(values.page, values.pageSize);
  if (problem) return { problem };
  const status = readStatus(query.get('deliveryStatus'));
  if ('problem' in status) return status;
  const order = readOrder(query.get('sortBy') ?? `${TIME_FIELD}:desc`);
  if ('problem' in order) return order;
  const filters = [...filtersOf(query), ...(status.value ? [status.value] : [])];
  return { value: { ...values, ...order.value, filters } };
}
