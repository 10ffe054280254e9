import { createHash } from 'node:crypto';
import type {
  Attempt,
  ClaimedEvent,
  ClaimRequest,
  Journal,
  NewEvent,
  NewMalformed,
  NewQuarantined,
  Settlement,
} from '../../src/journal/journal.ts';

/** A fixed time, so that these tests do not depend on the clock. */
export const T0 = Date.UTC(2026, 7, 1, 12);
export const DAY = 86_400_000;

let created = 0;

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** An event different from all earlier ones, except for the overridden fields. */
export function sampleEvent(overrides: Partial<NewEvent> = {}): NewEvent {
  created += 1;
  return {
    source: 'acme',
    destination: 'aep',
    identity: sha256(`event ${created}`),
    orgId: 100_737,
    eventName: 'transactionAdded',
    eventId: `id-${created}`,
    createdAt: T0 - 5_000,
    receivedAt: T0,
    verifiedBy: 'header:x-relay-key',
    body: Buffer.from(`{"n":${created}}`),
    ...overrides,
  };
}

export function sampleMalformed(overrides: Partial<NewMalformed> = {}): NewMalformed {
  return {
    source: 'acme',
    destination: 'aep',
    receivedAt: T0,
    verifiedBy: 'header:x-relay-key',
    detail: 'no eventName',
    body: Buffer.from('{"name":"?"}'),
    ...overrides,
  };
}

export function sampleQuarantined(overrides: Partial<NewQuarantined> = {}): NewQuarantined {
  return {
    source: 'acme',
    receivedAt: T0,
    ip: '203.0.113.7',
    reasons: ['header-mismatch'],
    rawHeaders: ['Content-Type', 'application/json', 'X-Relay-Key', 'old'],
    body: Buffer.from('{"eventName":"transactionAdded"}'),
    ...overrides,
  };
}

export function sampleAttempt(overrides: Partial<Attempt> = {}): Attempt {
  return {
    at: T0,
    kind: 'event',
    outcome: 'retry',
    status: 503,
    detail: 'the inlet is down',
    durationMs: 12,
    batchSize: 3,
    ...overrides,
  };
}

/**
 * Appends events one after the other.
 * @returns their receipts
 */
export async function appendAll(journal: Journal, events: readonly NewEvent[]): Promise<string[]> {
  const receipts: string[] = [];
  for (const event of events) receipts.push((await journal.append(event)).receipt);
  return receipts;
}

export function claimRequest(overrides: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    destination: 'aep',
    sources: ['acme'],
    limit: 1_000,
    replays: 1_000,
    maxBytes: 1_000_000_000,
    now: T0,
    ...overrides,
  };
}

export async function claimEvents(
  journal: Journal,
  overrides: Partial<ClaimRequest> = {},
): Promise<readonly ClaimedEvent[]> {
  return (await journal.claim(claimRequest(overrides))).events;
}

export async function claimReceipts(
  journal: Journal,
  overrides: Partial<ClaimRequest> = {},
): Promise<string[]> {
  return (await claimEvents(journal, overrides)).map((event) => event.receipt);
}

function common(receipt: string) {
  return { receipt, now: T0 + 1_000, attempts: [], delivered: [] };
}

/** Minimal settlements of one receipt. */
export const settled = {
  delivered: (receipt: string): Settlement => ({
    ...common(receipt),
    delivered: ['event'],
    state: 'delivered',
  }),
  ignored: (receipt: string): Settlement => ({ ...common(receipt), state: 'ignored', reason: 'unmapped' }),
  dead: (receipt: string): Settlement => ({
    ...common(receipt),
    state: 'dead',
    reason: 'rejected',
    detail: 'the schema says no',
    sent: [{ kind: 'event', json: '{"sent":true}' }],
  }),
  waiting: (receipt: string, dueAt: number): Settlement => ({
    ...common(receipt),
    state: 'pending',
    dueAt,
    failedAttempts: 1,
    ownFaultCount: 0,
  }),
};

/** Appends an event and settles it. */
export async function appendSettled(
  journal: Journal,
  event: NewEvent,
  settle: (receipt: string) => Settlement,
): Promise<string> {
  const { receipt } = await journal.append(event);
  await journal.settle(settle(receipt));
  return receipt;
}
