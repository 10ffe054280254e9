import { expect, it } from 'vitest';
import type { OutgoingMessage } from '../../src/delivery/outcome.ts';
import { inletAnswer, requestReport } from '../../src/delivery/request-report.ts';
import type { Verdict } from '../../src/delivery/verdict.ts';

function message(receipt: string, more: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    receipt,
    source: 'acme',
    kind: 'event',
    receivedAt: 1_000,
    json: '{}',
    bytes: 100,
    isSuspect: false,
    ageMs: 0,
    isExpired: false,
    ...more,
  };
}

const BATCH = [
  message('r1'),
  message('r2', { source: 'beta', receivedAt: 4_000, isSuspect: true }),
  message('r3', { receivedAt: 2_500 }),
];
const ANSWER = { kind: 'response', status: 207, body: '', durationMs: 12 } as const;

function reportOf(batch: readonly OutgoingMessage[], verdict: Verdict) {
  const sent = { destination: 'acme-aep', kind: 'event', endpoint: 'batch', batch } as const;
  return requestReport(sent, ANSWER, verdict, 5_000);
}

const ITEMS: Verdict = {
  kind: 'items',
  items: [
    { kind: 'unknown' },
    { kind: 'taken', xactionId: 'x-1' },
    { kind: 'failed', status: 400, message: 'bad', xactionId: 'x-2' },
  ],
};

it('counts the messages of a request by result, status, source and age', () => {
  expect(reportOf(BATCH, ITEMS)).toMatchObject({
    messages: 3,
    bytes: 300,
    outcome: 'mixed',
    detail: '400 bad',
    counts: { taken: 1, failed: 1, unknown: 1, foreign: 0 },
    failedStatuses: new Map([[400, 1]]),
    retries: 1,
    sources: new Map([
      ['acme', 2],
      ['beta', 1],
    ]),
    minAgeMs: 1_000,
    maxAgeMs: 4_000,
    xactionId: 'x-1',
    receipts: ['r1', 'r2', 'r3'],
    items: [
      { receipt: 'r1', outcome: 'unknown' },
      { receipt: 'r2', outcome: 'taken', xactionId: 'x-1' },
      { receipt: 'r3', outcome: 'failed', status: 400, xactionId: 'x-2' },
    ],
  });
});

it('a request that failed as a whole has no counts, and its outcome is the verdict', () => {
  const report = reportOf(BATCH, { kind: 'throttled', detail: '429 slow down' });
  expect(report).toMatchObject({ outcome: 'throttled', counts: undefined, items: [], maxAgeMs: 4_000 });
  // Without the status of the answer, which has a field of its own.
  expect(inletAnswer(report, 1)).toEqual({ at: 1, status: 207, text: 'slow down' });
});

it('a probe without messages has no ages', () => {
  const report = reportOf([], { kind: 'items', items: [] });
  expect(report).toMatchObject({ messages: 0, outcome: 'taken', minAgeMs: undefined, maxAgeMs: undefined });
});

it('an event that seems to be received later, because the clock was set back, has the age 0', () => {
  const batch = [message('r1', { receivedAt: 9_000 })];
  expect(reportOf(batch, { kind: 'items', items: [{ kind: 'taken' }] })).toMatchObject({
    minAgeMs: 0,
    maxAgeMs: 0,
  });
});

it('the last answer says how many messages were taken', () => {
  expect(inletAnswer(reportOf(BATCH, ITEMS), 1)).toEqual({
    at: 1,
    status: 207,
    text: '1 of 3 messages taken; 400 bad',
  });
});
