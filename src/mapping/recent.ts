/** What was worked out of late, by its text. */
export interface Recent<T> {
  /** What is known of a text, else what `make` gives for it. */
  get(text: string, make: () => T): T;
}

/**
 * Keeps at least the last `most` different texts that were asked for, and at most twice as many: two generations, of which the older one is
 * forgotten as a whole when the younger is full.
 */
export function createRecent<T>(most: number): Recent<T> {
  let young = new Map<string, T>();
  let old = new Map<string, T>();
  const put = (text: string, value: T): T => {
    if (young.size === most) {
      old = young;
      young = new Map();
    }
    young.set(text, value);
    return value;
  };
  return {
    get(text, make) {
      if (young.has(text)) {
        return young.get(text) as T;
      }
      return put(text, old.has(text) ? (old.get(text) as T) : make());
    },
  };
}
