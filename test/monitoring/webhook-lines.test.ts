import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { WebhookReport } from '../../src/intake/webhook-report.ts';
import { createWebhookLines, MAX_LINES_PER_SECOND } from '../../src/monitoring/webhook-lines.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import type { LogLevel } from '../../src/telemetry/log-level.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly source: string;
  readonly outcome: string;
  readonly bytes: number;
  readonly receipt?: string;
  readonly count?: number;
}

function setUp(level: LogLevel = 'info') {
  const lines: Line[] = [];
  const write = (text: string): void => {
    const { time: _time, name: _name, ...line } = JSON.parse(text) as Line & { time: string; name: string };
    lines.push(line);
  };
  const log = createLogger({ level, destination: { write } });
  return { webhooks: createWebhookLines(log), log, lines };
}

let receipts = 0;
beforeEach(() => (receipts = 0));

function accepted(more: Partial<WebhookReport> = {}): WebhookReport {
  receipts += 1;
  const receipt = `r${receipts}`;
  const verifiedBy = 'header:x-relay-key';
  return {
    source: 'acme',
    outcome: 'accepted',
    status: 200,
    durationMs: 1,
    bytes: 100,
    receipt,
    verifiedBy,
    ...more,
  };
}

function refused(outcome: string, status: number, more: Partial<WebhookReport> = {}): WebhookReport {
  return { source: 'acme', outcome, status, durationMs: 1, bytes: 10, ...more };
}

/** Webhooks that the lines stand for. */
function countOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { count = 1 }) => sum + count, 0);
}

it('at a low rate each webhook has a line', () => {
  const { webhooks, lines } = setUp();
  const eventId = '0b6c9f1e-5f4e-4a52-9f55-6c1e27e4a1a7';
  webhooks.write(accepted({ eventName: 'pointsIssued', eventId, durationMs: 1.23456 }));
  webhooks.write(accepted({ eventName: 'Ann Example', eventId: '+44 7700 900987' }));
  const common = {
    level: 'info',
    msg: 'webhook',
    source: 'acme',
    outcome: 'accepted',
    status: 200,
    bytes: 100,
  };
  const verifiedBy = 'header:x-relay-key';
  expect(lines).toEqual([
    { ...common, verifiedBy, receipt: 'r1', durationMs: 1.23, eventName: 'pointsIssued', eventId },
    { ...common, verifiedBy, receipt: 'r2', durationMs: 1 },
  ]);
  vi.advanceTimersByTime(1_000);
  for (let second = 0; second < 5; second += 1) {
    for (let at = 0; at < MAX_LINES_PER_SECOND; at += 1) webhooks.write(accepted());
    vi.advanceTimersByTime(1_000);
  }
  expect(lines.slice(2).every(({ receipt }) => receipt !== undefined)).toBe(true);
  expect(lines).toHaveLength(2 + 5 * MAX_LINES_PER_SECOND);
});

it('beyond a rate the others of a second share a line for each source and outcome', () => {
  const { webhooks, lines } = setUp();
  for (let at = 0; at < MAX_LINES_PER_SECOND; at += 1) webhooks.write(accepted());
  webhooks.write(accepted({ durationMs: 7.7777 }));
  webhooks.write(accepted({ verifiedBy: 'ip' }));
  webhooks.write(
    accepted({ receipt: undefined as never, array: { events: 2, duplicates: 1, malformed: 0 } }),
  );
  webhooks.write(accepted({ array: { events: 5, duplicates: 0, malformed: 1 } }));
  webhooks.write(accepted({ source: 'other' }));
  webhooks.write(accepted({ outcome: 'duplicate', differs: false }));
  const single = lines.length;
  expect(single).toBe(MAX_LINES_PER_SECOND + 2);
  vi.advanceTimersByTime(1_000);
  expect(lines.slice(single)).toEqual([
    {
      level: 'info',
      msg: 'webhooks',
      source: 'acme',
      outcome: 'accepted',
      status: 200,
      count: 4,
      bytes: 400,
      maxDurationMs: 7.78,
      firstReceipt: 'r21',
      lastReceipt: 'r24',
      verifiedByCounts: { 'header:x-relay-key': 3, ip: 1 },
      array: { events: 7, duplicates: 1, malformed: 1 },
    },
  ]);
});

