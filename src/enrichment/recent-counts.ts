/** Counts of the last stretch of time, by name. */
export interface RecentCounts {
  add(name: string): void;
  /** By name; names that did not occur are absent. */
  sums(): Readonly<Record<string, number>>;
}

/**
 * Counts in `slots` slots of `slotMs` each, so that what is older than all of them is forgotten.
 * @param monotonic ms
 */
export function createRecentCounts(slotMs: number, slots: number, monotonic: () => number): RecentCounts {
  const ring: Map<string, number>[] = Array.from({ length: slots }, () => new Map<string, number>());
  let newest = Math.floor(monotonic() / slotMs);

  const current = (): Map<string, number> => {
    const slot = Math.floor(monotonic() / slotMs);
    for (let passed = Math.min(slot - newest, slots); passed > 0; passed -= 1)
      ring[(slot - passed + 1) % slots]?.clear();
    newest = Math.max(newest, slot);
    return ring[newest % slots] as Map<string, number>;
  };

  return {
    add(name) {
      const counts = current();
      counts.set(name, (counts.get(name) ?? 0) + 1);
    },
    sums() {
      current();
      const sums: Record<string, number> = {};
      for (const counts of ring) for (const [name, count] of counts) sums[name] = (sums[name] ?? 0) + count;
      return sums;
    },
  };
}
