export interface Rounds {
  /** A round that begins after the call; whoever asks before it begins gets the same one. */
  now(): Promise<void>;
  /** As `now`, without an answer. */
  soon(): void;
  /** Looks after some ms for slots that can be given back. */
  giveBackIn(ms: number): void;
  /** Begins no round any more. Resolves when the one that is running has ended. */
  close(): Promise<void>;
}

export interface RoundsParts {
  readonly round: () => Promise<void>;
  readonly giveBack: () => Promise<void>;
  /** ms from the end of a round to the next one, unless somebody asks sooner. */
  readonly intervalMs: number;
}

function ignore(): void {
  // Whoever reports failures has done so, and the next round tries again.
}

/** Carries out rounds one after the other. */
export function createRounds({ round, giveBack, intervalMs }: RoundsParts): Rounds {
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let giveBackTimer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const soon = (): void => {
    now().catch(ignore);
  };

  const begin = async (): Promise<void> => {
    next = undefined;
    clearTimeout(timer);
    if (isClosed) return;
    try {
      await round();
    } finally {
      if (!isClosed) timer = setTimeout(soon, intervalMs);
    }
  };

  const now = (): Promise<void> => {
    if (next !== undefined) return next;
    next = running.then(begin);
    running = next.catch(ignore);
    return next;
  };

  const beginGiveBack = async (): Promise<void> => {
    giveBackTimer = undefined;
    if (!isClosed) await giveBack();
  };

  return {
    now,
    soon,
    giveBackIn(ms) {
      giveBackTimer ??= setTimeout(() => {
        running = running.then(beginGiveBack).catch(ignore);
      }, ms);
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      clearTimeout(giveBackTimer);
      await running;
    },
  };
}
