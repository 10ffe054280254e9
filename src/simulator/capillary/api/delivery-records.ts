import { inTimeOrder, type TimeOrdered } from './time-order.ts';

/** A state in the delivery log; `PARTIAL_SUCCESS` exists as a filter only. */
export type DeliveryStatus = 'IN_PROGRESS' | 'SUCCESS' | 'FAILED';

/** One event for one webhook. Times are epoch ms. */
export interface DeliveryRecord {
  /** 24 hex digits. */
  readonly id: string;
  readonly eventId: string;
  readonly eventName: string;
  readonly orgId: number;
  readonly webhookId: string;
  readonly consumerGroupId: string;
  readonly refId: string;
  /** Id of the request that caused the event. */
  readonly requestId: string;
  /** Primary identifier of the event, such as the customer's id. */
  readonly searchValue: string;
  readonly generatedAt: number;
  /** What is posted. */
  readonly body: string;
  /** JSON of the router's message. */
  readonly originalPayload: string;
  /** JSON of a string with JSON; undefined if the webhook switches no enrichment on. */
  readonly enrichedPayload: string | undefined;
  /** Whether each success that is answered is lost on its way, so that the delivery fails. */
  readonly losesAnswers: boolean;
  /** Whether the log shows the two payloads. */
  hasPayload: boolean;
  status: DeliveryStatus;
  /** Requests so far. */
  attempts: number;
  firstAttemptAt?: number;
  lastAttemptAt?: number;
  nextAttemptAt?: number;
  /** Of the last answer; undefined without one. */
  responseStatus?: number;
  durationMs?: number;
  message: string | null;
}

/** Deliveries by their state; `retrying` have failed at least once, `pending` never yet. */
export interface DeliveryCounts {
  readonly total: number;
  readonly delivered: number;
  readonly failed: number;
  readonly retrying: number;
  readonly pending: number;
}

/** What is counted of a delivery. */
type CountedDelivery = Pick<DeliveryRecord, 'status' | 'lastAttemptAt'>;

export function countDeliveries(records: Iterable<CountedDelivery>): DeliveryCounts {
  const counts = { total: 0, delivered: 0, failed: 0, retrying: 0, pending: 0 };
  for (const { status, lastAttemptAt } of records) {
    counts.total += 1;
    if (status === 'SUCCESS') counts.delivered += 1;
    else if (status === 'FAILED') counts.failed += 1;
    else counts[lastAttemptAt === undefined ? 'pending' : 'retrying'] += 1;
  }
  return counts;
}

/** Deliveries of one consumer group that were generated within a time, both ends included. */
export interface LogRange {
  readonly consumerGroupId: string;
  readonly from: number;
  readonly to: number;
}

/** The delivery log of the cluster. */
export interface DeliveryRecords {
  add(record: DeliveryRecord): void;
  /** Oldest first. */
  list(matches: (record: DeliveryRecord) => boolean): DeliveryRecord[];
  /** How many the log has of the range. */
  size(range: LogRange): number;
  /** Of the range, oldest first: the records at the positions from `start` to before `end`. */
  slice(range: LogRange, start?: number, end?: number): DeliveryRecord[];
  /** Counts of the range, with those that have left the log. */
  metrics(range: LogRange): DeliveryCounts;
  /** Removes records from the log; the metrics still count them. */
  forget(matches: (record: DeliveryRecord) => boolean): void;
  clear(): void;
}

/** The part of the log that belongs to one consumer group. */
interface Group {
  readonly records: TimeOrdered<DeliveryRecord>;
  /** Of those that have left the log. */
  readonly forgotten: TimeOrdered<CountedDelivery & { readonly generatedAt: number }>;
}

function counted({ generatedAt, status, lastAttemptAt }: DeliveryRecord) {
  return { generatedAt, status, ...(lastAttemptAt === undefined ? {} : { lastAttemptAt }) };
}

/** @param maxRecords beyond this many the oldest leave the log */
export function createDeliveryRecords(maxRecords: number): DeliveryRecords {
  const groups = new Map<string, Group>();
  let size = 0;

  const groupOf = (id: string): Group => {
    const group = groups.get(id) ?? { records: inTimeOrder(), forgotten: inTimeOrder() };
    groups.set(id, group);
    return group;
  };

  const removeOldest = (): void => {
    const [oldest] = [...groups.values()]
      .flatMap((group) => (group.records.first ? [{ ...group, first: group.records.first }] : []))
      .toSorted((a, b) => a.first.generatedAt - b.first.generatedAt);
    if (!oldest) return;
    oldest.forgotten.add(counted(oldest.first));
    oldest.records.removeFirst();
    size -= 1;
  };

  return {
    add: (record) => {
      groupOf(record.consumerGroupId).records.add(record);
      size += 1;
      if (size > maxRecords) removeOldest();
    },
    list: (matches) =>
      [...groups.values()]
        .flatMap(({ records }) => records.slice(0, Infinity).filter(matches))
        .toSorted((a, b) => a.generatedAt - b.generatedAt),
    size: ({ consumerGroupId, from, to }) => groups.get(consumerGroupId)?.records.count(from, to) ?? 0,
    slice: ({ consumerGroupId, from, to }, start, end) =>
      groups.get(consumerGroupId)?.records.slice(from, to, start, end) ?? [],
    metrics: ({ consumerGroupId, from, to }) => {
      const { records, forgotten } = groupOf(consumerGroupId);
      return countDeliveries([...records.slice(from, to), ...forgotten.slice(from, to)]);
    },
    forget: (matches) => {
      for (const { records, forgotten } of groups.values()) {
        const removed = records.remove(matches);
        size -= removed.length;
        for (const record of removed) forgotten.add(counted(record));
      }
    },
    clear: () => {
      groups.clear();
      size = 0;
    },
  };
}
