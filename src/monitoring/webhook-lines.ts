import type { Logger } from 'pino';
import type { WebhookReport } from '../intake/webhook-report.ts';
import { loggable } from '../telemetry/redaction.ts';
import { roundedMs } from './delivery-lines.ts';

/** Webhooks of a second that have a line of their own, for each source and kind of answer. */
export const MAX_LINES_PER_SECOND = 20;
const SECOND_MS = 1_000;

/** Log level and message of a webhook, and the message of several in one line. */
interface LineKind {
  readonly level: 'info' | 'warn';
  readonly one: string;
  readonly many: string;
}

const ACCEPTED: LineKind = { level: 'info', one: 'webhook', many: 'webhooks' };
const REFUSED: LineKind = { level: 'warn', one: 'webhook refused', many: 'webhooks refused' };
const DIFFERING: LineKind = {
  level: 'warn',
  one: 'duplicate with other data',
  many: 'duplicates with other data',
};
/** The path is the sender's, so no line has it. */
const OTHER_PATH: LineKind = {
  level: 'warn',
  one: 'request to a path that is no webhook',
  many: 'requests to paths that are no webhook',
};

function isDiffering({ differs, duplicates }: WebhookReport): boolean {
  return differs === true || (duplicates?.get('true') ?? 0) > 0;
}

function kindOf(report: WebhookReport): LineKind {
  if (isDiffering(report)) return DIFFERING;
  if (report.status < 300) return ACCEPTED;
  return report.outcome === 'not-found' ? OTHER_PATH : REFUSED;
}

/** Log fields of a webhook. */
export function webhookLine({ acceptedNames: _accepted, duplicates: _duplicates, ...report }: WebhookReport) {
  return {
    ...report,
    durationMs: roundedMs(report.durationMs),
    eventName: loggable(report.eventName),
    eventId: loggable(report.eventId),
  };
}

type Counts = Record<string, number>;

/** What the line of several webhooks says. The names differ from those of other types. */
interface Sum {
  count: number;
  bytes: number;
  maxDurationMs: number;
  firstReceipt?: string;
  lastReceipt?: string;
  /** Webhooks by credential. */
  readonly verifiedByCounts: Counts;
  /** Refused webhooks by code of a verifier. */
  readonly reasonCounts: Counts;
  array?: { events: number; duplicates: number; malformed: number };
  evicted?: number;
}

function addOne(counts: Counts, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

function addTo(sum: Sum, report: WebhookReport): void {
  const { bytes, durationMs, receipt, verifiedBy, reasons, array, evicted } = report;
  sum.count += 1;
  sum.bytes += bytes;
  if (durationMs > sum.maxDurationMs) sum.maxDurationMs = durationMs;
  if (receipt !== undefined) {
    sum.firstReceipt ??= receipt;
    sum.lastReceipt = receipt;
  }
  if (verifiedBy !== undefined) addOne(sum.verifiedByCounts, verifiedBy);
  for (const reason of reasons ?? []) addOne(sum.reasonCounts, reason);
  if (array !== undefined) {
    sum.array ??= { events: 0, duplicates: 0, malformed: 0 };
    sum.array.events += array.events;
    sum.array.duplicates += array.duplicates;
    sum.array.malformed += array.malformed;
  }
  if (evicted !== undefined && evicted > 0) sum.evicted = (sum.evicted ?? 0) + evicted;
}

function unlessEmpty(counts: Counts): Counts | undefined {
  return Object.keys(counts).length === 0 ? undefined : counts;
}

/** The webhooks of one source in the current second that were answered in the same way. */
interface Group {
  readonly kind: LineKind;
  readonly source: string;
  readonly outcome: string;
  readonly status: number;
  /** Lines of single webhooks. */
  lines: number;
  /** Of the others. */
  sum: Sum | undefined;
}

function sumLine({ source, outcome, status }: Group, sum: Sum) {
  return {
    source,
    outcome,
    status,
    ...sum,
    maxDurationMs: roundedMs(sum.maxDurationMs),
    verifiedByCounts: unlessEmpty(sum.verifiedByCounts),
    reasonCounts: unlessEmpty(sum.reasonCounts),
  };
}

/** The log lines of answered webhooks. */
export interface WebhookLines {
  write(report: WebhookReport): void;
  /** Writes the lines that wait for the end of the second. */
  flush(): void;
}

/**
 * A line for each webhook, up to a number per second, source and kind of answer; the others of that
 * second share a line, which counts them. At debug each has its own.
 */
export function createWebhookLines(log: Logger): WebhookLines {
  /** By source, outcome, status and kind: configured names and fixed codes, so there are few. */
  const groups = new Map<string, Group>();
  let startedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    for (const group of groups.values()) {
      const { kind, sum } = group;
      if (sum !== undefined) log[kind.level](sumLine(group, sum), kind.many);
    }
    groups.clear();
  };

  const groupOf = (report: WebhookReport, kind: LineKind): Group => {
    const { source, outcome, status } = report;
    const key = `${source} ${outcome} ${status} ${kind.one}`;
    const known = groups.get(key);
    if (known !== undefined) return known;
    const group: Group = { kind, source, outcome, status, lines: 0, sum: undefined };
    groups.set(key, group);
    return group;
  };

  /** @returns whether the webhook has a line of its own */
  const isSingle = (report: WebhookReport, kind: LineKind): boolean => {
    const at = performance.now();
    if (at - startedAt >= SECOND_MS) {
      flush();
      startedAt = at;
    }
    const group = groupOf(report, kind);
    if (group.lines < MAX_LINES_PER_SECOND) {
      group.lines += 1;
      return true;
    }
    group.sum ??= { count: 0, bytes: 0, maxDurationMs: 0, verifiedByCounts: {}, reasonCounts: {} };
    addTo(group.sum, report);
    timer ??= setTimeout(flush, startedAt + SECOND_MS - at).unref();
    return false;
  };

  return {
    write(report) {
      const kind = kindOf(report);
      if (!log.isLevelEnabled(kind.level)) return;
      if (log.isLevelEnabled('debug') || isSingle(report, kind))
        log[kind.level](webhookLine(report), kind.one);
    },
    flush,
  };
}
