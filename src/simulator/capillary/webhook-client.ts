import { Agent, request } from 'undici';

/** The result of one request to a webhook. */
export type WebhookAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      /** The body. */
      readonly text: string;
      /** From Retry-After. */
      readonly retryAfterMs?: number;
      readonly durationMs: number;
    }
  | {
      readonly kind: 'failure';
      readonly detail: string;
      readonly failure: string;
      readonly durationMs: number;
    };

export interface WebhookRequest {
  readonly url: string;
  /** Default POST. */
  readonly method?: 'POST' | 'PUT' | 'GET' | 'DELETE';
  /** Added to those of every request, and in their place. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends events as Capillary does. */
export interface WebhookClient {
  /** @throws only if the signal is aborted */
  send(request: WebhookRequest, signal: AbortSignal): Promise<WebhookAnswer>;
  close(): Promise<void>;
}

/** Capillary's time limit (docs/platforms/capillary.md#response-time). */
export const TIMEOUT_MS = 30_000;

/**
 * The form of the only published request (docs/platforms/capillary.md#captured-request); its Java
 * version differs.
 */
const HEADERS = {
  'content-type': 'application/json',
  accept: 'text/plain, application/json, */*',
  'user-agent': 'Java/1.8.0_352',
};

/** Every other answer is final (docs/platforms/capillary.md#answers-and-repeats). */
export function isRetryable(answer: WebhookAnswer): boolean {
  return answer.kind === 'failure' || answer.status === 429 || answer.status >= 500;
}

export function isSuccess(answer: WebhookAnswer): boolean {
  return answer.kind === 'answer' && answer.status >= 200 && answer.status < 300;
}

/** First and longest wait before a repeat (docs/platforms/capillary.md#patience). */
export const BACK_OFF_MS = { min: 1_000, max: 60_000 };

/** The wait after the attempt with this number, from 1: it doubles up to the longest. */
export function backOffMs(attempt: number, { min, max } = BACK_OFF_MS): number {
  return Math.min(min * 2 ** (attempt - 1), max);
}

function retryAfterMs(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  const at = /^\d+$/.test(header) ? Date.now() + Number(header) * 1_000 : Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? `${String(error.code)}: ${error.message}` : error.message;
}

/** The causes that people know by name; others as they are described. */
const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'unknown host',
  UND_ERR_SOCKET: 'connection closed',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
};

function describeFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return FAILURES[code] ?? describeError(error);
}

/** Header names in lower case, so that a configured one takes the place of a fixed one. */
function headersOf(given: Readonly<Record<string, string>>): Record<string, string> {
  const named = Object.entries(given).filter(([name]) => name !== '');
  return { ...HEADERS, ...Object.fromEntries(named.map(([name, value]) => [name.toLowerCase(), value])) };
}

/**
 * @param connections parallel connections to one host; any number if absent
 * @param timeoutMs limit for the connection, for the head of the answer and for its body
 */
export function createWebhookClient(connections?: number, timeoutMs = TIMEOUT_MS): WebhookClient {
  const dispatcher = new Agent({
    ...(connections === undefined ? {} : { connections }),
    pipelining: 1,
    allowH2: false,
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  return {
    send: async ({ url, method = 'POST', headers, body }, signal) => {
      const startedAt = performance.now();
      const durationMs = (): number => performance.now() - startedAt;
      try {
        const answer = await request(url, { method, headers: headersOf(headers), body, dispatcher, signal });
        const text = await answer.body.text();
        const waitMs = retryAfterMs(answer.headers['retry-after']);
        return {
          kind: 'answer',
          status: answer.statusCode,
          text,
          durationMs: durationMs(),
          ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
        };
      } catch (error) {
        signal.throwIfAborted();
        return {
          kind: 'failure',
          detail: describeError(error),
          failure: describeFailure(error),
          durationMs: durationMs(),
        };
      }
    },
    close: () => dispatcher.destroy(),
  };
}
