import { setTimeout as delay } from 'node:timers/promises';

/** Asks again until the answer is truthy: waits for an event outside this process, not for a time. The test's own limit ends it. */
export const until = async <T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> => {
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    await delay(10);
  }
};
