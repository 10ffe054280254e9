import { isAdobeError, isAdobeSuccess, isPage } from '../adobe/inlet/adobe-answer.ts';
import { type ItemResult, readBatchResponse, readProblem, readSingleItem } from '../adobe/inlet/response.ts';
import type { InletResult } from '../adobe/ports.ts';

/**
 * What a response of the inlet means for the request as a whole. An unclear cause counts as the
 * destination's fault: a wrong pause costs time, a wrong dead letter costs an event.
 * Sources: docs/platforms/adobe.md#inlet-statuses docs/platforms/adobe.md#retries
 */
export type Verdict =
  | { readonly kind: 'items'; readonly items: readonly ItemResult[] }
  | { readonly kind: 'too-large'; readonly detail: string }
  /** Refused by Adobe's own document. */
  | { readonly kind: 'invalid'; readonly detail: string }
  /** Not Adobe's answer, so it says nothing about the messages. */
  | { readonly kind: 'foreign'; readonly detail: string }
  | { readonly kind: 'unauthorized'; readonly reason: string; readonly detail: string }
  | { readonly kind: 'destination'; readonly reason: string; readonly detail: string }
  | { readonly kind: 'throttled'; readonly detail: string; readonly retryAfterMs?: number }
  /** Nothing was sent, because the proxy fails for a temporary reason. */
  | { readonly kind: 'unsent'; readonly reason: string; readonly detail: string }
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

/** Whether the cause lies in the flow of one kind of messages and not in the inlet as a whole. */
export function isFaultOfFlow(reason: string): boolean {
  return MISCONFIGURED.some(([, known]) => known === reason);
}

function misconfigurationReason(text: string): string | undefined {
  return MISCONFIGURED.find(([pattern]) => pattern.test(text))?.[1];
}

function notAdobes(status: number, text: string): string {
  return `${status}, an answer that is not Adobe's: ${text}`;
}

function foreignVerdict({ status, body }: Extract<InletResult, { kind: 'response' }>): Verdict {
  const text = readProblem(body);
  const detail = text === '' ? `${status}, an empty answer` : notAdobes(status, text);
  return { kind: 'foreign', detail };
}

/** Statuses of an item of a 207 that concern the destination, not the item. */
const DESTINATION_ITEM_STATUSES = new Set([401, 403, 404, 501]);

function unauthorizedReason(status: number, body: string): string {
  // A proxy that denies the request is not the inlet that refuses the token.
  if (isPage(body)) return 'foreign-answer';
  if (status === 401) return 'unauthorized';
  return body.trim() === '' ? 'ip-not-allowed' : 'forbidden';
}

function statusDetail({ status, body }: Extract<InletResult, { kind: 'response' }>): string {
  const text = readProblem(body);
  return isPage(body) ? notAdobes(status, text) : `${status} ${text}`.trim();
}

function statusVerdict(response: Extract<InletResult, { kind: 'response' }>): Verdict {
  const detail = statusDetail(response);
  const wait = response.retryAfterMs === undefined ? {} : { retryAfterMs: response.retryAfterMs };
  if (response.status === 413) return { kind: 'too-large', detail };
  if (INVALID_STATUSES.has(response.status)) {
    if (!isAdobeError(response.body, response.status)) return foreignVerdict(response);
    const reason = misconfigurationReason(response.body);
    return reason === undefined ? { kind: 'invalid', detail } : { kind: 'destination', reason, detail };
  }
  if (response.status === 401 || response.status === 403) {
    return { kind: 'unauthorized', reason: unauthorizedReason(response.status, response.body), detail };
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
  if (code === 'proxy-refused') return { kind: 'destination', reason: code, detail };
  if (code === 'proxy-failing') return { kind: 'unsent', reason: code, detail };
  return {
    kind: 'transient',
    detail: `${code}: ${detail}`,
    isAmbiguous: code === 'timeout' || code === 'reset',
  };
}

/**
 * The verdict on a response that is not a success of the inlet; a 2xx that is not Adobe's proves no
 * delivery.
 * Source: docs/platforms/adobe.md#foreign-answers
 */
function failedVerdict(response: InletResult): Verdict | undefined {
  if (response.kind === 'failure') return failureVerdict(response);
  if (response.status < 200 || response.status > 299) return statusVerdict(response);
  return isAdobeSuccess(response.body, response.isTruncated) ? undefined : foreignVerdict(response);
}

function bodyOf(response: InletResult): string {
  return response.kind === 'response' ? response.body : '';
}

/** Reads a response of the batch endpoint to a request of `count` messages. */
export function batchVerdict(response: InletResult, count: number): Verdict {
  return failedVerdict(response) ?? itemsVerdict(readBatchResponse(bodyOf(response), count));
}

/** Reads a response of the single endpoint, after which its message is never sent alone again. */
export function singleVerdict(response: InletResult): Verdict {
  const failed = failedVerdict(response);
  if (failed !== undefined) return failed;
  const item = readSingleItem(bodyOf(response));
  if (item.kind === 'unknown') return NOT_ADOBES;
  const isTooLarge = item.kind === 'failed' && item.status === 413;
  return isTooLarge ? { kind: 'too-large', detail: `413 ${item.message}`.trim() } : itemsVerdict([item]);
}

const NOT_ADOBES: Verdict = {
  kind: 'foreign',
  detail: 'no element of the answer has an xactionId or a status',
};

function itemsVerdict(items: readonly ItemResult[]): Verdict {
  if (items.length > 0 && items.every((item) => item.kind === 'foreign')) return NOT_ADOBES;
  return destinationVerdict(items) ?? { kind: 'items', items };
}

function destinationVerdict(items: readonly ItemResult[]): Verdict | undefined {
  // One accepted item proves that token, inlet and organization are right, so a 403 or 404 concerns
  // its item.
  if (items.some((item) => item.kind === 'taken')) return undefined;
  for (const item of items) {
    if (item.kind !== 'failed') continue;
    const detail = `${item.status} ${item.message}`.trim();
    if (item.status === 401) return { kind: 'unauthorized', reason: 'unauthorized', detail };
    if (item.status === 403) return { kind: 'unauthorized', reason: 'forbidden', detail };
    if (DESTINATION_ITEM_STATUSES.has(item.status))
      return { kind: 'destination', reason: `item-${item.status}`, detail };
    const reason = misconfigurationReason(item.message);
    if (reason !== undefined) return { kind: 'destination', reason, detail };
  }
  return undefined;
}
