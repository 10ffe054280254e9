import { type DestinationStream, pino } from 'pino';

/** Where a logger writes; pino calls `flushSync` after a fatal line. */
interface Output extends DestinationStream {
  flushSync(): void;
}

const FLUSH_DELAY_MS = 10;
/** Fits into the buffer of a pipe, so that a write in progress at exit still completes. */
const MAX_BUFFERED_CHARACTERS = 8_192;

/**
 * Buffers lines for a few ms and writes them together. A write for each line would wake a helper
 * thread each time, which competes with the thread that serves webhooks, and pino's stream measures
 * its whole buffer again for each line.
 *
 * @param asyncOutput writes on a helper thread
 * @param syncOutput writes on this thread and waits for the reader: for lines that must not be lost
 * at exit
 */
export function createBufferedOutput(asyncOutput: Output, syncOutput: DestinationStream): Output {
  let lines = '';
  let timer: NodeJS.Timeout | undefined;
  const flushTo = (output: DestinationStream): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines === '') return;
    const text = lines;
    lines = '';
    output.write(text);
  };
  return {
    write(line) {
      lines += line;
      if (lines.length >= MAX_BUFFERED_CHARACTERS) flushTo(asyncOutput);
      // The process need not stay alive for this timer: the exit handler flushes the rest.
      else timer ??= setTimeout(() => flushTo(asyncOutput), FLUSH_DELAY_MS).unref();
    },
    flushSync() {
      asyncOutput.flushSync();
      flushTo(syncOutput);
    },
  };
}

/**
 * Standard output, written by a helper thread, so that a slow reader does not block the relay.
 * Everything is flushed at exit.
 */
export function createStandardOutput(): Output {
  const output = createBufferedOutput(pino.destination({ sync: false }), pino.destination({ sync: true }));
  process.on('exit', () => output.flushSync());
  return output;
}
