import { ProblemError } from '../http/problems.ts';

/** Wrong tokens of one address in one window, after which it is turned away without a look at its token. */
const MOST = 100;
/** ms */
const WINDOW = 60_000;
/** Addresses that are remembered; the one that began first is forgotten for a new one. */
const MOST_ADDRESSES = 10_000;

/** Counts wrong tokens by address. */
export interface Guesses {
  /** @throws ProblemError `rate-limited` while the address has used up its wrong tokens. */
  expectAllowed(address: string): void;
  wrong(address: string): void;
}

/** Slows down whoever tries tokens: 100 in a minute, while those who have the token are held to the limit of all requests only. */
export function createGuesses(now: () => number): Guesses {
  const windows = new Map<string, { readonly until: number; count: number }>();
  const current = (address: string) => {
    const window = windows.get(address);
    if (window !== undefined && window.until > now()) return window;
    windows.delete(address);
    return undefined;
  };
  return {
    expectAllowed(address) {
      const window = current(address);
      if (window === undefined || window.count < MOST) return;
      throw new ProblemError(
        'rate-limited',
        `at most ${MOST} wrong tokens in a minute from one address`,
        (window.until - now()) / 1_000,
      );
    },
    wrong(address) {
      const window = current(address);
      if (window !== undefined) {
        window.count += 1;
        return;
      }
      const [first] = windows.keys();
      if (windows.size >= MOST_ADDRESSES && first !== undefined) windows.delete(first);
      windows.set(address, { until: now() + WINDOW, count: 1 });
    },
  };
}
