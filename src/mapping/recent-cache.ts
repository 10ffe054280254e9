/**
 * At least the last `size` keys and at most twice as many, in two generations: the older one is
 * dropped when the younger is full.
 */
class Generations<Key, Value> {
  readonly #size: number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();

  constructor(size: number) {
    this.#size = size;
  }

  young(key: Key): Value | undefined {
    return this.#young.get(key);
  }

  old(key: Key): Value | undefined {
    return this.#old.get(key);
  }

  add(key: Key, value: Value): Value {
    if (this.#young.size >= this.#size) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
    return value;
  }
}

/** A cache of recent results by key. */
export interface RecentCache<T extends string | number | object> {
  /** The cached result for `text`, else that of `compute`. */
  get(text: string, compute: () => T): T;
}

/** Creates a cache of at least the last `size` different keys and at most twice as many. */
export function createRecentCache<T extends string | number | object>(size: number): RecentCache<T> {
  const results = new Generations<string, T>(size);
  return {
    get: (text, compute) => results.young(text) ?? results.add(text, results.old(text) ?? compute()),
  };
}

/** A set of values that were added recently. */
export interface RecentSet<T> {
  has(value: T): boolean;
  add(value: T): void;
}

/** Creates a set of at least the last `size` values and at most twice as many. */
export function createRecentSet<T>(size: number): RecentSet<T> {
  const values = new Generations<T, true>(size);
  return {
    has: (value) => values.young(value) ?? values.old(value) ?? false,
    add(value) {
      values.add(value, true);
    },
  };
}
