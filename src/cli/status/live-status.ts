import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadStream, WriteStream } from 'node:tty';
import { UnreachableError } from '../admin-client.ts';
import { CommandError } from '../command-error.ts';
import { type Snapshot, type Rates, ratesOf } from './snapshot.ts';
import { type Line, paint } from './status-line.ts';
import { statusLines } from './status-view.ts';

// The alternate screen, without cursor and line wrapping, preserves what the terminal showed
// before.
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const CURSOR_HOME = '\x1b[H';
const CLEAR_LINE_END = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

const CTRL_C = '\x03';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A terminal in full-screen mode. */
interface Screen {
  readonly width: number;
  readonly height: number;
  /** Aborts when the user quits: q, Ctrl-C, or a signal. */
  readonly quit: AbortSignal;
  /** Draws in place; lines that do not fit are left out. */
  draw(lines: readonly string[]): void;
  /** Restores the terminal; may be called again. */
  close(): void;
}

/**
 * Switches a terminal to full-screen mode.
 * @param resized called when its size changes
 */
function openScreen(input: ReadStream, output: WriteStream, resized: () => void): Screen {
  const abortController = new AbortController();
  const abort = (): void => abortController.abort();
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
    get height() {
      return Math.max(1, output.rows);
    },
    quit: abortController.signal,
    draw: (lines) => {
      const fitting = lines.slice(0, Math.max(1, output.rows)).map((line) => `${line}${CLEAR_LINE_END}`);
      output.write(`${CURSOR_HOME}${fitting.join('\r\n')}${CLEAR_BELOW}`);
    },
    close,
  };
}

interface LiveParts {
  readonly url: string;
  /** Options with which the commands that are shown reach this relay. */
  readonly options: string;
  readonly configOptions: string;
  readonly intervalMs: number;
  readonly takeSnapshot: () => Promise<Snapshot>;
  readonly input: ReadStream;
  readonly output: WriteStream;
}

const FOOTER: Line = { text: 'q to quit', tone: 'dim' };

/**
 * A relay that refuses the first request will refuse the next one too. One that is unreachable, or
 * answered before, may recover.
 */
function isPermanent(error: unknown, last: Snapshot | undefined): boolean {
  return !(error instanceof CommandError) || (last === undefined && !(error instanceof UnreachableError));
}

/**
 * Shows the status in place and redraws it at each interval, until the user quits.
 * @throws CommandError when the relay refuses the request, after the terminal is restored
 */
export async function showLive({
  url,
  options,
  configOptions,
  intervalMs,
  takeSnapshot,
  input,
  output,
}: LiveParts): Promise<void> {
  let snapshot: Snapshot | undefined;
  let rates: Rates | undefined;
  let problem: string | undefined;

  const draw = (): void => {
    const status = {
      url,
      options,
      configOptions,
      now: Date.now(),
      ...(snapshot === undefined ? {} : { snapshot }),
      ...(rates === undefined ? {} : { rates }),
      ...(problem === undefined ? {} : { problem }),
    };
    const room = screen.height - 1;
    const lines = statusLines(status, screen.width, room);
    screen.draw(paint([...lines, ...(lines.length < room ? [{ text: '' }] : []), FOOTER]));
  };

  const refresh = async (): Promise<void> => {
    try {
      const next = await takeSnapshot();
      rates = snapshot === undefined ? undefined : ratesOf(snapshot, next);
      snapshot = next;
      problem = undefined;
    } catch (error) {
      if (isPermanent(error, snapshot)) throw error;
      problem = error instanceof UnreachableError ? error.summary : (error as CommandError).message;
    }
  };

  const screen = openScreen(input, output, draw);
  const quit = new Promise<void>((resolve) => {
    screen.quit.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    while (!screen.quit.aborted) {
      // Quitting does not wait for a request in flight.
      await Promise.race([refresh(), quit]);
      if (!screen.quit.aborted) draw();
      await sleep(intervalMs, undefined, { signal: screen.quit }).catch(() => undefined);
    }
  } finally {
    screen.close();
  }
}
