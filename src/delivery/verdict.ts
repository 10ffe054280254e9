import { type ItemAnswer, readBatchAnswer, readProblem, readSingleAnswer } from '../adobe/inlet/response.ts';
import type { InletAnswer } from '../adobe/ports.ts';

/**
 * What an answer of the inlet means for the request as a whole. If the cause is unclear it is the
 * destination's fault: a wrong pause costs time, a wrong dead letter costs an event.
 * Sources: docs/platforms/adobe.md#inlet-statuses docs/platforms/adobe.md#retries
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
      /**
       * A message can be the cause as well as the destination: a 500, a reset or a timeout.
       * Source: docs/platforms/adobe.md#retries
       */
      readonly unclear: boolean;
    };

const TRANSIENT = new Set([408, 425, 500, 502, 503, 504]);
const INVALID = new Set([400, 415, 422]);

/**
 * Messages about the configured organization or schema: they concern every message alike, so no
 * message is at fault.
 * Source: docs/platforms/adobe.md#error-documents
 */
const MISCONFIGURED: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/absent or wrong ims org/i, 'wrong-ims-org'],
  [/unknown xdm format/i, 'unknown-schema'],
];

function misconfigurationReason(text: string): string | undefined {
  return MISCONFIGURED.find(([pattern]) => pattern.test(text))?.[1];
}

/** Statuses of an item of a 207 that concern the destination, not the item. */
const DESTINATION_ITEM = new Set([401, 403, 404, 501]);

function statusVerdict(answer: Extract<InletAnswer, { kind: 'answer' }>): Verdict {
  const detail = `${answer.status} ${readProblem(answer.body)}`.trim();
  const wait = answer.retryAfter === undefined ? {} : { retryAfter: answer.retryAfter };
  if (answer.status === 413) return { kind: 'too-large', detail };
  if (INVALID.has(answer.status)) {
    const reason = misconfigurationReason(answer.body);
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
  return destinationVerdict(items) ?? { kind: 'items', items };
}

/**
 * Reads an answer of the single endpoint. Any 2xx is a success, whatever its body.
 * Source: docs/platforms/adobe.md#foreign-answers
 */
export function singleVerdict(answer: InletAnswer): Verdict {
  if (answer.kind === 'failure') return failureVerdict(answer);
  if (answer.status < 200 || answer.status > 299) return statusVerdict(answer);
  const { xactionId } = readSingleAnswer(answer.body);
  return { kind: 'items', items: [{ kind: 'taken', ...(xactionId === undefined ? {} : { xactionId }) }] };
}

function destinationVerdict(items: readonly ItemAnswer[]): Verdict | undefined {
  // One accepted item proves that token, inlet and organization are right, so a 403 or 404 concerns
  // its item.
  if (items.some((item) => item.kind === 'taken')) return undefined;
  for (const item of items) {
    if (item.kind !== 'failed') continue;
    const detail = `${item.status} ${item.message}`.trim();
    if (item.status === 401 || item.status === 403)
      return { kind: 'unauthorized', reason: 'unauthorized', detail };
    if (DESTINATION_ITEM.has(item.status))
      return { kind: 'destination', reason: `item-${item.status}`, detail };
    const reason = misconfigurationReason(item.message);
    if (reason !== undefined) return { kind: 'destination', reason, detail };
  }
  return undefined;
}
