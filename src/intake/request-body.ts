import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../http/problems.ts';

/** Beginning of a body over the limit that is stored. */
const HEAD_BYTES = 4_096;
/** Bytes beyond the limit that are read, but not stored, for the hash and the length. */
const MAX_EXCESS_BYTES = 16 * 1_024 * 1_024;
/** Maximum wait for the next bytes of such a body, and for all of it. */
const IDLE_MS = 500;
const MAX_READ_MS = 5_000;

/** What is known of a body over the limit. */
export interface OversizedBody {
  /** The first bytes. */
  readonly head: Buffer;
  /** SHA-256 of the bytes that were read, in hex. */
  readonly sha256: string;
  /** How many bytes were read. */
  readonly bytes: number;
  /** True if these are all bytes of the body. */
  readonly isComplete: boolean;
}

/** The body of a webhook: complete and within the limit, or the beginning of a larger one. */
export type RequestBody = Buffer | OversizedBody;

export interface ReadOptions {
  /** Maximum size in bytes. */
  readonly limit: number;
  /**
   * Whether to read on when the body exceeds the limit. Called at most once, before anything
   * beyond the limit is read.
   */
  readonly mayReadOn: () => boolean;
}

type Done = (error: Error | null, body?: RequestBody) => void;

/**
 * Reads a body without storing more than the limit. Not a promise, because it runs for every
 * webhook.
 */
export function readRequestBody(payload: IncomingMessage, options: ReadOptions, done: Done): void {
  const { limit } = options;
  const chunks: Buffer[] = [];
  let bytes = 0;
  const stop = (): void => {
    payload.off('data', onData).off('end', onEnd).off('error', onError);
  };
  const exceed = (): void => {
    stop();
    if (options.mayReadOn()) readOversized(payload, chunks, limit + MAX_EXCESS_BYTES, done);
    else done(new ProblemError('body-too-large'));
  };
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > limit) exceed();
  };
  const onEnd = (): void => {
    stop();
    // Always a copy: chunks are views of the read buffer of the socket.
    done(null, Buffer.concat(chunks, bytes));
  };
  const onError = (): void => {
    stop();
    done(new ProblemError('bad-request', 'the body did not arrive completely'));
  };
  if (Number(payload.headers['content-length']) > limit) {
    exceed();
    return;
  }
  payload.on('data', onData).on('end', onEnd).on('error', onError);
}

/** Reads on for the hash. It always ends well, with what has arrived. */
function readOversized(
  payload: IncomingMessage,
  chunks: readonly Buffer[],
  maxBytes: number,
  done: Done,
): void {
  const hash = createHash('sha256');
  const head: Buffer[] = [];
  let bytes = 0;
  const finish = (isComplete: boolean): void => {
    clearTimeout(idle);
    clearTimeout(deadline);
    payload.off('data', add).off('end', onEnd).off('error', onError).off('close', onError);
    payload.on('error', () => undefined).pause();
    const all = Buffer.concat(head).subarray(0, HEAD_BYTES);
    done(null, { head: Buffer.from(all), sha256: hash.digest('hex'), bytes, isComplete });
  };
  const onEnd = (): void => finish(true);
  const onError = (): void => finish(false);
  const add = (chunk: Buffer): void => {
    hash.update(chunk);
    if (bytes < HEAD_BYTES) head.push(Buffer.from(chunk.subarray(0, HEAD_BYTES)));
    bytes += chunk.length;
    idle.refresh();
    if (bytes >= maxBytes) finish(false);
  };
  const idle = setTimeout(onError, IDLE_MS);
  const deadline = setTimeout(onError, MAX_READ_MS);
  for (const chunk of chunks) add(chunk);
  payload.on('data', add).on('end', onEnd).on('error', onError).on('close', onError);
  payload.resume();
}

/**
 * Reads a body and drops it, up to the limit in bytes: a connection that is closed with unread
 * bytes is reset, and the sender might not see the answer.
 */
export function discardBody(payload: IncomingMessage, limit: number, done: () => void): void {
  let bytes = 0;
  const finish = (): void => {
    payload.off('data', onData).off('end', finish).off('close', finish);
    payload.resume();
    done();
  };
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > limit) finish();
  };
  if (Number(payload.headers['content-length']) > limit) finish();
  else payload.on('data', onData).once('end', finish).once('close', finish);
}
