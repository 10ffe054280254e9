import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createTurns } from '../../src/delivery/turns.ts';

/** Turns whose work each ends when it is told to. */
const openTurns = (few: number) => {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  let worked = 0;
  const turns = createTurns<string>(
    few,
    (item) => {
      begun.push(item);
      return new Promise((resolve) => ends.push(resolve));
    },
    () => (worked += 1),
  );
  const endFirst = async (): Promise<void> => {
    ends.shift()?.();
    await nextTurn();
  };
  return { turns, begun, endFirst, worked: () => worked };
};

describe('turns', () => {
  it('work on one thing after the other, in order, and tell after every few', async () => {
    const { turns, begun, endFirst, worked } = openTurns(2);
    turns.push(['a', 'b', 'c']);
    expect(begun).toEqual(['a']);
    await endFirst();
    expect(begun).toEqual(['a', 'b']);
    expect(worked()).toBe(0);
    await endFirst();
    expect(worked()).toBe(1);
    await nextTurn();
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('go on with what is pushed meanwhile, and begin again after an end', async () => {
    const { turns, begun, endFirst } = openTurns(4);
    turns.push(['a']);
    turns.push(['b']);
    await endFirst();
    await nextTurn();
    expect(begun).toEqual(['a', 'b']);
    await endFirst();
    await nextTurn();
    turns.push(['c']);
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('give back what nobody has begun with', async () => {
    const { turns, begun, endFirst } = openTurns(1);
    turns.push(['a', 'b', 'c']);
    expect(turns.waiting).toBe(2);
    expect(turns.clear()).toEqual(['b', 'c']);
    await endFirst();
    await nextTurn();
    expect(begun).toEqual(['a']);
    expect(turns.waiting).toBe(0);
  });

  it('let the event loop turn after every few', async () => {
    const order: string[] = [];
    const turns = createTurns<number>(
      2,
      async (item) => void order.push(`item ${item}`),
      () => undefined,
    );
    turns.push([1, 2, 3]);
    setImmediate(() => order.push('webhook'));
    await nextTurn();
    await nextTurn();
    expect(order).toEqual(['item 1', 'item 2', 'webhook', 'item 3']);
  });
});
