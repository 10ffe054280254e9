import { type DestinationStream, pino } from 'pino';

/** What a logger writes to; pino calls `flushSync` after a fatal line. */
interface Output extends DestinationStream {
  flushSync(): void;
}

/** Characters given out together at the most: what a helper thread is at work on when the process ends should find room in a pipe. */
const MOST = 8_192;

/**
 * Gives out the lines of one turn of the event loop together. Given each by itself, a line costs a turn of a helper thread, and pino's stream
 * measures all that waits for the descriptor anew with each line: a fifth of the garbage of an accepted webhook.
 *
 * @param later by a helper thread
 * @param atOnce by this thread, which then waits for the reader: for what must not be left behind
 */
export const createTurnOutput = (later: Output, atOnce: DestinationStream): Output => {
  let lines = '';
  const giveTo = (output: DestinationStream): void => {
    if (lines === '') return;
    const text = lines;
    lines = '';
    output.write(text);
  };
  const giveLater = (): void => giveTo(later);
  return {
    write(line) {
      if (lines === '') setImmediate(giveLater);
      lines += line;
      if (lines.length >= MOST) giveLater();
    },
    flushSync() {
      later.flushSync();
      giveTo(atOnce);
    },
  };
};

/** Standard output, written to by a helper thread, so that nobody who reads slowly holds up the relay. Nothing is left behind at an exit. */
export const createStandardOutput = (): Output => {
  const output = createTurnOutput(pino.destination({ sync: false }), pino.destination({ sync: true }));
  process.on('exit', () => output.flushSync());
  return output;
};
