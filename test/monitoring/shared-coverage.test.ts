import { describe, expect, it } from 'vitest';
import { createCoverage } from '../../src/monitoring/field-coverage.ts';
import { postCoverage, sharedCoverage } from '../../src/monitoring/shared-coverage.ts';
import { until } from '../helpers/until.ts';

function event(eventName: string) {
  return { source: 'acme', eventName, replays: 0 };
}

function unread(fields: Record<string, string>) {
  return { mapping: 'own' as const, fields: new Map(Object.entries(fields)) };
}

describe('the coverage of several replicas', () => {
  /** Replicas that read what the others have posted. */
  function replicas(count: number) {
    const posted = new Map<number, string>();
    const stop = new AbortController();
    const all = Array.from({ length: count }, (_, n) => {
      const coverage = createCoverage(() => 100 - n);
      const journal = {
        replicaCount: () => count,
        postReport: async (_name: string, json: string) => void posted.set(n, json),
        otherReports: async () => [...posted].filter(([other]) => other !== n).map(([, json]) => json),
      };
      const parts = { coverage, journal };
      void postCoverage(parts, stop.signal, 5);
      return { coverage, shared: sharedCoverage(parts) };
    });
    return { all, posted, stop };
  }

  it('is the sum of what each has counted, whichever is asked', async () => {
    const { all, posted, stop } = replicas(2);
    const [a, b] = all;
    a!.coverage.count(event('x'), unread({ 'data.p': 'Ann', 'data.q': '1' }));
    b!.coverage.count(event('x'), unread({ 'data.q': '22' }));
    b!.coverage.count(event('y'), unread({ 'data.r': '3' }));
    await until(() => posted.size === 2 && JSON.parse(posted.get(1)!).events.length === 2);
    stop.abort();
    for (const { shared } of all) {
      const { since, events } = await shared.report({});
      expect(since).toBe(99);
      const counts = events.map(({ eventName, events: examined, fields }) => [
        eventName,
        examined,
        fields.map(({ path, count }) => `${path} ${count}`),
      ]);
      expect(counts).toEqual([
        ['x', 2, ['data.q 2', 'data.p 1']],
        ['y', 1, ['data.r 1']],
      ]);
      expect((await shared.report({ eventName: 'y' })).events.map(({ eventName }) => eventName)).toEqual([
        'y',
      ]);
    }
  });

  it('is not posted by a single one', async () => {
    const { all, posted, stop } = replicas(1);
    all[0]!.coverage.count(event('x'), unread({ 'data.p': 'Ann' }));
    await new Promise((resolve) => setTimeout(resolve, 30));
    stop.abort();
    expect(posted.size).toBe(0);
    expect((await all[0]!.shared.report({})).events).toHaveLength(1);
  });
});
