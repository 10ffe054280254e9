import type { DestinationStream } from 'pino';

/** Where a logger writes; pino calls `flushSync` after a fatal line. */
export interface Output extends DestinationStream {
  flushSync(): void;
}

export interface PipeOutputOptions {
  /**
   * Writes what fits into the pipe without waiting. @returns the number of bytes written. @throws
   * the error of the system: EAGAIN if nothing fits
   */
  readonly writeSome: (bytes: Uint8Array) => number;
  /** The line that says how many lines were dropped. */
  readonly droppedLine: (lines: number) => string;
  /** Bytes that may wait for the reader; 4 MiB by default. */
  readonly maxWaitingBytes?: number;
}

/** A second of log at peak load. */
export const MAX_WAITING_BYTES = 4_194_304;
/** Time until a full pipe is tried again. */
export const RETRY_DELAY_MS = 10;
/**
 * A flush gives up when the reader has taken nothing for the first time, and everything after the
 * second one, so that a stalled reader delays a shutdown only a little.
 */
export const FLUSH_LIMIT_MS = { stalled: 250, total: 500 } as const;
const NEWLINE = 10;

/** The code of an error of the system, such as ENOSPC. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** True if the reader of a pipe or a terminal has not made room yet. */
export function isFull(error: unknown): boolean {
  return codeOf(error) === 'EAGAIN';
}

/** The number of line ends. */
export function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

/** Blocks this thread. */
export function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/**
 * Writes to a pipe that does not block. What does not fit waits, up to a limit; beyond it lines are
 * dropped and counted, and a line says so once the pipe takes text again. After any error but a
 * full pipe nothing is written any more: without a reader there is no log.
 */
export function createPipeOutput(options: PipeOutputOptions): Output {
  const { writeSome, droppedLine, maxWaitingBytes = MAX_WAITING_BYTES } = options;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let dropped = 0;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  const enqueue = (bytes: Uint8Array): void => {
    waiting.push(bytes);
    waitingBytes += bytes.length;
  };

  const writeFirst = (first: Uint8Array): boolean => {
    try {
      const written = writeSome(first);
      waitingBytes -= written;
      if (written === first.length) waiting.shift();
      else waiting[0] = first.subarray(written);
      return true;
    } catch (error) {
      if (!isFull(error)) {
        isClosed = true;
        waiting = [];
      }
      return false;
    }
  };

  /** Writes until nothing waits or the pipe is full. */
  const drain = (): void => {
    for (;;) {
      const [first] = waiting;
      if (first !== undefined) {
        if (!writeFirst(first)) return;
      } else if (dropped > 0) {
        enqueue(Buffer.from(droppedLine(dropped)));
        dropped = 0;
      } else return;
    }
  };

  const retryLater = (): void => {
    if (waiting.length === 0 || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      drain();
      retryLater();
    }, RETRY_DELAY_MS).unref();
  };

  return {
    write(text) {
      if (isClosed) return;
      const bytes = Buffer.from(text);
      if (waitingBytes + bytes.length > maxWaitingBytes) dropped += countLines(bytes);
      else enqueue(bytes);
      drain();
      retryLater();
    },
    flushSync() {
      const started = performance.now();
      let lastProgress = started;
      for (let left = waitingBytes; ; left = waitingBytes) {
        drain();
        const now = performance.now();
        if (waitingBytes !== left) lastProgress = now;
        if (waiting.length === 0) return;
        if (now - lastProgress > FLUSH_LIMIT_MS.stalled || now - started > FLUSH_LIMIT_MS.total) return;
        sleep(RETRY_DELAY_MS);
      }
    },
  };
}
