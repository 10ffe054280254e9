import type { ReadStream, WriteStream } from 'node:tty';

// Another screen without cursor and without wrapping, so that what was there before comes back unharmed.
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const END_OF_LINE = '\x1b[K';
const BELOW = '\x1b[J';

const CTRL_C = '\x03';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A terminal taken over until it is given back. */
export interface Screen {
  readonly width: number;
  /** Aborts when somebody wants to leave: q, Ctrl-C, or a signal. */
  readonly left: AbortSignal;
  /** Draws in place; lines that have no room are left out. */
  draw(lines: readonly string[]): void;
  /** Gives the terminal back as it was; may be called again. */
  close(): void;
}

/**
 * Takes over a terminal.
 * @param resized called when it has another size
 */
export function openScreen(input: ReadStream, output: WriteStream, resized: () => void): Screen {
  const leave = new AbortController();
  const abort = (): void => leave.abort();
  const onKey = (keys: Buffer): void => {
    if (/[qQ]/.test(keys.toString()) || keys.includes(CTRL_C)) abort();
  };
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    output.write(LEAVE);
    output.off('resize', resized);
    process.off('exit', close);
    for (const signal of SIGNALS) process.off(signal, abort);
    if (!input.isTTY) return;
    input.off('data', onKey);
    input.setRawMode(false);
    input.pause();
  };

  output.write(ENTER);
  output.on('resize', resized);
  process.once('exit', close);
  for (const signal of SIGNALS) process.on(signal, abort);
  if (input.isTTY) {
    input.setRawMode(true);
    input.on('data', onKey);
    input.resume();
  }
  return {
    get width() {
      return output.columns;
    },
    left: leave.signal,
    draw: (lines) => {
      const fitting = lines.slice(0, Math.max(1, output.rows)).map((line) => `${line}${END_OF_LINE}`);
      output.write(`${HOME}${fitting.join('\r\n')}${BELOW}`);
    },
    close,
  };
}
