import { describe, expect, it } from 'vitest';
import type { OperationName } from '../../src/journal/sqlite/engine/calls.ts';
import type { NumberedCall } from '../../src/journal/sqlite/thread/protocol.ts';
import { createCallQueue } from '../../src/journal/sqlite/thread/call-queue.ts';

let lastId = 0;
function calls(count: number, name: OperationName, request?: unknown): NumberedCall[] {
  return Array.from({ length: count }, () => ({ id: (lastId += 1), name, request }));
}

function ids(of: readonly NumberedCall[]): number[] {
  return of.map(({ id }) => id);
}

describe('the call queue of the storage thread', () => {
  it('a webhook does not wait for many earlier settlements', () => {
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

  it('a claim does not wait for earlier settlements', () => {
    const queue = createCallQueue();
    const settled = calls(300, 'settle');
    const claimed = calls(1, 'claim');
    queue.push(settled);
    queue.push(claimed);
    expect(ids(queue.next())).toEqual(ids([...claimed, ...settled.slice(0, 64)]));
  });

  it('other calls get their share of each batch, however many webhooks arrive', () => {
    const queue = createCallQueue();
    const appended = calls(3_000, 'append');
    const counted = calls(1, 'ledger');
    queue.push(appended);
    queue.push(counted);
    expect(ids(queue.next())).toEqual(ids([...appended.slice(0, 1_000), ...counted]));
    expect(ids(queue.next())).toEqual(ids(appended.slice(1_000, 2_000)));
  });

  it('a batch has a limited size; a larger call forms its own batch', () => {
    const queue = createCallQueue();
    const mib = (n: number) => ({ body: new Uint8Array(n * 1_024 * 1_024) });
    const large = calls(5, 'append', mib(5));
    const huge = calls(1, 'append', mib(40));
    queue.push([...huge, ...large]);
    expect(ids(queue.next())).toEqual(ids(huge));
    expect(ids(queue.next())).toEqual(ids(large.slice(0, 3)));
    expect(ids(queue.next())).toEqual(ids(large.slice(3)));
  });

  it('is empty after everything was taken and then returns nothing', () => {
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
