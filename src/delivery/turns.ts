import { setImmediate as nextTurn } from 'node:timers/promises';

/** Things whose turn is yet to come. */
export interface Turns<T> {
  push(items: readonly T[]): void;
  readonly waiting: number;
  /** Takes out what nobody has begun with. */
  clear(): readonly T[];
}

/**
 * Works on things one after the other: what is made for one only is garbage before the next begins, where side by side all of it would outlive
 * V8's collections of what is new. Webhooks have their turn after every few.
 * @param few how many until the event loop turns
 * @param work resolves when the next may begin; must not reject
 * @param worked called after every few
 */
export const createTurns = <T>(
  few: number,
  work: (item: T) => Promise<void>,
  worked: () => void,
): Turns<T> => {
  let items: T[] = [];
  let isRunning = false;

  const run = async (): Promise<void> => {
    isRunning = true;
    while (items.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (const item of items.splice(0, few)) await work(item);
      worked();
      await nextTurn();
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
};
