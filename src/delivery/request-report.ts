import type { InletAnswer } from '../adobe/answer.ts';
import type { ItemAnswer } from '../adobe/batch-answer.ts';
import type { MessageKind } from '../journal/journal.ts';
import type { OutMessage } from './message.ts';
import type { ItemReport, RequestReport } from './observer.ts';
import type { Verdict } from './verdict.ts';

function outcomeOf(verdict: Verdict): string {
  if (verdict.kind !== 'items') return verdict.kind;
  return verdict.items.every((item) => item.kind === 'taken') ? 'taken' : 'mixed';
}

function itemReport({ receipt }: OutMessage, item: ItemAnswer | undefined): ItemReport {
  if (item === undefined || item.kind === 'unknown') return { receipt, outcome: 'unknown' };
  const { kind: outcome, xactionId } = item;
  return {
    receipt,
    outcome,
    ...(item.kind === 'failed' ? { status: item.status } : {}),
    ...(xactionId === undefined ? {} : { xactionId }),
  };
}

/** What is told of one request: no content, and of Adobe's words only `detail`. */
export function requestReport(
  sent: {
    readonly destination: string;
    readonly kind: MessageKind;
    readonly endpoint: RequestReport['endpoint'];
    readonly batch: readonly OutMessage[];
  },
  answer: InletAnswer,
  verdict: Verdict,
): RequestReport {
  const { batch, ...common } = sent;
  const items = verdict.kind === 'items' ? verdict.items : [];
  return {
    ...common,
    messages: batch.length,
    bytes: batch.reduce((sum, message) => sum + message.bytes, 0),
    status: answer.kind === 'answer' ? answer.status : undefined,
    failure: answer.kind === 'failure' ? answer.code : undefined,
    outcome: outcomeOf(verdict),
    detail: 'detail' in verdict ? verdict.detail : undefined,
    durationMs: answer.durationMs,
    receipts: batch.map(({ receipt }) => receipt),
    items: verdict.kind === 'items' ? batch.map((message, at) => itemReport(message, items[at])) : [],
  };
}
