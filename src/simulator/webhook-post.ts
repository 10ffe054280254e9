import { Agent, request } from 'undici';
import { isJsonObject } from '../capillary/json.ts';

/** What came back from one POST. */
export type WebhookAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      /** ms, from Retry-After. */
      readonly retryAfterMs?: number;
      /** The relay says that it knows the event. */
      readonly isDuplicate: boolean;
      readonly durationMs: number;
    }
  | { readonly kind: 'failure'; readonly detail: string; readonly durationMs: number };

/** Posts bodies to one URL the way Capillary's router does. */
export interface WebhookPost {
  /** Never throws but for an aborted signal. */
  post(body: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<WebhookAnswer>;
  close(): Promise<void>;
}

/** Capillary gives an answer 30 s (reference: capillary.md §3). */
const TIMEOUT_MS = 30_000;

/** The headers of the one request that Capillary published (reference: capillary.md §1.3). */
const HEADERS = {
  'content-type': 'application/json',
  accept: 'text/plain, application/json, */*',
  'user-agent': 'Java/1.8.0_352',
};

function retryAfterMs(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  const at = /^\d+$/.test(header) ? Date.now() + Number(header) * 1_000 : Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

function saysDuplicate(text: string): boolean {
  try {
    const body: unknown = JSON.parse(text);
    return isJsonObject(body) && body.status === 'duplicate';
  } catch {
    return false;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? `${String(error.code)}: ${error.message}` : error.message;
}

export function createWebhookPost(url: string, connections: number): WebhookPost {
  const dispatcher = new Agent({
    connections,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: TIMEOUT_MS },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  return {
    post: async (body, headers, signal) => {
      const startedAt = performance.now();
      const durationMs = (): number => performance.now() - startedAt;
      try {
        const answer = await request(url, {
          method: 'POST',
          headers: { ...HEADERS, ...headers },
          body,
          dispatcher,
          signal,
        });
        const text = await answer.body.text();
        const waitMs = retryAfterMs(answer.headers['retry-after']);
        return {
          kind: 'answer',
          status: answer.statusCode,
          isDuplicate: saysDuplicate(text),
          durationMs: durationMs(),
          ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
        };
      } catch (error) {
        signal.throwIfAborted();
        return { kind: 'failure', detail: describe(error), durationMs: durationMs() };
      }
    },
    close: () => dispatcher.destroy(),
  };
}
