import { setImmediate as nextTurn } from 'node:timers/promises';

/** Things whose turn is yet to come. */
export interface Turns<T> {
  push(items: readonly T[]): void;
  readonly waiting: number;
  /** Takes out what nobody has begun with. */
  clear(): readonly T[];
}

/**
 * Begins the work on things in their order, a few in each turn of the event loop, so that webhooks have theirs.
 * @param few how many in one turn
 * @param begin must not throw
 * @param begun called after the turn of every few
 */
export function createTurns<T>(few: number, begin: (item: T) => void, begun: () => void): Turns<T> {
  let items: T[] = [];
  let isRunning = false;

  const run = async (): Promise<void> => {
    isRunning = true;
    while (items.length > 0) {
      for (const item of items.splice(0, few)) begin(item);
      await nextTurn();
      begun();
    }
    isRunning = false;
  };

  return {
    push(more) {
      items.push(...more);
      if (!isRunning) void run();
    },
    get waiting() {
      return items.length;
    },
    clear() {
      const left = items;
      items = [];
      return left;
    },
  };
}
