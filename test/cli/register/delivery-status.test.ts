import { describe, expect, test } from 'vitest';
import { compareCounts, deliveryStatus } from '../../../src/cli/register/delivery-status.ts';
import { newWebhook } from '../../../src/cli/register/wanted-webhook.ts';
import type { Registration } from '../../../src/cli/register/registration.ts';
import { WANTED, webhooksInMemory } from './webhook-rig.ts';

const METRICS = { total: 820, delivered: 815, failed: 0, retrying: 0, pending: 0 };
const COUNTS = { accepted: 815, acceptedAfterDelay: 800, malformed: 0 };

function levels(metrics: object, counts: object = {}) {
  return compareCounts({ ...METRICS, ...metrics }, { ...COUNTS, ...counts }).map(({ check, level }) => [
    check,
    level,
  ]);
}

describe('the comparison', () => {
  test('agrees within the events whose generation may be before the window', () => {
    expect(levels({})).toEqual([['difference', 'ok']]);
    expect(levels({ delivered: 800 })).toEqual([['difference', 'ok']]);
  });

  test('names what is missing at the relay, and what came from elsewhere', () => {
    expect(compareCounts({ ...METRICS, delivered: 820 }, COUNTS)).toMatchObject([
      { check: 'difference', level: 'fail', detail: expect.stringContaining('5 are missing here') },
    ]);
    expect(compareCounts({ ...METRICS, delivered: 790 }, COUNTS)).toMatchObject([
      { check: 'difference', level: 'fail', detail: expect.stringContaining('10 came from elsewhere') },
    ]);
  });

  test('names what failed, is repeated, or waits', () => {
    expect(levels({ failed: 3, retrying: 2, pending: 1 })).toEqual([
      ['failed', 'fail'],
      ['retrying', 'warn'],
      ['pending', 'ok'],
      ['difference', 'ok'],
    ]);
  });
});

describe('the comparison of a source with reconcile', () => {
  test('does not take for a sender what was given up and taken from the log', () => {
    expect(levels({ delivered: 700, failed: 100 })).toEqual([
      ['failed', 'fail'],
      ['difference', 'ok'],
    ]);
    expect(compareCounts({ ...METRICS, delivered: 700, failed: 100 }, COUNTS, 'acme')).toMatchObject([
      { check: 'failed', level: 'warn', fix: expect.stringContaining('reconcile --source acme') },
      { check: 'difference', level: 'ok' },
    ]);
  });

  test('warns of more than Capillary has sent: an earlier day may have been compared', () => {
    expect(compareCounts({ ...METRICS, delivered: 700, failed: 90 }, COUNTS, 'acme')).toMatchObject([
      { check: 'failed', level: 'warn' },
      {
        check: 'difference',
        level: 'warn',
        detail: expect.stringMatching(/10 came from elsewhere, or were taken/),
      },
    ]);
    expect(compareCounts({ ...METRICS, delivered: 820 }, COUNTS, 'acme')).toMatchObject([{ level: 'fail' }]);
  });
});

describe('the status', () => {
  const NOW = Date.UTC(2026, 10, 30, 12);
  const registration = (objects: Parameters<typeof webhooksInMemory>[0], metrics = METRICS) => {
    const { client } = webhooksInMemory(objects);
    const asked: unknown[] = [];
    const get = async (path: string, options?: { query?: unknown }) => {
      if (!path.endsWith('/metrics')) return client.get();
      asked.push([path, options?.query]);
      const { total, delivered, failed } = metrics;
      const body = {
        data: { totalEvents: total, deliveredEvents: delivered, failedEvents: failed },
        errors: null,
      };
      return { ok: true as const, status: 200, warnings: [], body };
    };
    return {
      asked,
      parts: {
        source: { name: 'acme' },
        wanted: WANTED,
        client: { get },
        claims: {},
      } as unknown as Registration,
    };
  };
  const relay = (accepted: (query: { since: number; until: number }) => number) => ({
    get: async <T>(_path: string, query = {}) =>
      ({
        replicas: 1,
        sources: [
          { source: 'acme', accepts: [], events: { accepted: accepted(query as never), malformed: 0 } },
        ],
      }) as T,
  });

  test('asks both sides for the same day', async () => {
    const { parts, asked } = registration([{ ...newWebhook(WANTED), consumerGroupId: 'g-1' }]);
    const windows: number[][] = [];
    const status = await deliveryStatus(
      parts,
      relay((query) => {
        windows.push([query.since, query.until]);
        return 815;
      }),
      3 * 86_400_000,
      NOW,
    );
    expect(status).toMatchObject({
      since: '2026-11-29T12:00:00.000Z',
      until: '2026-11-30T12:00:00.000Z',
      capillary: METRICS,
      findings: [{ check: 'difference', level: 'ok' }],
    });
    expect(asked).toEqual([
      ['/v3/events/consumer-groups/g-1/metrics', { startDate: NOW - 86_400_000, endDate: NOW }],
    ]);
    const start = NOW - 86_400_000;
    // What came in the last minutes may not be in Capillary's counts yet.
    expect(windows).toEqual([
      [start, NOW],
      [start + 600_000, NOW - 600_000],
    ]);
    expect(JSON.stringify(status)).not.toContain(WANTED.header.value);
  });

  test('is of the time for which the relay keeps records', async () => {
    const { parts } = registration([{ ...newWebhook(WANTED), consumerGroupId: 'g-1' }]);
    const { since } = await deliveryStatus(
      parts,
      relay(() => 815),
      3_600_000,
      NOW,
    );
    expect(since).toBe('2026-11-30T11:00:00.000Z');
  });

  test('fails for an inactive webhook', async () => {
    const { parts } = registration([{ ...newWebhook(WANTED), active: false, consumerGroupId: 'g-1' }]);
    const { findings } = await deliveryStatus(
      parts,
      relay(() => 815),
      86_400_000,
      NOW,
    );
    expect(findings[0]).toMatchObject({ check: 'active', level: 'fail' });
  });

  test.each([
    [[], 'Capillary has no webhook with the name acme-aep-relay'],
    [[newWebhook(WANTED)], 'shows no consumer group'],
  ])('needs a webhook with a consumer group', async (objects, text) => {
    const { parts } = registration(objects);
    await expect(
      deliveryStatus(
        parts,
        relay(() => 0),
        86_400_000,
        NOW,
      ),
    ).rejects.toThrow(text);
  });

  test('needs a relay that has the source', async () => {
    const { parts } = registration([{ ...newWebhook(WANTED), consumerGroupId: 'g-1' }]);
    const other = { get: async <T>() => ({ replicas: 1, sources: [] }) as T };
    await expect(deliveryStatus(parts, other, 86_400_000, NOW)).rejects.toThrow(
      'has no source with the name acme',
    );
  });
});
