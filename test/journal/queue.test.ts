import { describe, expect, it } from 'vitest';
import type { NumberedCall, OperationName } from '../../src/journal/sqlite/protocol.ts';
import { createCallQueue } from '../../src/journal/sqlite/queue.ts';

let lastId = 0;
const calls = (count: number, name: OperationName, request?: unknown): NumberedCall[] =>
  Array.from({ length: count }, () => ({ id: (lastId += 1), name, request }));

const ids = (of: readonly NumberedCall[]): number[] => of.map(({ id }) => id);

describe('what the storage thread does next', () => {
  it('a webhook does not wait for the outcomes of many events that were told before it', () => {
    const queue = createCallQueue();
    const settled = calls(300, 'settle');
    const appended = calls(2, 'append');
    queue.push(settled);
    queue.push(appended);
    expect(ids(queue.next())).toEqual(ids([...appended, ...settled.slice(0, 16)]));
    const later = calls(1, 'append');
    queue.push(later);
    expect(ids(queue.next())).toEqual(ids([...later, ...settled.slice(16, 32)]));
    expect(ids(queue.next())).toEqual(ids(settled.slice(32, 96)));
  });

  it('a claim does not wait for the outcomes that were told before it', () => {
    const queue = createCallQueue();
    const settled = calls(300, 'settle');
    const claimed = calls(1, 'claim');
    queue.push(settled);
    queue.push(claimed);
    expect(ids(queue.next())).toEqual(ids([...claimed, ...settled.slice(0, 64)]));
  });

  it('others have their part of each batch, however much comes in', () => {
    const queue = createCallQueue();
    const appended = calls(3_000, 'append');
    const counted = calls(1, 'ledger');
    queue.push(appended);
    queue.push(counted);
    expect(ids(queue.next())).toEqual(ids([...appended.slice(0, 1_000), ...counted]));
    expect(ids(queue.next())).toEqual(ids(appended.slice(1_000, 2_000)));
  });

  it('a batch has so many bytes and no more; a call that is larger by itself is one of its own', () => {
    const queue = createCallQueue();
    const mib = (n: number) => ({ body: new Uint8Array(n * 1_024 * 1_024) });
    const large = calls(5, 'append', mib(5));
    const huge = calls(1, 'append', mib(40));
    queue.push([...huge, ...large]);
    expect(ids(queue.next())).toEqual(ids(huge));
    expect(ids(queue.next())).toEqual(ids(large.slice(0, 3)));
    expect(ids(queue.next())).toEqual(ids(large.slice(3)));
  });

  it('is empty when everything was taken, and has nothing then', () => {
    const queue = createCallQueue();
    expect(queue.isEmpty).toBe(true);
    queue.push(calls(70, 'claim'));
    queue.next();
    expect(queue.isEmpty).toBe(false);
    queue.next();
    expect(queue.isEmpty).toBe(true);
    expect(queue.next()).toEqual([]);
  });
});
