import type { ItemResult } from '../adobe/inlet/response.ts';
import type { InletResult, LastAnswer } from '../adobe/ports.ts';
import { truncateUtf8 } from '../adobe/response-parsing.ts';
import type { MessageKind } from '../journal/journal.ts';
import type { ItemReport, RequestReport } from './delivery-observer.ts';
import type { OutgoingMessage } from './outcome.ts';
import type { Verdict } from './verdict.ts';

function outcomeOf(verdict: Verdict): string {
  if (verdict.kind !== 'items') return verdict.kind;
  return verdict.items.every((item) => item.kind === 'taken') ? 'taken' : 'mixed';
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

/** The report of one request: no content of messages except in `detail`. */
export function requestReport(
  sent: {
    readonly destination: string;
    readonly kind: MessageKind;
    readonly endpoint: RequestReport['endpoint'];
    readonly batch: readonly OutgoingMessage[];
  },
  response: InletResult,
  verdict: Verdict,
): RequestReport {
  const { batch, ...common } = sent;
  const items = verdict.kind === 'items' ? verdict.items : [];
  return {
    ...common,
    messages: batch.length,
    bytes: batch.reduce((sum, message) => sum + message.bytes, 0),
    status: response.kind === 'response' ? response.status : undefined,
    failure: response.kind === 'failure' ? response.code : undefined,
    outcome: outcomeOf(verdict),
    detail: 'detail' in verdict ? verdict.detail : firstFault(items),
    durationMs: response.durationMs,
    receipts: batch.map(({ receipt }) => receipt),
    items: verdict.kind === 'items' ? batch.map((message, index) => itemReport(message, items[index])) : [],
  };
}

const MAX_ANSWER_BYTES = 500;

/** What the inlet answered to a request, for operators. */
export function inletAnswer(report: RequestReport, at: number): LastAnswer {
  const { status, items, messages, detail } = report;
  const taken = items.filter(({ outcome }) => outcome === 'taken').length;
  const counts = items.length === 0 ? undefined : `${taken} of ${messages} messages taken`;
  // A verdict's detail begins with the status, which has a field of its own.
  const words = counts === undefined && status !== undefined ? detail?.replace(/^\d{3},? ?/, '') : detail;
  const text = [counts, words].filter((part) => part !== undefined && part !== '').join('; ');
  return { at, status, text: truncateUtf8(text, MAX_ANSWER_BYTES) };
}
