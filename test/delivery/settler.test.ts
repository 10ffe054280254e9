import { expect, it } from 'vitest';
import type { SettledEvent } from '../../src/delivery/delivery-observer.ts';
import { createInFlight } from '../../src/delivery/in-flight.ts';
import { createSettler } from '../../src/delivery/settler.ts';
import { type ClaimedEvent, type Settlement, StoreError } from '../../src/journal/journal.ts';

/** A settler of a journal that cannot record what happened to some events. */
function setUp(unrecordable: readonly string[] = [], stale: readonly string[] = []) {
  const calls: string[] = [];
  const errors: string[] = [];
  const reported: (readonly SettledEvent[])[] = [];
  const forgotten: string[] = [];
  const stopping = new AbortController();
  let inFlight = 0;
  let onIdle = () => {};
  const settler = createSettler({
    destination: 'aep',
    journal: {
      async settle(token, settlements) {
        const receipts = settlements.map(({ receipt }) => receipt);
        calls.push(`settle ${token} ${receipts.join()}`);
        if (receipts.some((receipt) => unrecordable.includes(receipt))) throw new StoreError('too large');
        return { stale: receipts.filter((receipt) => stale.includes(receipt)) };
      },
      async release(token, receipts) {
        calls.push(`release ${token} ${receipts.join()}`);
      },
    },
    observer: {
      eventsSettled: (settled) => reported.push(settled),
      errorCaught: (_destination, message) => errors.push(message),
    },
    suspects: { forget: (receipt) => forgotten.push(receipt) },
    signal: stopping.signal,
    onRecorded: () => undefined,
    onEnded: (ended) => {
      inFlight -= ended.length;
      if (inFlight === 0) onIdle();
    },
  });
  const begin = (receipt: string, token: string) => {
    inFlight += 1;
    return createInFlight(token, { receipt } as ClaimedEvent);
  };
  return {
    settle: (receipt: string, token = 't', state: 'delivered' | 'pending' = 'delivered'): void => {
      const common = { receipt, attempts: [], delivered: [] };
      const pending = { dueIn: 0, failedAttempts: 1, ownFaultCount: 0 };
      const settlement: Settlement =
        state === 'pending' ? { ...common, ...pending, state } : { ...common, state };
      settler.settle(begin(receipt, token), settlement);
    },
    release: (receipt: string, token = 't') => settler.release(begin(receipt, token)),
    whenIdle: () => new Promise<void>((resolve) => (onIdle = resolve)),
    calls,
    errors,
    reported,
    forgotten,
    stopping,
  };
}

it('makes one call of each kind for what ends in one turn, by token', async () => {
  const { settle, release, whenIdle, calls, reported } = setUp();
  settle('a');
  release('b');
  settle('c', 'u');
  settle('d');
  release('e');
  await whenIdle();
  expect(calls).toEqual(['settle t a,d', 'release t b,e', 'settle u c']);
  expect(reported.map((settled) => settled.map(({ event }) => event.receipt))).toEqual([['a', 'd'], ['c']]);
});

it('reports no stale outcome, and remembers what is not final as suspect', async () => {
  const { settle, whenIdle, reported, forgotten } = setUp([], ['b']);
  settle('a');
  settle('b');
  settle('c', 't', 'pending');
  await whenIdle();
  expect(reported.flat().map(({ event }) => event.receipt)).toEqual(['a', 'c']);
  expect(forgotten).toEqual(['a']);
});

it('records the others if the outcome of one cannot be recorded, which is tried until the relay stops', async () => {
  const { settle, whenIdle, calls, errors, reported, stopping } = setUp(['bad']);
  for (const receipt of ['a', 'b', 'bad', 'c']) settle(receipt);
  const idle = whenIdle();
  await expect
    .poll(() => reported.flat().map(({ event }) => event.receipt), { timeout: 5_000 })
    .toEqual(['a', 'b', 'c']);
  expect(calls).toContain('settle t bad');
  expect(errors[0]).toBe('the outcome of 4 events could not be recorded');
  stopping.abort();
  await idle;
  expect(reported.flat()).toHaveLength(3);
});
