import type { CoverageEntry } from './admin-parts.ts';

/**
 * Size of the lists of an answer as JSON, in bytes. Pages of events and of quarantined requests are
 * bounded by the journal.
 */
const MAX_LIST_BYTES = 4 * 1_024 * 1_024;

/** Counts down the bytes of an answer. The first item always fits. */
function createBudget(): (item: unknown) => boolean {
  let left = MAX_LIST_BYTES;
  return (item) => {
    const isFirst = left === MAX_LIST_BYTES;
    left -= Buffer.byteLength(JSON.stringify(item));
    return isFirst || left >= 0;
  };
}

/** The first items that fit into an answer. */
export function firstThatFit<T>(items: readonly T[]): readonly T[] {
  const fits = createBudget();
  const end = items.findIndex((item) => !fits(item));
  return end === -1 ? items : items.slice(0, end);
}

/** The fields that fit into an answer, in their order; the others are counted under `more`. */
export function fieldsThatFit(entries: readonly CoverageEntry[]): readonly CoverageEntry[] {
  const fits = createBudget();
  return entries.map((entry) => {
    const end = entry.fields.findIndex((field) => !fits(field));
    if (end === -1) return entry;
    const more = entry.fields.slice(end).reduce((sum, { count }) => sum + count, entry.more);
    return { ...entry, fields: entry.fields.slice(0, end), more };
  });
}
