export interface InFlightCounts {
  readonly concurrent: number;
  readonly maxConcurrent: number;
  /** Messages that came while another of the same key was unanswered: Adobe may apply them in either order (reference: adobe.md §4.2). */
  readonly overlapping: number;
  /** Messages that shared a request with an earlier one of the same key. */
  readonly sameKeyInRequest: number;
}

/** Watches what is under way at the inlet at once. */
export interface InFlight {
  /** A request with messages of these keys (dataset and primary identity) begins; calling the result, once or more, ends it. */
  enter(keys: readonly string[]): () => void;
  counts(): InFlightCounts;
  /** Starts the counts anew; what is under way stays. */
  clear(): void;
}

export function createInFlight(): InFlight {
  const underWay = new Map<string, number>();
  let concurrent = 0;
  let maxConcurrent = 0;
  let overlapping = 0;
  let sameKeyInRequest = 0;

  const leave = (keys: Set<string>): void => {
    concurrent -= 1;
    for (const key of keys) {
      const left = (underWay.get(key) ?? 1) - 1;
      if (left > 0) underWay.set(key, left);
      else underWay.delete(key);
    }
  };

  return {
    enter: (keys) => {
      concurrent += 1;
      maxConcurrent = Math.max(maxConcurrent, concurrent);
      const distinct = new Set(keys);
      sameKeyInRequest += keys.length - distinct.size;
      for (const key of distinct) {
        if (underWay.has(key)) overlapping += 1;
        underWay.set(key, (underWay.get(key) ?? 0) + 1);
      }
      let isInside = true;
      return () => {
        if (isInside) leave(distinct);
        isInside = false;
      };
    },
    counts: () => ({ concurrent, maxConcurrent, overlapping, sameKeyInRequest }),
    clear: () => {
      maxConcurrent = concurrent;
      overlapping = 0;
      sameKeyInRequest = 0;
    },
  };
}
