/** Records by the time of their generation. */
export interface TimeOrdered<T> {
  readonly size: number;
  readonly first: T | undefined;
  add(record: T): void;
  removeFirst(): void;
  remove(matches: (record: T) => boolean): T[];
  /** How many were generated from `from` to `to`, both inclusive. */
  count(from: number, to: number): number;
  /** Of these, the ones at the positions from `start` to before `end`. */
  slice(from: number, to: number, start?: number, end?: number): T[];
}

/** Removed records to keep in the array, so that a removal does not move all others. */
const MAX_REMOVED = 1_000;

/** The oldest first; of equal times the one that was added first. */
export function inTimeOrder<T extends { readonly generatedAt: number }>(): TimeOrdered<T> {
  let records: T[] = [];
  /** Records before this position have been removed. */
  let head = 0;

  /** Position of the first record that was generated at or after `time`. */
  const position = (time: number): number => {
    let [low, high] = [head, records.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((records[middle]?.generatedAt ?? Infinity) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    get size() {
      return records.length - head;
    },
    get first() {
      return records[head];
    },
    add: (record) => {
      const last = records.at(-1);
      if (last === undefined || last.generatedAt <= record.generatedAt) records.push(record);
      else records.splice(position(record.generatedAt + 1), 0, record);
    },
    removeFirst: () => {
      head += 1;
      if (head < MAX_REMOVED) return;
      records = records.slice(head);
      head = 0;
    },
    remove: (matches) => {
      const [removed, kept] = [[] as T[], [] as T[]];
      for (const record of records.slice(head)) (matches(record) ? removed : kept).push(record);
      records = kept;
      head = 0;
      return removed;
    },
    count: (from, to) => Math.max(0, position(to + 1) - position(from)),
    slice: (from, to, start = 0, end = Infinity) => {
      const [low, high] = [position(from), position(to + 1)];
      return records.slice(low + start, Math.min(high, low + end));
    },
  };
}
