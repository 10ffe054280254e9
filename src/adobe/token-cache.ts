import { type Clocks, type Deadline, deadlineIn, timeLeft } from './deadline.ts';

/** A token whose lifetime nobody told is used this long (adobe.md §1.3). */
const UNKNOWN_LIFETIME_MS = 300_000;
const MIN_MARGIN_MS = 300_000;
const MARGIN_SHARE = 0.05;
/** The margin varies by this share to either side, so that replicas started together do not refresh together. */
const MARGIN_SPREAD = 0.1;
/** A token refused this soon after it was minted was never good. */
const YOUNG_MS = 60_000;

interface Entry {
  readonly token: string;
  readonly expires: Deadline;
  readonly refresh: Deadline;
  readonly young: Deadline;
}

/** Holds one token for as long as it may be used. All spans in ms. */
export interface TokenCache {
  /** @param lifetime ms from now; undefined when not known */
  keep(token: string, lifetime: number | undefined): void;
  /** The token, unless it has expired. */
  valid(): string | undefined;
  /** It is time for a new one, though the old one may still be valid. */
  due(): boolean;
  /** Forgets the token if it is this one: `young` when it was minted within the last minute. Undefined if it is another. */
  drop(token: string): 'young' | 'old' | undefined;
  /** ms until it expires; undefined without a valid one. */
  left(): number | undefined;
}

/**
 * How long before its end a token is replaced: 5 min or 5 % of its life, whichever is more, but never more than half of it.
 * Source: adobe.md §1.5.
 */
export function refreshMargin(lifetime: number, jitter: number): number {
  const margin = Math.max(MIN_MARGIN_MS, MARGIN_SHARE * lifetime);
  return Math.min(lifetime / 2, margin * (1 - MARGIN_SPREAD + 2 * MARGIN_SPREAD * jitter));
}

export function createTokenCache(clocks: Clocks, jitter: () => number): TokenCache {
  let entry: Entry | undefined;

  const left = (): number | undefined => {
    const ms = entry === undefined ? 0 : timeLeft(clocks, entry.expires);
    return ms > 0 ? ms : undefined;
  };

  return {
    keep(token, lifetime = UNKNOWN_LIFETIME_MS) {
      entry = {
        token,
        expires: deadlineIn(clocks, lifetime),
        refresh: deadlineIn(clocks, lifetime - refreshMargin(lifetime, jitter())),
        young: deadlineIn(clocks, YOUNG_MS),
      };
    },
    valid: () => (left() === undefined ? undefined : entry?.token),
    due: () => entry === undefined || timeLeft(clocks, entry.refresh) === 0,
    drop(token) {
      if (entry?.token !== token) return undefined;
      const age = timeLeft(clocks, entry.young) > 0 ? 'young' : 'old';
      entry = undefined;
      return age;
    },
    left,
  };
}
