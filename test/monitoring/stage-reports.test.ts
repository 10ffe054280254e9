import { expect, it } from 'vitest';
import type { RequestReport, SettledEvent } from '../../src/delivery/delivery-observer.ts';
import type { ClaimedEvent, Settlement } from '../../src/journal/journal.ts';
import { createIntakeWindow } from '../../src/monitoring/intake-window.ts';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { createDeliveryReports, createIntakeReports } from '../../src/monitoring/stage-reports.ts';
import { createWebhookLines } from '../../src/monitoring/webhook-lines.ts';
import { createLogger, errorFields } from '../../src/telemetry/log.ts';
import type { LogLevel } from '../../src/telemetry/log-level.ts';
import { loggable } from '../../src/telemetry/redaction.ts';

/** A log whose lines can be read, without their common fields. */
function logOf(level: LogLevel = 'info') {
  const lines: Record<string, unknown>[] = [];
  const write = (text: string): void => {
    const { time: _time, name: _name, ...line } = JSON.parse(text) as Record<string, unknown>;
    lines.push(line);
  };
  return { log: createLogger({ level, destination: { write } }), lines };
}

function deliverySetUp(level?: LogLevel) {
  const { log, lines } = logOf(level);
  const metrics = createMetrics();
  const counted: string[] = [];
  const coverage = { count: ({ eventName }: { readonly eventName: string }) => counted.push(eventName) };
  return { reports: createDeliveryReports(log, metrics, coverage, () => 3_000), metrics, lines, counted };
}

function intakeSetUp() {
  const { log, lines } = logOf();
  const metrics = createMetrics();
  const window = createIntakeWindow(Date.now);
  return { reports: createIntakeReports(log, metrics, window, createWebhookLines(log)), metrics, lines };
}

function request(count: number): RequestReport {
  return {
    destination: 'acme-aep',
    kind: 'event',
    endpoint: 'batch',
    messages: count,
    bytes: 10,
    status: 207,
    failure: undefined,
    outcome: 'mixed',
    detail: 'a message of Adobe',
    durationMs: 5.123456,
    counts: { taken: count - 1, failed: 1, unknown: 0, foreign: 0 },
    failedStatuses: new Map([[400, 1]]),
    retries: 0,
    sources: new Map([['acme', count]]),
    minAgeMs: 20,
    maxAgeMs: 400,
    xactionId: 'x:0',
    receipts: Array.from({ length: count }, (_, at) => `r${at}`),
    items: Array.from({ length: count }, (_, at) => ({
      receipt: `r${at}`,
      outcome: at === 0 ? 'failed' : 'taken',
      xactionId: at === 1 ? 'somebody@example.com' : `x:${at}`,
    })),
  };
}

const DELIVERY = {
  msg: 'delivery',
  level: 'warn',
  destination: 'acme-aep',
  kind: 'event',
  endpoint: 'batch',
  messages: 3,
  bytes: 10,
  status: 207,
  outcome: 'mixed',
  durationMs: 5.12,
  taken: 2,
  failed: 1,
  failedStatuses: { 400: 1 },
  sources: { acme: 3 },
  minAgeMs: 20,
  maxAgeMs: 400,
  xactionId: 'x:0',
};

it('a request to the inlet has one line, with neither receipts nor messages of Adobe', () => {
  const { reports, lines } = deliverySetUp();
  reports.requestCompleted(request(3));
  reports.requestCompleted({ ...request(3), outcome: 'taken', retries: 2 });
  expect(lines).toEqual([DELIVERY, { ...DELIVERY, level: 'info', outcome: 'taken', retries: 2 }]);
});

it('at debug the line of a request has the receipts, and each message has a line', () => {
  const { reports, lines } = deliverySetUp('debug');
  reports.requestCompleted(request(3));
  const common = { level: 'debug', msg: 'delivered message', destination: 'acme-aep', kind: 'event' };
  expect(lines).toEqual([
    { ...DELIVERY, receipts: ['r0', 'r1', 'r2'] },
    { ...common, receipt: 'r0', outcome: 'failed', xactionId: 'x:0' },
    { ...common, receipt: 'r1', outcome: 'taken' },
    { ...common, receipt: 'r2', outcome: 'taken', xactionId: 'x:2' },
  ]);
});

it('the line of a request with more than 200 messages counts the omitted receipts', () => {
  const { reports, lines } = deliverySetUp('debug');
  reports.requestCompleted(request(203));
  const { receipts, moreReceipts } = lines[0] as { receipts: unknown[]; moreReceipts: number };
  expect([receipts.length, moreReceipts]).toEqual([200, 3]);
});

