/** Events under way: how many there are, and when there are none any more. */
export interface Flights {
  readonly count: number;
  begun(): void;
  ended(): void;
  /** Resolves as soon as none is under way. */
  over(): Promise<void>;
}

/** A count, because a set of promises would keep several objects for each of thousands of events. */
export function createFlights(): Flights {
  let count = 0;
  const told: (() => void)[] = [];
  return {
    get count() {
      return count;
    },
    begun() {
      count += 1;
    },
    ended() {
      count -= 1;
      if (count > 0) return;
      for (const tell of told.splice(0)) tell();
    },
    over() {
      return new Promise((resolve) => {
        if (count === 0) resolve();
        else told.push(resolve);
      });
    },
  };
}
