import type { OutboundResult } from '../../http/outbound.ts';
import { isPlausibleTime } from '../times.ts';
import { type JsonValue, parseJsonText } from '../json.ts';
import { type ApiError, requestIdOf } from './api-errors.ts';
import { type ApiMessage, readMessages } from './api-messages.ts';

export interface ApiSuccess {
  readonly ok: true;
  readonly status: number;
  readonly body: JsonValue;
  /** A warning can be decisive, such as 8069: the customer was merged into another one. */
  readonly warnings: readonly ApiMessage[];
  readonly requestId?: string;
  /**
   * Epoch ms: what the answer says was true then or later. When the request was sent, or the
   * answer's `Date` if that is earlier by its second or more: this clock is ahead of Capillary's.
   */
  readonly at: number;
}

export interface ApiFailure {
  readonly ok: false;
  readonly error: ApiError;
  /** As that of a success; absent without an answer. */
  readonly at?: number;
}

export type ApiAnswer = ApiSuccess | ApiFailure;

/** A value that was read from an answer, or why it could not be. */
export type ApiResult<T> = { readonly ok: true; readonly value: T } | ApiFailure;

/** `Date` has whole seconds: the answer can be that much newer. */
const DATE_MS = 1_000;

/** @param sentAt epoch ms */
export function knownAt(result: OutboundResult, sentAt: number): number {
  const date = result.kind === 'response' ? Date.parse(String(result.headers['date'])) : Number.NaN;
  return isPlausibleTime(date) && date + DATE_MS <= sentAt ? date : sentAt;
}

/**
 * @param tolerated codes of errors that are warnings to this call
 * @returns undefined if the answer is no success
 */
export function successOf(
  result: OutboundResult,
  sentAt: number,
  tolerated: readonly string[] = [],
): ApiSuccess | undefined {
  if (result.kind === 'failure' || result.status >= 300 || result.truncated) return undefined;
  const { errors, warnings } = readMessages(result.body);
  if (errors.some(({ code }) => !tolerated.includes(code))) return undefined;
  const parsed = parseJsonText(result.body);
  if (!parsed.ok) return undefined;
  const requestId = requestIdOf(result);
  return {
    ok: true,
    status: result.status,
    body: parsed.value,
    warnings: [...errors, ...warnings],
    at: knownAt(result, sentAt),
    ...(requestId === undefined ? {} : { requestId }),
  };
}

/** A success that has not what it should have: the API has changed, or it is not Capillary's. */
export function unreadable(call: string, { status, requestId }: ApiSuccess, lack: string): ApiFailure {
  const id = requestId === undefined ? {} : { requestId };
  return {
    ok: false,
    error: { kind: 'foreign', call, status, text: `an answer ${lack}`, ...id, ambiguous: false },
  };
}
