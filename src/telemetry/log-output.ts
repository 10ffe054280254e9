import { type DestinationStream, pino } from 'pino';

/** Where a logger writes; pino calls `flushSync` after a fatal line. */
interface Output extends DestinationStream {
  flushSync(): void;
}

const FLUSH_DELAY_MS = 10;
/** What a helper thread is writing when the process exits should fit into the buffer of a pipe. */
const MAX_BUFFERED_CHARACTERS = 8_192;

/**
 * Buffers lines for a few ms and writes them together. A write for each line would wake a helper
 * thread each time, which competes with the thread that answers webhooks, and pino's stream
 * measures its whole buffer again for each line.
 *
 * @param async writes on a helper thread
 * @param sync writes on this thread and waits for the reader: for lines that must not be lost at
 * exit
 */
export function createBufferedOutput(async: Output, sync: DestinationStream): Output {
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
      if (lines.length >= MAX_BUFFERED_CHARACTERS) flushTo(async);
      // The process need not stay alive for this timer: the exit handler flushes the rest.
      else timer ??= setTimeout(() => flushTo(async), FLUSH_DELAY_MS).unref();
    },
    flushSync() {
      async.flushSync();
      flushTo(sync);
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