function settled(
  receipt: string,
  outcome: object,
  mapping?: SettledEvent['mapping'],
  event: Partial<ClaimedEvent> = {},
): SettledEvent {
  return {
    event: {
      receipt,
      source: 'acme',
      destination: 'acme-aep',
      eventName: 'pointsIssued',
      eventId: `id-${receipt}`,
      receivedAt: 1_000,
      failedAttempts: 0,
      ownFaultCount: 1,
      ...event,
    } as ClaimedEvent,
    settlement: { receipt, attempts: [], delivered: [], ...outcome } as unknown as Settlement,
    ...(mapping === undefined ? {} : { mapping }),
  };
}

const NOTE = { kind: 'dropped', path: 'a', code: 'shrunk', message: '' } as const;

const OUTCOMES = [
  settled(
    'r1',
    { state: 'delivered' },
    { notes: [NOTE], unread: { mapping: 'raw', fields: new Map() } as never },
  ),
  settled('r2', { state: 'delivered' }, { notes: [] }, { eventName: 'Ann Example' }),
  settled('r3', { state: 'ignored', reason: 'customer-deleted' }, { notes: [] }),
  settled('r4', { state: 'dead', reason: 'poison' }, { notes: [] }),
  settled('r5', { state: 'pending', dueIn: 5_000, failedAttempts: 3, ownFaultCount: 2 }),
  settled('r6', { state: 'pending', dueIn: 5_000, failedAttempts: 3, ownFaultCount: 1 }),
];

it('of the events that settle together only those that failed by their own fault have lines', () => {
  const { reports, lines } = deliverySetUp();
  reports.eventsSettled(OUTCOMES);
  const common = { source: 'acme', destination: 'acme-aep', eventName: 'pointsIssued' };
  expect(lines).toEqual([
    {
      level: 'error',
      msg: 'event moved to dead letters',
      receipt: 'r4',
      ...common,
      eventId: 'id-r4',
      reason: 'poison',
    },
    {
      level: 'warn',
      msg: 'event failed and will be tried again',
      receipt: 'r5',
      ...common,
      eventId: 'id-r5',
      failedAttempts: 3,
      ownFaults: 2,
      retryInMs: 5_000,
    },
  ]);
});

it('at debug each settled event has a line, and its notes another', () => {
  const { reports, lines } = deliverySetUp('debug');
  reports.eventsSettled(OUTCOMES);
  const debug = lines.filter(({ level }) => level === 'debug');
  expect(debug.map(({ msg, receipt, state, notes }) => [msg, receipt, state ?? notes])).toEqual([
    ['event settled', 'r1', 'delivered'],
    ['mapping notes', 'r1', ['shrunk']],
    ['event settled', 'r2', 'delivered'],
    ['event settled', 'r3', 'ignored'],
    ['event settled', 'r4', 'dead'],
    ['event settled', 'r5', 'pending'],
    ['event settled', 'r6', 'pending'],
  ]);
});

it('counts the events that settle together by outcome', async () => {
  const { reports, metrics, counted } = deliverySetUp();
  reports.eventsSettled(OUTCOMES);
  expect(counted).toEqual(['pointsIssued']);
  expect((await metrics.registry.metrics()).split('\n')).toEqual(
    expect.arrayContaining([
      'relay_delivered_total{destination="acme-aep",event_name="pointsIssued"} 1',
      'relay_delivered_total{destination="acme-aep",event_name="other"} 1',
      'relay_ignored_total{destination="acme-aep",reason="customer-deleted"} 1',
      'relay_dead_total{destination="acme-aep",reason="poison"} 1',
      'relay_retried_total{destination="acme-aep"} 2',
      'relay_end_to_end_seconds_bucket{le="2.5",destination="acme-aep"} 2',
      'relay_mapping_notes_total{event_name="pointsIssued",kind="dropped",code="shrunk"} 1',
    ]),
  );
});

it('duplicates are counted by whether their data differs; a difference is a warning', async () => {
  const { reports, metrics, lines } = intakeSetUp();
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
  const warnings = lines.filter(({ level }) => level === 'warn');
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

it('the outcome of an enriched event names what is missing, and nothing that was fetched', async () => {
  const { reports, lines, metrics } = deliverySetUp('debug');
  const missing = { customer: true, bill: false, dueIn: 60_000 };
  const delivered = settled('r1', { state: 'delivered' });
  const waits = settled('r2', { state: 'pending', dueIn: 1_000, failedAttempts: 0, ownFaultCount: 0 });
  reports.eventsSettled([
    { ...delivered, settlement: { ...delivered.settlement, enrichment: { entities: 'Ann', missing } } },
    waits,
  ]);
  expect(lines[0]).toMatchObject({ receipt: 'r1', missing });
  expect(JSON.stringify(lines)).not.toContain('Ann');
  expect(await metrics.registry.metrics()).not.toContain('relay_retried_total{destination="acme-aep"} 1');
});
