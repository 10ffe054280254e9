import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createTurns } from '../../src/delivery/turns.ts';

/** Turns, and what they did in which order. */
const recorded = (few: number) => {
  const order: string[] = [];
  const turns = createTurns<string>(
    few,
    (item) => order.push(item),
    () => order.push('told'),
  );
  return { turns, order };
};

describe('turns', () => {
  it('begin a few things in order, let the event loop turn, and tell it before the next', async () => {
    const { turns, order } = recorded(2);
    setImmediate(() => order.push('webhook'));
    turns.push(['a', 'b', 'c']);
    expect(order).toEqual(['a', 'b']);
    await nextTurn();
    await nextTurn();
    expect(order).toEqual(['a', 'b', 'webhook', 'told', 'c', 'told']);
  });

  it('go on with what is pushed meanwhile, and begin again after an end', async () => {
    const { turns, order } = recorded(4);
    turns.push(['a']);
    turns.push(['b']);
    expect(turns.waiting).toBe(1);
    await nextTurn();
    await nextTurn();
    turns.push(['c']);
    expect(order).toEqual(['a', 'told', 'b', 'told', 'c']);
  });

  it('give back what nobody has begun with', async () => {
    const { turns, order } = recorded(1);
    turns.push(['a', 'b', 'c']);
    expect(turns.waiting).toBe(2);
    expect(turns.clear()).toEqual(['b', 'c']);
    await nextTurn();
    expect(order).toEqual(['a', 'told']);
    expect(turns.waiting).toBe(0);
  });
});
