import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createYieldingQueue } from '../../src/delivery/scheduling.ts';

/** A queue that records the order of its calls. */
function recordOrder(itemsPerTurn: number) {
  const order: string[] = [];
  const queue = createYieldingQueue<string>(
    itemsPerTurn,
    (items) => order.push(...items),
    () => order.push('turn'),
  );
  return { queue, order };
}

describe('a yielding queue', () => {
  it('starts a few items in order, and yields to the event loop before the next ones', async () => {
    const { queue, order } = recordOrder(2);
    setImmediate(() => order.push('webhook'));
    queue.push(['a', 'b', 'c']);
    expect(order).toEqual(['a', 'b']);
    await nextTurn();
    await nextTurn();
    expect(order).toEqual(['a', 'b', 'webhook', 'turn', 'c', 'turn']);
  });

  it('continues with items pushed meanwhile, and starts again after it was empty', async () => {
    const { queue, order } = recordOrder(4);
    queue.push(['a']);
    queue.push(['b']);
    expect(queue.waiting).toBe(1);
    await nextTurn();
    await nextTurn();
    queue.push(['c']);
    expect(order).toEqual(['a', 'turn', 'b', 'turn', 'c']);
  });

  it('returns the items that are not started', async () => {
    const { queue, order } = recordOrder(1);
    queue.push(['a', 'b', 'c']);
    expect(queue.waiting).toBe(2);
    expect(queue.clear()).toEqual(['b', 'c']);
    await nextTurn();
    expect(order).toEqual(['a', 'turn']);
    expect(queue.waiting).toBe(0);
  });
});
