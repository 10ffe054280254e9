import type { Dispatcher } from 'undici';
import { failureOf } from './failure.ts';
import { abortable, type OutboundPool, type OutboundRequest, type OutboundResult } from './outbound.ts';

/** Takes a part of a body; the next one is read when it has resolved. */
export type TakeChunk = (chunk: Buffer) => void | Promise<void>;

export interface StreamingRequest extends OutboundRequest {
  /** For the body of a success, in ms; `timeoutMs` is for the time until its first byte. */
  readonly downloadMs: number;
}

/** Bytes of an answer that is no success, or a page. */
const MAX_TEXT_BYTES = 65_536;

type ResponseBody = Dispatcher.ResponseData['body'];

/** A login page of a proxy is answered 200 too. */
function isPage(headers: Dispatcher.ResponseData['headers'], first: Buffer): boolean {
  const type = headers['content-type'];
  if (typeof type === 'string' && /^\s*(text\/html|application\/xhtml)/i.test(type)) return true;
  return /^(?:\xef\xbb\xbf)?\s*</.test(first.toString('latin1', 0, 256));
}

/** Everything that a body yields: its first chunk, and the rest. */
interface Opened {
  readonly first: Buffer;
  readonly rest: AsyncIterator<Buffer>;
}

async function open(body: ResponseBody): Promise<Opened> {
  const rest = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  for (;;) {
    const next = await rest.next();
    if (next.done === true) return { first: Buffer.alloc(0), rest };
    if (next.value.length > 0) return { first: next.value, rest };
  }
}

async function textOf({ first, rest }: Opened): Promise<string> {
  const chunks = [first];
  let bytes = first.length;
  while (bytes < MAX_TEXT_BYTES) {
    const next = await rest.next();
    if (next.done === true) break;
    chunks.push(next.value);
    bytes += next.value.length;
  }
  await rest.return?.();
  return Buffer.concat(chunks).toString('utf8', 0, MAX_TEXT_BYTES);
}

/** What the receiver threw, which is no failure of the network. */
class TakeError extends Error {
  readonly thrown: unknown;

  constructor(thrown: unknown) {
    super('the receiver of a body has failed');
    this.thrown = thrown;
  }
}

async function pass({ first, rest }: Opened, take: TakeChunk): Promise<void> {
  try {
    for (let chunk = first; ; ) {
      try {
        await take(chunk);
      } catch (error) {
        throw new TakeError(error);
      }
      const next = await rest.next();
      if (next.done === true) return;
      chunk = next.value;
    }
  } finally {
    await rest.return?.();
  }
}

/**
 * Sends one request and gives the body of a success to `take`, in order and in parts, so that it
 * need not fit into memory. The `body` of the result is then empty; any other answer, and a page of
 * HTML, is returned as `send` returns it. Nothing is retried and no redirect is followed.
 * @throws the reason of the signal, and what `take` throws
 */
export async function sendStreaming(
  pool: OutboundPool,
  request: StreamingRequest,
  take: TakeChunk,
  signal: AbortSignal,
): Promise<OutboundResult> {
  signal.throwIfAborted();
  const started = performance.now();
  const durationMs = () => Math.round(performance.now() - started);
  const limit = new AbortController();
  const stop = () => limit.abort(signal.reason);
  const end = () => limit.abort(new DOMException('the file did not arrive in time', 'TimeoutError'));
  let timer = setTimeout(end, request.timeoutMs).unref();
  signal.addEventListener('abort', stop, { once: true });
  const { method, path, headers, body } = request;
  try {
    const sent = pool.request({ method, path, headers, body: body ?? null, signal: limit.signal });
    const response = await abortable(sent, limit.signal);
    const opened = await open(response.body);
    const base = { kind: 'response', status: response.statusCode, headers: response.headers } as const;
    if (response.statusCode >= 300 || isPage(response.headers, opened.first))
      return { ...base, body: await textOf(opened), truncated: false, durationMs: durationMs() };
    clearTimeout(timer);
    timer = setTimeout(end, request.downloadMs).unref();
    await pass(opened, take);
    return { ...base, body: '', truncated: false, durationMs: durationMs() };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TakeError) throw error.thrown;
    return { kind: 'failure', ...failureOf(error), durationMs: durationMs() };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
