import type { FetchedCall } from '../entities.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { type ApiAnswer, type ApiSuccess, unreadable } from './api-answer.ts';
import type { ApiError } from './api-errors.ts';
import type { CallOptions, CapillaryClient } from './capillary-client.ts';

/** What was read, or why it was not. */
export type ReadAnswer<T> =
  | {
      readonly ok: true;
      readonly value: T;
      /** Epoch ms: what the answer says was true then or later. */
      readonly at: number;
      readonly call: FetchedCall;
    }
  | { readonly ok: false; readonly error: ApiError };

/** What an answer is worth: a value, or what it lacks. */
export type Reading<T> =
  | { readonly value: T }
  | { readonly lacks: string }
  | { readonly error: Partial<ApiError> };

interface ReadPlan<T> extends Omit<CallOptions, 'attempts' | 'maxBytes'> {
  /** Such as `/v2/customers/{id}`. */
  readonly path: string;
  /** In place of `{id}`. */
  readonly id?: string;
  readonly read: (body: JsonObject, answer: ApiSuccess) => Reading<T>;
  /** What a failure means, if it is an answer too. */
  readonly meaning?: (error: ApiError) => { readonly value: T } | undefined;
}

/**
 * Answers are kept with their events and in memory for some time. The longest that are known, a
 * customer with all lots and tiers or a bill of some hundred lines, have some 100 kB.
 */
const MAX_READ_BYTES = 2_097_152;

/** What is recorded of a call. */
function fetchedCall(call: string, { requestId, status }: Partial<ApiError>): FetchedCall {
  return {
    call,
    ...(requestId === undefined ? {} : { requestId }),
    ...(status === undefined ? {} : { status }),
  };
}

function readingOf<T>({ read }: ReadPlan<T>, answer: ApiSuccess): Reading<T> {
  return isJsonObject(answer.body) ? read(answer.body, answer) : { lacks: 'that is no object' };
}

function failed<T>({ meaning }: ReadPlan<T>, answer: Extract<ApiAnswer, { ok: false }>): ReadAnswer<T> {
  const { error, at } = answer;
  const meant = at === undefined ? undefined : meaning?.(error);
  return meant === undefined || at === undefined
    ? { ok: false, error }
    : { ok: true, ...meant, at, call: fetchedCall(error.call, error) };
}

/**
 * One read, tried once: who asks for it decides when it is repeated.
 * @throws only the reason of an aborted signal
 */
export async function readOnce<T>(
  client: Pick<CapillaryClient, 'get'>,
  plan: ReadPlan<T>,
): Promise<ReadAnswer<T>> {
  const { path, id, read: _read, meaning: _meaning, ...options } = plan;
  const called = id === undefined ? path : path.replace('{id}', encodeURIComponent(id));
  const answer = await client.get(called, { ...options, attempts: 1, maxBytes: MAX_READ_BYTES });
  if (!answer.ok) return failed(plan, answer);
  const call = `GET ${path}`;
  const reading = readingOf(plan, answer);
  if ('value' in reading) return { ok: true, ...reading, at: answer.at, call: fetchedCall(call, answer) };
  const refused = unreadable(call, answer, 'lacks' in reading ? reading.lacks : '');
  return 'lacks' in reading ? refused : { ok: false, error: { ...refused.error, ...reading.error } };
}
