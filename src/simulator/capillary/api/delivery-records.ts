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

export function countDeliveries(records: Iterable<DeliveryRecord>): DeliveryCounts {
  const counts = { total: 0, delivered: 0, failed: 0, retrying: 0, pending: 0 };
  for (const { status, lastAttemptAt } of records) {
    counts.total += 1;
    if (status === 'SUCCESS') counts.delivered += 1;
    else if (status === 'FAILED') counts.failed += 1;
    else counts[lastAttemptAt === undefined ? 'pending' : 'retrying'] += 1;
  }
  return counts;
}

/** The delivery log of the cluster. */
export interface DeliveryRecords {
  add(record: DeliveryRecord): void;
  /** Oldest first. */
  list(matches: (record: DeliveryRecord) => boolean): DeliveryRecord[];
  clear(): void;
}

/** @param maxRecords beyond this many the oldest are dropped */
export function createDeliveryRecords(maxRecords: number): DeliveryRecords {
  const records = new Set<DeliveryRecord>();
  return {
    add: (record) => {
      records.add(record);
      const [oldest] = records;
      if (records.size > maxRecords && oldest) records.delete(oldest);
    },
    list: (matches) => [...records].filter((record) => matches(record)),
    clear: () => records.clear(),
  };
}
