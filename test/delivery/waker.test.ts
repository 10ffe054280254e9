import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createWaker } from '../../src/delivery/scheduling.ts';

const HOUR = 3_600_000;
function timers() {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

describe('a waker', () => {
  it.each([
    ['woken', (waker: ReturnType<typeof createWaker>) => waker.wake()],
    ['aborted', (_waker: unknown, stop: AbortController) => stop.abort()],
  ])('ends the wait when %s, and leaves neither timer nor listener', async (_how, act) => {
    const waker = createWaker();
    const stop = new AbortController();
    const before = timers();
    const waiting = waker.wait(HOUR, stop.signal);
    expect(timers()).toBe(before + 1);
    act(waker, stop);
    await waiting;
    expect(timers()).toBe(before);
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0);
  });

  it('remembers one wake that came before the wait', async () => {
    const waker = createWaker();
    const { signal } = new AbortController();
    waker.wake();
    await waker.wait(HOUR, signal);
    const second = waker.wait(HOUR, signal).then(() => 'woken');
    expect(await Promise.race([second, Promise.resolve('still waiting')])).toBe('still waiting');
    waker.wake();
    expect(await second).toBe('woken');
  });

  it('does not wait after an abort, or for 0 ms', async () => {
    const before = timers();
    await createWaker().wait(HOUR, AbortSignal.abort());
    await createWaker().wait(0, new AbortController().signal);
    expect(timers()).toBe(before);
  });
});
