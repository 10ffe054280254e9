import type { Dispatcher, Pool } from 'undici';
import { abortable } from './abortable.ts';
import { type FailureCode, failureOf } from './failure.ts';
import { startTimeLimit } from './time-limit.ts';

export interface Post {
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** ms for everything: waiting for a connection, sending, the whole answer. */
  readonly timeoutMs: number;
  /** Bytes of the answer's body to read; the rest is dropped. */
  readonly maxBytes: number;
}

export type PostAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Dispatcher.ResponseData['headers'];
      readonly body: string;
      /** The body was longer than `maxBytes`. */
      readonly cut: boolean;
      readonly durationMs: number;
    }
  | {
      readonly kind: 'failure';
      readonly code: FailureCode;
      readonly detail: string;
      readonly durationMs: number;
    };

type ResponseBody = Dispatcher.ResponseData['body'];

async function readText(stream: ResponseBody, maxBytes: number): Promise<{ body: string; cut: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    // Leaving the loop ends the stream, and with it the connection.
    if (bytes > maxBytes) break;
  }
  const whole = Buffer.concat(chunks);
  return { body: whole.toString('utf8', 0, Math.min(bytes, maxBytes)), cut: bytes > maxBytes };
}

/**
 * One POST, once: nothing is tried again and no redirect followed; a 3xx is an answer like any other.
 * @throws only the reason of the caller's signal
 */
export async function post(pool: Pool, request: Post, signal: AbortSignal): Promise<PostAnswer> {
  signal.throwIfAborted();
  const started = performance.now();
  const durationMs = () => Math.round(performance.now() - started);
  const limit = startTimeLimit(signal, request.timeoutMs);
  const { path, headers, body } = request;
  try {
    const sent = pool.request({ method: 'POST', path, headers, body, signal: limit.signal });
    // undici notices an abort only once it has a connection; whoever waits here must not wait for that.
    const response = await abortable(sent, limit.signal);
    const read = await readText(response.body, request.maxBytes);
    return {
      kind: 'answer',
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
