import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadStream, WriteStream } from 'node:tty';
import { UnreachableError } from '../admin-client.ts';
import { CommandError } from '../command-error.ts';
import { type Look, type Rates, ratesOf } from './look.ts';
import { openScreen } from './screen.ts';
import { type Line, paint, statusLines } from './view.ts';

interface LiveParts {
  readonly url: string;
  /** ms between looks. */
  readonly interval: number;
  readonly look: () => Promise<Look>;
  readonly input: ReadStream;
  readonly output: WriteStream;
}

const FOOT: Line = { text: 'q quits', tone: 'dim' };

/** A relay that refuses from the first will refuse again; one that is away, or was fine before, may come back. */
function isLasting(error: unknown, seen: Look | undefined): boolean {
  return !(error instanceof CommandError) || (seen === undefined && !(error instanceof UnreachableError));
}

/**
 * Shows the status in place and anew at each interval, until somebody leaves.
 * @throws CommandError when the relay refuses to tell, once the terminal is given back
 */
export async function showLive({ url, interval, look, input, output }: LiveParts): Promise<void> {
  let seen: Look | undefined;
  let rates: Rates | undefined;
  let trouble: string | undefined;

  const draw = (): void => {
    const status = {
      url,
      now: Date.now(),
      ...(seen === undefined ? {} : { look: seen }),
      ...(rates === undefined ? {} : { rates }),
      ...(trouble === undefined ? {} : { trouble: `${trouble} Trying again.` }),
    };
    screen.draw(paint([...statusLines(status), { text: '' }, FOOT], screen.width));
  };

  const refresh = async (): Promise<void> => {
    try {
      const next = await look();
      rates = seen === undefined ? undefined : ratesOf(seen, next);
      seen = next;
      trouble = undefined;
    } catch (error) {
      if (isLasting(error, seen)) throw error;
      trouble = (error as CommandError).message;
    }
  };

  const screen = openScreen(input, output, draw);
  const gone = new Promise<void>((resolve) => {
    screen.left.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    while (!screen.left.aborted) {
      // A look that is under way is not waited for by who wants to leave.
      await Promise.race([refresh(), gone]);
      if (!screen.left.aborted) draw();
      await sleep(interval, undefined, { signal: screen.left }).catch(() => undefined);
    }
  } finally {
    screen.close();
  }
}
