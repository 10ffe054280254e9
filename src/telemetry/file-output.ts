import { codeOf, countLines, FLUSH_LIMIT_MS, isFull, MAX_WAITING_BYTES } from './pipe-output.ts';
import { type Output, RETRY_DELAY_MS, sleep } from './pipe-output.ts';

/** How a file is written. Both can write fewer bytes than they are given. */
export interface FileWriter {
  /** In a helper thread; `done` gets the number of bytes written. */
  readonly later: (bytes: Uint8Array, done: (error: Error | null, written: number) => void) => void;
  /** @throws the error of the system */
  readonly atOnce: (bytes: Uint8Array) => number;
}

export interface FileOutputOptions {
  readonly writer: FileWriter;
  /** The line that says how many lines were dropped, and the code of the last error. */
  readonly droppedLine: (lines: number, error: string | undefined) => string;
  /** Bytes that may wait for a slow disk; 4 MiB by default. */
  readonly maxWaitingBytes?: number;
}

export interface FileOutput extends Output {
  /** Writes in this thread, and what waits before. */
  writeAtOnce(text: string): void;
}

/** What is written next: lines of the log, the line about `announced` lines, or an end of line. */
interface Chunk {
  readonly bytes: Uint8Array;
  readonly kind: 'lines' | 'notice' | 'end-of-line';
  readonly announced: number;
}

const NEWLINE = Buffer.from('\n');

/**
 * Writes to a file or a terminal. Lines that cannot be written, because the disk is full or has
 * failed, are dropped and counted: the log must neither stop the relay nor delay its exit. The
 * next lines are a new attempt, and once that succeeds, a line says how many are missing.
 */
export function createFileOutput(options: FileOutputOptions): FileOutput {
  const { writer, droppedLine, maxWaitingBytes = MAX_WAITING_BYTES } = options;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  /** The rest of a chunk that was written in part. */
  let started: Chunk | undefined;
  /** The file ends within a line, because the rest of it could not be written. */
  let isCut = false;
  let dropped = 0;
  let lastError: string | undefined;
  let isBusy = false;

  const takeLines = (): Uint8Array => {
    const lines = Buffer.concat(waiting);
    waiting = [];
    waitingBytes = 0;
    return lines;
  };

  const takeChunk = (): Chunk | undefined => {
    if (started !== undefined) return started;
    if (waiting.length === 0 && dropped === 0) return undefined;
    if (isCut) return { bytes: NEWLINE, kind: 'end-of-line', announced: 0 };
    if (dropped === 0) return { bytes: takeLines(), kind: 'lines', announced: 0 };
    return { bytes: Buffer.from(droppedLine(dropped, lastError)), kind: 'notice', announced: dropped };
  };

  const written = (chunk: Chunk, count: number): void => {
    if (count > 0) isCut = chunk.bytes[count - 1] !== NEWLINE[0];
    const rest = chunk.bytes.subarray(count);
    started = rest.length === 0 ? undefined : { ...chunk, bytes: rest };
    if (started === undefined) dropped -= chunk.announced;
  };

  const failed = ({ bytes, kind }: Chunk, error: unknown): void => {
    started = undefined;
    lastError = codeOf(error);
    dropped += countLines(takeLines()) + (kind === 'lines' ? countLines(bytes) : 0);
  };

  const retryLater = (): void => void setTimeout(writeLater, RETRY_DELAY_MS).unref();

  const writeLater = (): void => {
    const chunk = isBusy ? undefined : takeChunk();
    if (chunk === undefined) return;
    isBusy = true;
    started = undefined;
    writer.later(chunk.bytes, (error, count) => {
      isBusy = false;
      if (error === null) {
        written(chunk, count);
        writeLater();
      } else if (isFull(error)) {
        started = chunk;
        retryLater();
      } else failed(chunk, error);
    });
  };

  const flush = (): void => {
    const giveUpAt = performance.now() + FLUSH_LIMIT_MS.total;
    for (let chunk = takeChunk(); chunk !== undefined; chunk = takeChunk()) {
      try {
        written(chunk, writer.atOnce(chunk.bytes));
      } catch (error) {
        if (!isFull(error)) return failed(chunk, error);
        started = chunk;
        sleep(RETRY_DELAY_MS);
      }
      if (performance.now() > giveUpAt) return;
    }
  };

  const enqueue = (text: string): void => {
    const bytes = Buffer.from(text);
    if (waitingBytes + bytes.length > maxWaitingBytes) {
      dropped += countLines(bytes);
      return;
    }
    waiting.push(bytes);
    waitingBytes += bytes.length;
  };

  return {
    write(text) {
      enqueue(text);
      writeLater();
    },
    writeAtOnce(text) {
      enqueue(text);
      flush();
    },
    flushSync: flush,
  };
}
