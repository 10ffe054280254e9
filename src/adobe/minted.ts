import type { JsonObject } from '../capillary/json.ts';
import type { PostAnswer } from './http-post.ts';
import { parseObject } from './json-text.ts';
import { parseRetryAfter } from './retry-after.ts';
import { shorten } from './short-text.ts';
import { tokenLifetime } from './token-lifetime.ts';

export interface MintFailure {
  readonly ok: false;
  /** See TokenAnswer; one of a fixed set, fit for a metric label. */
  readonly code: string;
  readonly detail: string;
  readonly permanent: boolean;
  /** ms, when IMS said how long to wait. */
  readonly retryAfter?: number;
  /** The secret is at fault: another one may work. */
  readonly wrongSecret: boolean;
}

/** What one request to IMS brought. `lifetime` is ms from now, undefined when IMS did not say anything usable. */
export type Minted =
  | { readonly ok: true; readonly token: string; readonly lifetime: number | undefined }
  | MintFailure;

type Answered = Extract<PostAnswer, { kind: 'answer' }>;

/** Errors of the configuration, that no repetition mends (adobe.md §1.4). */
export const PERMANENT_CODES = [
  'invalid_client',
  'invalid_scope',
  'invalid_request',
  'bad_request',
  'unauthorized_client',
  'unsupported_grant_type',
];
const PERMANENT = new Set(PERMANENT_CODES);

/** What may stand in an Authorization header; anything else is no token. */
const TOKEN = /^[\x21-\x7e]+$/;

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function detailOf(answer: Answered, words: string): string {
  // x-debug-id names the call to Adobe's support (adobe.md §1.4).
  const id = answer.headers['x-debug-id'];
  const debug = typeof id === 'string' ? ` (x-debug-id ${id})` : '';
  return shorten(`IMS answered ${answer.status}${words && `: ${words}`}${debug}`, 500);
}

function failed(
  answer: Answered,
  now: number,
  code: string,
  words: string,
  fault: { readonly permanent?: boolean; readonly wrongSecret?: boolean } = {},
): MintFailure {
  const retryAfter = parseRetryAfter(answer.headers['retry-after'], now);
  return {
    ok: false,
    code,
    detail: detailOf(answer, words),
    permanent: fault.permanent ?? false,
    wrongSecret: fault.wrongSecret ?? false,
    ...(retryAfter !== undefined && { retryAfter }),
  };
}

function mintedToken(answer: Answered, body: JsonObject | undefined, now: number): Minted {
  const token = text(body?.['access_token']);
  if (answer.cut || !TOKEN.test(token)) return failed(answer, now, 'unavailable', 'no usable access_token');
  return { ok: true, token, lifetime: tokenLifetime(token, body?.['expires_in']) };
}

function refusal(answer: Answered, body: JsonObject | undefined, now: number): MintFailure {
  const error = text(body?.['error']);
  const description = text(body?.['error_description']);
  const words = [error, description].filter(Boolean).join(', ');
  if (!PERMANENT.has(error)) return failed(answer, now, 'refused', words);
  const wrongSecret = error === 'invalid_client' && /client_secret/i.test(description);
  return failed(answer, now, error, words, { permanent: true, wrongSecret });
}

/** Reads IMS's answer to a token request. Source: adobe.md §1.3 (success), §1.4 (errors). @param now epoch ms */
export function readMinted(answer: PostAnswer, now: number): Minted {
  if (answer.kind === 'failure') {
    const detail = `IMS did not answer: ${answer.code}: ${answer.detail}`;
    return { ok: false, code: 'network', detail, permanent: false, wrongSecret: false };
  }
  const { status } = answer;
  const body = parseObject(answer.body);
  if (status >= 200 && status < 300) return mintedToken(answer, body, now);
  if (status === 429) return failed(answer, now, 'throttled', text(body?.['error']));
  const passing = status < 400 || status === 408 || status === 425 || status >= 500;
  return passing ? failed(answer, now, 'unavailable', text(body?.['error'])) : refusal(answer, body, now);
}
