import { type DestinationStream, pino } from 'pino';

/** What a logger writes to; pino calls `flushSync` after a fatal line. */
interface Output extends DestinationStream {
  flushSync(): void;
}

/** ms that a line waits for others at the most. */
const HOLD = 10;
/** Characters given out together at the most: what a helper thread is at work on when the process ends should find room in a pipe. */
const MOST = 8_192;

/**
 * Gives out the lines of a few ms together. Given each by itself, a line wakes a helper thread, which may take the processor from the one that
 * answers webhooks, and pino's stream measures all that waits for the descriptor anew with each line.
 *
 * @param later by a helper thread
 * @param atOnce by this thread, which then waits for the reader: for what must not be left behind
 */
export function createGatheredOutput(later: Output, atOnce: DestinationStream): Output {
  let lines = '';
  let timer: NodeJS.Timeout | undefined;
  const giveTo = (output: DestinationStream): void => {
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
      if (lines.length >= MOST) giveTo(later);
      // Not to be waited for: an exit gives out what is left.
      else timer ??= setTimeout(() => giveTo(later), HOLD).unref();
    },
    flushSync() {
      later.flushSync();
      giveTo(atOnce);
    },
  };
}

/** Standard output, written to by a helper thread, so that nobody who reads slowly holds up the relay. Nothing is left behind at an exit. */
export function createStandardOutput(): Output {
  const output = createGatheredOutput(pino.destination({ sync: false }), pino.destination({ sync: true }));
  process.on('exit', () => output.flushSync());
  return output;
}
