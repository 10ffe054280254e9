/** A cache of recent results by key. */
export interface RecentCache<T extends string | number | object> {
  /** The cached result for `text`, else that of `compute`. */
  get(text: string, compute: () => T): T;
}

/**
 * Creates a cache of at least the last `size` different keys and at most twice as many. It has two
 * generations; the older one is dropped when the younger is full.
 */
export function createRecentCache<T extends string | number | object>(size: number): RecentCache<T> {
  let young = new Map<string, T>();
  let old = new Map<string, T>();
  const store = (text: string, value: T): T => {
    if (young.size === size) {
      old = young;
      young = new Map();
    }
    young.set(text, value);
    return value;
  };
  return {
    get(text, compute) {
      return young.get(text) ?? store(text, old.get(text) ?? compute());
    },
  };
}
