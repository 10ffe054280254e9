import type { InletAnswer } from '../adobe/answer.ts';
import { type ItemAnswer, readBatchAnswer, readProblem, readSingleAnswer } from '../adobe/batch-answer.ts';

/**
 * What an answer of the inlet means for the request as a whole. Source: adobe.md §2.7 (status table) and §2.9 (retryability).
 * Where the fault is unclear it is the destination's: a wrong pause costs time, a wrong burial costs an event.
 */
export type Verdict =
  | { readonly kind: 'items'; readonly items: readonly ItemAnswer[] }
  | { readonly kind: 'too-large'; readonly detail: string }
  | { readonly kind: 'invalid'; readonly detail: string }
  | { readonly kind: 'unauthorized'; readonly reason: string; readonly detail: string }
  | { readonly kind: 'destination'; readonly reason: string; readonly detail: string }
  | { readonly kind: 'throttled'; readonly detail: string; readonly retryAfter?: number }
  | {
      readonly kind: 'transient';
      readonly detail: string;
      readonly retryAfter?: number;
      /** It can be the message's doing as well as the destination's: 500, a reset, no answer in time (adobe.md §2.7). */
      readonly unclear: boolean;
    };

const TRANSIENT = new Set([408, 425, 500, 502, 503, 504]);
const INVALID = new Set([400, 415, 422]);

/** What Adobe says of the configured organisation or schema: it hits every message alike and is none's own fault (adobe.md §2.6). */
const MISCONFIGURED: readonly (readonly [words: RegExp, reason: string])[] = [
  [/absent or wrong ims org/i, 'wrong-ims-org'],
  [/unknown xdm format/i, 'unknown-schema'],
];

function misconfigured(words: string): string | undefined {
  return MISCONFIGURED.find(([saying]) => saying.test(words))?.[1];
}

/** Statuses of one item of a 207 that speak of the destination, not of the item. */
const DESTINATION_ITEM = new Set([401, 403, 404, 501]);

function statusVerdict(answer: Extract<InletAnswer, { kind: 'answer' }>): Verdict {
  const detail = `${answer.status} ${readProblem(answer.body)}`.trim();
  const wait = answer.retryAfter === undefined ? {} : { retryAfter: answer.retryAfter };
  if (answer.status === 413) return { kind: 'too-large', detail };
  if (INVALID.has(answer.status)) {
    const reason = misconfigured(answer.body);
    return reason === undefined ? { kind: 'invalid', detail } : { kind: 'destination', reason, detail };
  }
  if (answer.status === 401) return { kind: 'unauthorized', reason: 'unauthorized', detail };
  if (answer.status === 403) {
    const reason = answer.body.trim() === '' ? 'ip-not-allowed' : 'forbidden';
    return { kind: 'unauthorized', reason, detail };
  }
  if (answer.status === 429) return { kind: 'throttled', detail, ...wait };
  if (TRANSIENT.has(answer.status))
    return { kind: 'transient', detail, ...wait, unclear: answer.status === 500 };
  if (answer.status === 404) return { kind: 'destination', reason: 'inlet-not-found', detail };
  if (answer.status === 501) return { kind: 'destination', reason: 'not-available', detail };
  if (answer.status > 504) return { kind: 'transient', detail, ...wait, unclear: false };
  return { kind: 'destination', reason: `status-${answer.status}`, detail };
}

function failureVerdict({ code, detail }: Extract<InletAnswer, { kind: 'failure' }>): Verdict {
  return {
    kind: 'transient',
    detail: `${code}: ${detail}`,
    unclear: code === 'timeout' || code === 'reset',
  };
}

/** Reads an answer of the batch endpoint to a request of `count` messages. */
export function batchVerdict(answer: InletAnswer, count: number): Verdict {
  if (answer.kind === 'failure') return failureVerdict(answer);
  if (answer.status < 200 || answer.status > 299) return statusVerdict(answer);
  const items = readBatchAnswer(answer.body, count);
  return destinationItem(items) ?? { kind: 'items', items };
}

/** Reads an answer of the single endpoint. A 2xx is a yes, whatever its body (adobe.md §2.9, last row). */
export function singleVerdict(answer: InletAnswer): Verdict {
  if (answer.kind === 'failure') return failureVerdict(answer);
  if (answer.status < 200 || answer.status > 299) return statusVerdict(answer);
  const { xactionId } = readSingleAnswer(answer.body);
  return { kind: 'items', items: [{ kind: 'taken', ...(xactionId === undefined ? {} : { xactionId }) }] };
}

function destinationItem(items: readonly ItemAnswer[]): Verdict | undefined {
  // One taken item proves that token, inlet and organisation are right; then a 403 or 404 is about the item after all.
  if (items.some((item) => item.kind === 'taken')) return undefined;
  for (const item of items) {
    if (item.kind !== 'failed') continue;
    const detail = `${item.status} ${item.message}`.trim();
    if (item.status === 401 || item.status === 403)
      return { kind: 'unauthorized', reason: 'unauthorized', detail };
    if (DESTINATION_ITEM.has(item.status))
      return { kind: 'destination', reason: `item-${item.status}`, detail };
    const reason = misconfigured(item.message);
    if (reason !== undefined) return { kind: 'destination', reason, detail };
  }
  return undefined;
}
