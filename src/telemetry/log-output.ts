import { fstatSync, write, writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';
import { createFileOutput } from './file-output.ts';
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
 * Standard output for the log. Neither a reader that is slow or stalls nor a disk that is full
 * blocks the relay or its exit. Everything is flushed at exit, as far as it can be written in the
 * time that `createPipeOutput` and `createFileOutput` allow.
 */
export function createStandardOutput(): Output {
  const stats = fstatSync(STDOUT);
  const output = stats.isFIFO() || stats.isSocket() ? createPipeLog() : createFileLog();
  process.on('exit', () => output.flushSync());
  return output;
}

function droppedLine(dropped: number, reason: string): string {
  return `${JSON.stringify({
    level: 'warn',
    time: new Date().toISOString(),
    name: LOG_NAME,
    dropped,
    msg: `log lines were dropped: ${reason}`,
  })}\n`;
}

/** A helper thread writes, so that a slow disk or terminal does not block the relay. */
function createFileLog(): Output {
  const file = createFileOutput({
    writer: {
      later: (bytes, done) => write(STDOUT, bytes, done),
      atOnce: (bytes) => writeSync(STDOUT, bytes),
    },
    droppedLine: (dropped, code) =>
      droppedLine(
        dropped,
        code === undefined
          ? 'the disk or terminal of standard output was too slow'
          : `standard output could not be written (${code})`,
      ),
  });
  return createBufferedOutput(file, { write: (text) => file.writeAtOnce(text) });
}

function createPipeLog(): Output {
  // Node makes the pipe non-blocking when its stream is created. A helper thread would not do: one
  // that is blocked by a stalled reader keeps the process from exiting.
  void process.stdout;
  const pipe = createPipeOutput({
    writeSome: (bytes) => writeSync(STDOUT, bytes),
    droppedLine: (dropped) => droppedLine(dropped, 'the reader of standard output was too slow'),
  });
  return createBufferedOutput(pipe, {
    write: (text) => {
      pipe.write(text);
      pipe.flushSync();
    },
  });
}
