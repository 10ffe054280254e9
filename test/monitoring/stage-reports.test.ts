import { expect, it } from 'vitest';
import { createIntakeWindow } from '../../src/monitoring/intake-window.ts';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { createIntakeReports, deliveryLine, webhookLine } from '../../src/monitoring/stage-reports.ts';
import { createLogger, errorFields } from '../../src/telemetry/log.ts';
import { loggable } from '../../src/telemetry/redaction.ts';

function request(count: number) {
  return {
    destination: 'acme-aep',
    kind: 'event' as const,
    endpoint: 'batch' as const,
    messages: count,
    bytes: 10,
    status: 207,
    failure: undefined,
    outcome: 'mixed',
    detail: 'a message of Adobe',
    durationMs: 5,
    receipts: Array.from({ length: count }, (_, at) => `r${at}`),
    items: Array.from({ length: count }, (_, at) => ({
      receipt: `r${at}`,
      outcome: at === 0 ? 'failed' : 'taken',
      xactionId: at === 1 ? 'somebody@example.com' : `x:${at}`,
    })),
  };
}

it('the line of a delivery has receipts and transaction ids, but no messages of Adobe', () => {
  const { detail: _detail, items: _items, ...plain } = request(3);
  expect(deliveryLine(request(3))).toEqual({ ...plain, failed: 1, xactionIds: ['x:0', 'x:2'] });
});

it('the line of a delivery with more than 200 messages counts the omitted receipts', () => {
  const { receipts, xactionIds, moreReceipts } = deliveryLine(request(203));
  expect([receipts.length, xactionIds?.length, moreReceipts]).toEqual([200, 200, 3]);
});

it('the line of a webhook has event name and id only if they look like such', () => {
  const report = { source: 'acme', outcome: 'accepted', status: 200, durationMs: 1, bytes: 2 };
  const eventId = '0b6c9f1e-5f4e-4a52-9f55-6c1e27e4a1a7';
  expect(webhookLine({ ...report, eventName: 'pointsIssued', eventId })).toEqual({
    ...report,
    eventName: 'pointsIssued',
    eventId,
  });
  expect(webhookLine({ ...report, eventName: 'Ann Example', eventId: '+44 7700 900987' })).toEqual(report);
});

it('a request to another path is no refused webhook, and its line has no path', () => {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', destination: { write: (text) => void lines.push(text) } });
  const reports = createIntakeReports(log, createMetrics(), createIntakeWindow(Date.now));
  const report = { source: 'unknown', status: 404, durationMs: 1, bytes: 0 };
  reports.webhookAnswered({ ...report, outcome: 'not-found' });
  reports.webhookAnswered({ ...report, outcome: 'unknown-source' });
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
    'request to a path that is no webhook',
    'webhook refused',
  ]);
});

it('duplicates are counted by whether their data differs; a difference is a warning', async () => {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', destination: { write: (text) => void lines.push(text) } });
  const metrics = createMetrics();
  const reports = createIntakeReports(log, metrics, createIntakeWindow(Date.now));
  const report = { source: 'acme', status: 200, durationMs: 1, bytes: 2, receipt: 'r-1' };

  reports.webhookAnswered({ ...report, outcome: 'accepted' });
  for (const differs of [true, false, false, undefined]) {
    reports.webhookAnswered({
      ...report,
      outcome: 'duplicate',
      ...(differs === undefined ? {} : { differs }),
    });
  }
  const { values } = await metrics.duplicates.get();
  expect(values.map(({ labels, value }) => [labels, value])).toEqual([
    [{ source: 'acme', differs: 'true' }, 1],
    [{ source: 'acme', differs: 'false' }, 2],
    [{ source: 'acme', differs: 'unknown' }, 1],
  ]);
  const warnings = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'warn');
  expect(warnings).toMatchObject([{ msg: 'duplicate with other data', receipt: 'r-1', differs: true }]);
});

it.each(['', 'ann@example.com', '4111111111111111', '+447700900987', 'two words', 'x'.repeat(101)])(
  'does not log %o as an id',
  (text) => expect(loggable(text)).toBeUndefined(),
);

it.each([
  [() => JSON.parse('ann@example.com') as unknown, 'SyntaxError'],
  [() => 'x'.repeat(-4111), 'RangeError'],
])('omits input that the JavaScript engine quotes in an error', (fail, type) => {
  const fields = ((): unknown => {
    try {
      return fail();
    } catch (error) {
      return errorFields(error);
    }
  })();
  expect(fields).toMatchObject({
    type,
    message: expect.stringMatching(/\w/),
    stack: expect.stringMatching(/\n +at /),
  });
  expect(JSON.stringify(fields)).not.toMatch(/example\.com|4111/);
});
