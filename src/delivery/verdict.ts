import {
  type ItemResult,
  readBatchResponse,
  readProblem,
  readSingleResponse,
} from '../adobe/inlet/response.ts';
import type { InletResult } from '../adobe/ports.ts';

/**
 * What a response of the inlet means for the request as a whole. An unclear cause counts as the
 * destination's fault: a wrong pause costs time, a wrong dead letter costs an event.
 * Sources: docs/platforms/adobe.md#inlet-statuses docs/platforms/adobe.md#retries
 */
export type Verdict =
  | { readonly kind: 'items'; readonly items: readonly ItemResult[] }
  | { readonly kind: 'too-large'; readonly detail: string }
  | { readonly kind: 'invalid'; readonly detail: string }
  | { readonly kind: 'unauthorized'; readonly reason: string; readonly detail: string }
  | { readonly kind: 'destination'; readonly reason: string; readonly detail: string }
  | { readonly kind: 'throttled'; readonly detail: string; readonly retryAfterMs?: number }
  | {
      readonly kind: 'transient';
      readonly detail: string;
      readonly retryAfterMs?: number;
      /**
       * The cause can be a message or the destination: a 500, a reset or a timeout.
       * Source: docs/platforms/adobe.md#retries
       */
      readonly isAmbiguous: boolean;
    };

const TRANSIENT_STATUSES = new Set([408, 425, 500, 502, 503, 504]);
const INVALID_STATUSES = new Set([400, 415, 422]);

/**
 * Error texts about the configured organization or schema. They apply to every message, so no
 * single message is at fault.
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
const DESTINATION_ITEM_STATUSES = new Set([401, 403, 404, 501]);

function statusVerdict(response: Extract<InletResult, { kind: 'response' }>): Verdict {
  const detail = `${response.status} ${readProblem(response.body)}`.trim();
  const wait = response.retryAfterMs === undefined ? {} : { retryAfterMs: response.retryAfterMs };
  if (response.status === 413) return { kind: 'too-large', detail };
  if (INVALID_STATUSES.has(response.status)) {
    const reason = misconfigurationReason(response.body);
    return reason === undefined ? { kind: 'invalid', detail } : { kind: 'destination', reason, detail };
  }
  if (response.status === 401) return { kind: 'unauthorized', reason: 'unauthorized', detail };
  if (response.status === 403) {
    const reason = response.body.trim() === '' ? 'ip-not-allowed' : 'forbidden';
    return { kind: 'unauthorized', reason, detail };
  }
  if (response.status === 429) return { kind: 'throttled', detail, ...wait };
  if (TRANSIENT_STATUSES.has(response.status))
    return { kind: 'transient', detail, ...wait, isAmbiguous: response.status === 500 };
  if (response.status === 404) return { kind: 'destination', reason: 'inlet-not-found', detail };
  if (response.status === 501) return { kind: 'destination', reason: 'not-available', detail };
  if (response.status > 504) return { kind: 'transient', detail, ...wait, isAmbiguous: false };
  return { kind: 'destination', reason: `status-${response.status}`, detail };
}

function failureVerdict({ code, detail }: Extract<InletResult, { kind: 'failure' }>): Verdict {
  return {
    kind: 'transient',
    detail: `${code}: ${detail}`,
    isAmbiguous: code === 'timeout' || code === 'reset',
  };
}

/** Reads a response of the batch endpoint to a request of `count` messages. */
export function batchVerdict(response: InletResult, count: number): Verdict {
  if (response.kind === 'failure') return failureVerdict(response);
  if (response.status < 200 || response.status > 299) return statusVerdict(response);
  const items = readBatchResponse(response.body, count);
  return destinationVerdict(items) ?? { kind: 'items', items };
}

/**
 * Reads a response of the single endpoint. Any 2xx is a success, whatever its body.
 * Source: docs/platforms/adobe.md#foreign-answers
 */
export function singleVerdict(response: InletResult): Verdict {
  if (response.kind === 'failure') return failureVerdict(response);
  if (response.status < 200 || response.status > 299) return statusVerdict(response);
  const { xactionId } = readSingleResponse(response.body);
  return { kind: 'items', items: [{ kind: 'taken', ...(xactionId === undefined ? {} : { xactionId }) }] };
}

function destinationVerdict(items: readonly ItemResult[]): Verdict | undefined {
  // One accepted item proves that token, inlet and organization are right, so a 403 or 404 concerns
  // its item.
  if (items.some((item) => item.kind === 'taken')) return undefined;
  for (const item of items) {
    if (item.kind !== 'failed') continue;
    const detail = `${item.status} ${item.message}`.trim();
    if (item.status === 401 || item.status === 403)
      return { kind: 'unauthorized', reason: 'unauthorized', detail };
    if (DESTINATION_ITEM_STATUSES.has(item.status))
      return { kind: 'destination', reason: `item-${item.status}`, detail };
    const reason = misconfigurationReason(item.message);
    if (reason !== undefined) return { kind: 'destination', reason, detail };
  }
  return undefined;
}
