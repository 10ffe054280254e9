import { fstatSync, writeSync } from 'node:fs';
import { type DestinationStream, pino } from 'pino';
import { createPipeOutput, type Output } from './pipe-output.ts';

/** Field `name` of every line. */
export const LOG_NAME = 'capillary-aep-relay';

const FLUSH_DELAY_MS = 10;
/** Fits into the buffer of a pipe, so that a write in progress at exit still completes. */
const MAX_BUFFERED_CHARACTERS = 8_192;

/**
 * Buffers lines for a few ms and writes them together. A write for each line would wake a helper
 * thread each time, which competes with the thread that serves webhooks, and pino's stream measures
 * its whole buffer again for each line.
 *
 * @param asyncOutput does not wait for the reader
 * @param syncOutput waits for the reader: for lines that must not be lost at exit
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

const STDOUT = 1;

/**
 * Standard output for the log. A reader that is slow or stalls neither blocks the relay nor its
 * exit. Everything is flushed at exit, a pipe within the limit of `createPipeOutput`.
 */
export function createStandardOutput(): Output {
  const stats = fstatSync(STDOUT);
  const output =
    stats.isFIFO() || stats.isSocket()
      ? createPipeLog()
      : // A helper thread writes, so that a slow disk or terminal does not block the relay.
        createBufferedOutput(pino.destination({ sync: false }), pino.destination({ sync: true }));
  process.on('exit', () => output.flushSync());
  return output;
}

function createPipeLog(): Output {
  // Node makes the pipe non-blocking when its stream is created. A helper thread would not do: one
  // that is blocked by a stalled reader keeps the process from exiting.
  void process.stdout;
  const pipe = createPipeOutput({
    writeSome: (bytes) => writeSync(STDOUT, bytes),
    droppedLine: (dropped) =>
      `${JSON.stringify({
        level: 'warn',
        time: new Date().toISOString(),
        name: LOG_NAME,
        dropped,
        msg: 'log lines were dropped: the reader of standard output was too slow',
      })}\n`,
  });
  return createBufferedOutput(pipe, {
    write: (text) => {
      pipe.write(text);
      pipe.flushSync();
    },
  });
}
