import type { ItemResult } from '../adobe/inlet/response.ts';
import type { InletResult, LastAnswer } from '../adobe/ports.ts';
import { truncateUtf8 } from '../telemetry/truncate.ts';
import type { MessageKind } from '../journal/journal.ts';
import type { ItemReport, MessageCounts, RequestReport } from './delivery-observer.ts';
import type { OutgoingMessage } from './outcome.ts';
import type { Verdict } from './verdict.ts';

function outcomeOf({ kind }: Verdict, counts: MessageCounts | undefined, messages: number): string {
  if (counts === undefined) return kind;
  return counts.taken === messages ? 'taken' : 'mixed';
}

function itemReport({ receipt }: OutgoingMessage, item: ItemResult | undefined): ItemReport {
  if (item === undefined || item.kind === 'unknown' || item.kind === 'foreign')
    return { receipt, outcome: item?.kind ?? 'unknown' };
  const { kind: outcome, xactionId } = item;
  return {
    receipt,
    outcome,
    ...(item.kind === 'failed' ? { status: item.status } : {}),
    ...(xactionId === undefined ? {} : { xactionId }),
  };
}

/** Why the first message that was not taken was not. */
function firstFault(items: readonly ItemResult[]): string | undefined {
  const failed = items.find((item) => item.kind === 'failed');
  return failed === undefined ? undefined : `${failed.status} ${failed.message}`.trim();
}

type BatchFacts = Pick<RequestReport, 'bytes' | 'retries' | 'sources' | 'minAgeMs' | 'maxAgeMs'>;

function addTo<K>(counts: Map<K, number>, key: K, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

/** Messages of one source follow each other, so most are counted without a look at the map. */
function countSources(batch: readonly OutgoingMessage[]): ReadonlyMap<string, number> {
  const sources = new Map<string, number>();
  let first = 0;
  for (const [index, { source }] of batch.entries()) {
    if (source === batch[index + 1]?.source) continue;
    addTo(sources, source, index + 1 - first);
    first = index + 1;
  }
  return sources;
}

function factsOf(batch: readonly OutgoingMessage[], at: number): BatchFacts {
  let bytes = 0;
  let retries = 0;
  let newest = Number.NEGATIVE_INFINITY;
  let oldest = Number.POSITIVE_INFINITY;
  for (const message of batch) {
    bytes += message.bytes;
    if (message.isSuspect) retries += 1;
    newest = Math.max(newest, message.receivedAt);
    oldest = Math.min(oldest, message.receivedAt);
  }
  // The clock may have been set back since an event was received.
  const age = (receivedAt: number): number | undefined =>
    batch.length === 0 ? undefined : Math.max(0, at - receivedAt);
  return { bytes, retries, sources: countSources(batch), minAgeMs: age(newest), maxAgeMs: age(oldest) };
}

type ItemFacts = Pick<RequestReport, 'counts' | 'failedStatuses' | 'xactionId'>;

function itemFactsOf(verdict: Verdict): ItemFacts {
  const failedStatuses = new Map<number, number>();
  if (verdict.kind !== 'items') return { counts: undefined, failedStatuses, xactionId: undefined };
  const counts = { taken: 0, failed: 0, unknown: 0, foreign: 0 };
  let firstId: string | undefined;
  for (const item of verdict.items) {
    counts[item.kind] += 1;
    if (item.kind === 'failed') addTo(failedStatuses, item.status, 1);
    if (item.kind === 'taken' || item.kind === 'failed') firstId ??= item.xactionId;
  }
  return { counts, failedStatuses, xactionId: firstId };
}

/**
 * The report of one request: no content of messages except in `detail`.
 * @param at epoch ms of the response
 */
export function requestReport(
  sent: {
    readonly destination: string;
    readonly kind: MessageKind;
    readonly endpoint: RequestReport['endpoint'];
    readonly batch: readonly OutgoingMessage[];
  },
  response: InletResult,
  verdict: Verdict,
  at: number,
): RequestReport {
  const { batch, destination, kind, endpoint } = sent;
  const items = verdict.kind === 'items' ? verdict.items : undefined;
  const facts = itemFactsOf(verdict);
  return {
    destination,
    kind,
    endpoint,
    messages: batch.length,
    ...factsOf(batch, at),
    status: response.kind === 'response' ? response.status : undefined,
    failure: response.kind === 'failure' ? response.code : undefined,
    outcome: outcomeOf(verdict, facts.counts, batch.length),
    detail: 'detail' in verdict ? verdict.detail : firstFault(verdict.items),
    durationMs: response.durationMs,
    ...facts,
    get receipts() {
      return batch.map(({ receipt }) => receipt);
    },
    get items() {
      return items === undefined ? [] : batch.map((message, index) => itemReport(message, items[index]));
    },
  };
}

const MAX_ANSWER_BYTES = 500;

/** What the inlet answered to a request, for operators. */
export function inletAnswer(report: RequestReport, at: number): LastAnswer {
  const { status, counts, messages, detail } = report;
  const taken = counts === undefined || messages === 0 ? undefined : counts.taken;
  const summary = taken === undefined ? undefined : `${taken} of ${messages} messages taken`;
  // A verdict's detail begins with the status, which has a field of its own.
  const words = summary === undefined && status !== undefined ? detail?.replace(/^\d{3},? ?/, '') : detail;
  const text = [summary, words].filter((part) => part !== undefined && part !== '').join('; ');
  return { at, status, text: truncateUtf8(text, MAX_ANSWER_BYTES) };
}