it('the first refused webhooks of each kind have lines, the others are counted by reason', () => {
  const { webhooks, lines } = setUp();
  for (let at = 0; at < 100; at += 1) {
    webhooks.write(accepted());
    webhooks.write(
      refused('not-verified', 401, {
        reasons: [at < 60 ? 'no-header' : 'wrong'],
        receipt: `q${at}`,
        evicted: 2,
      }),
    );
    webhooks.write(refused('body-too-large', 413));
    webhooks.write(refused('rate-limited', 429, { source: 'unknown' }));
  }
  webhooks.write(refused('store-full', 503));
  webhooks.write(refused('not-found', 404, { source: 'unknown' }));
  vi.advanceTimersByTime(1_000);
  expect(countOf(lines)).toBe(402);
  const refusedLines = lines.filter(({ level }) => level === 'warn');
  const single = refusedLines.filter(({ count }) => count === undefined);
  expect(single.filter(({ outcome }) => outcome === 'not-verified')).toHaveLength(MAX_LINES_PER_SECOND);
  expect(single.map(({ msg, outcome }) => [msg, outcome])).toEqual(
    expect.arrayContaining([
      ['webhook refused', 'body-too-large'],
      ['webhook refused', 'rate-limited'],
      ['webhook refused', 'store-full'],
      ['request to a path that is no webhook', 'not-found'],
    ]),
  );
  expect(refusedLines.filter(({ count }) => count !== undefined)).toEqual([
    expect.objectContaining({
      msg: 'webhooks refused',
      outcome: 'not-verified',
      status: 401,
      count: 80,
      reasonCounts: { 'no-header': 40, wrong: 40 },
      firstReceipt: 'q20',
      lastReceipt: 'q99',
      evicted: 160,
    }),
    expect.objectContaining({ msg: 'webhooks refused', outcome: 'body-too-large', status: 413, count: 80 }),
    expect.objectContaining({
      msg: 'webhooks refused',
      source: 'unknown',
      outcome: 'rate-limited',
      count: 80,
    }),
  ]);
});

it('a duplicate with other data is never counted among the others', () => {
  const { webhooks, lines } = setUp();
  for (let at = 0; at < 30; at += 1) webhooks.write(accepted({ outcome: 'duplicate', differs: false }));
  webhooks.write(accepted({ outcome: 'duplicate', differs: true }));
  webhooks.write(accepted({ outcome: 'accepted', duplicates: new Map([['true', 1]]) as never }));
  expect(lines.filter(({ level }) => level === 'warn').map(({ msg, receipt }) => [msg, receipt])).toEqual([
    ['duplicate with other data', 'r31'],
    ['duplicate with other data', 'r32'],
  ]);
  for (let at = 0; at < 25; at += 1) webhooks.write(accepted({ outcome: 'duplicate', differs: true }));
  webhooks.flush();
  const sums = lines.filter(({ count }) => count !== undefined);
  expect(sums.map(({ msg, count }) => [msg, count])).toEqual([
    ['webhooks', 10],
    ['duplicates with other data', 6],
  ]);
});

it('the lines stand for every webhook, whatever their rate and mixture', () => {
  const { webhooks, lines } = setUp();
  let sent = 0;
  let bytes = 0;
  for (let step = 0; step < 4_000; step += 1) {
    const report =
      step % 7 === 0
        ? refused('not-verified', 401, { source: `s${step % 3}`, reasons: ['wrong'] })
        : accepted({ source: `s${step % 3}`, outcome: step % 5 === 0 ? 'duplicate' : 'accepted' });
    webhooks.write(report);
    sent += 1;
    bytes += report.bytes;
    // Bursts, a steady flow and pauses of more than a second.
    vi.advanceTimersByTime(step % 1_000 === 0 ? 2_500 : step % 3);
  }
  webhooks.flush();
  expect(lines.length).toBeLessThan(sent / 2);
  expect(countOf(lines)).toBe(sent);
  expect(lines.reduce((sum, line) => sum + line.bytes, 0)).toBe(bytes);
});

it('what waits for the end of the second is written when the relay stops, and only once', () => {
  const { webhooks, lines } = setUp();
  for (let at = 0; at < 50; at += 1) webhooks.write(accepted());
  expect(countOf(lines)).toBe(MAX_LINES_PER_SECOND);
  webhooks.flush();
  webhooks.flush();
  vi.advanceTimersByTime(5_000);
  expect(countOf(lines)).toBe(50);
  expect(vi.getTimerCount()).toBe(0);
});

it('at debug each webhook has a line, and what was counted before is not lost', () => {
  const { webhooks, log, lines } = setUp();
  for (let at = 0; at < 30; at += 1) webhooks.write(accepted());
  log.level = 'debug';
  for (let at = 0; at < 30; at += 1) webhooks.write(accepted());
  vi.advanceTimersByTime(1_000);
  expect(lines.filter(({ receipt }) => receipt !== undefined)).toHaveLength(MAX_LINES_PER_SECOND + 30);
  expect(countOf(lines)).toBe(60);
});

it('at warn only refused webhooks have lines', () => {
  const { webhooks, lines } = setUp('warn');
  for (let at = 0; at < 30; at += 1) {
    webhooks.write(accepted());
    webhooks.write(refused('not-verified', 401));
  }
  webhooks.flush();
  expect(lines.every(({ level }) => level === 'warn')).toBe(true);
  expect(countOf(lines)).toBe(30);
});
