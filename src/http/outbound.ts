import type { Dispatcher } from 'undici';
import { readVersion } from '../version.ts';
import { type FailureCode, failureOf } from './failure.ts';

/** Identifies the relay and its version, for the support of the platforms. */
export const USER_AGENT = `capillary-aep-relay/${readVersion()}`;

/** Connections to one origin. */
export interface OutboundPool {
  request(
    options: Pick<Dispatcher.RequestOptions, 'method' | 'path' | 'headers' | 'body' | 'signal'>,
  ): Promise<Dispatcher.ResponseData>;
  destroy(): Promise<void>;
}

export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** For the whole exchange: waiting for a connection, sending, reading the response. */
  readonly timeoutMs: number;
  /** Bytes of the response's body to read; the rest is dropped. */
  readonly maxBytes: number;
}

export type OutboundResult =
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly headers: Dispatcher.ResponseData['headers'];
      readonly body: string;
      /** The body was longer than `maxBytes`. */
      readonly truncated: boolean;
      readonly durationMs: number;
    }
  | {
      readonly kind: 'failure';
      readonly code: FailureCode;
      readonly detail: string;
      readonly durationMs: number;
    };

type ResponseBody = Dispatcher.ResponseData['body'];

async function readText(
  stream: ResponseBody,
  maxBytes: number,
): Promise<{ body: string; truncated: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    // Leaving the loop destroys the stream, and with it the connection.
    if (bytes > maxBytes) break;
  }
  const read = Buffer.concat(chunks);
  return { body: read.toString('utf8', 0, Math.min(bytes, maxBytes)), truncated: bytes > maxBytes };
}

/**
 * Sends one request. Nothing is retried and no redirect is followed; a 3xx is a response like any
 * other.
 * @throws only the reason of the caller's signal
 */
export async function send(
  pool: OutboundPool,
  request: OutboundRequest,
  signal: AbortSignal,
): Promise<OutboundResult> {
  signal.throwIfAborted();
  const started = performance.now();
  const durationMs = () => Math.round(performance.now() - started);
  const limit = startTimeLimit(signal, request.timeoutMs);
  const { method, path, headers, body } = request;
  try {
    const sent = pool.request({ method, path, headers, body: body ?? null, signal: limit.signal });
    // undici notices an abort only once it has a connection; the caller must not wait for that.
    const response = await abortable(sent, limit.signal);
    const read = await readText(response.body, request.maxBytes);
    return {
      kind: 'response',
      status: response.statusCode,
      headers: response.headers,
      ...read,
      durationMs: durationMs(),
    };
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'failure', ...failureOf(error), durationMs: durationMs() };
  } finally {
    limit.clear();
  }
}

interface TimeLimit {
  /** Aborted by the parent (with its reason) or by the timer (with a `TimeoutError`). */
  readonly signal: AbortSignal;
  /** Removes timer and listener. Must be called in any case. */
  clear(): void;
}

/**
 * A signal that follows its parent and aborts after `ms`. The timer does not keep the process
 * alive.
 */
function startTimeLimit(parent: AbortSignal, ms: number): TimeLimit {
  const controller = new AbortController();
  const onAbort = () => controller.abort(parent.reason);
  const onTimeout = () => controller.abort(new DOMException(`no response within ${ms} ms`, 'TimeoutError'));
  const timer = setTimeout(onTimeout, ms).unref();
  parent.addEventListener('abort', onAbort, { once: true });
  if (parent.aborted) onAbort();
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer);
      parent.removeEventListener('abort', onAbort);
    },
  };
}

/**
 * Waits for a promise that others may be waiting for too: an abort ends this wait only.
 * @throws the signal's reason
 */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  // Without a handler, a late failure after an abort would be an unhandled rejection.
  promise.catch(() => undefined);
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
