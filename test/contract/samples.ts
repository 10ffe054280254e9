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

/** A fixed time, so that nothing in these tests depends on the clock. */
export const T0 = Date.UTC(2026, 7, 1, 12);
export const DAY = 86_400_000;

let made = 0;

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** An event unlike any before it, but for what is given. */
export const sampleEvent = (given: Partial<NewEvent> = {}): NewEvent => {
  made += 1;
  return {
    source: 'acme',
    destination: 'aep',
    identity: sha256(`event ${made}`),
    orgId: 100_737,
    eventName: 'transactionAdded',
    eventId: `id-${made}`,
    createdAt: T0 - 5_000,
    receivedAt: T0,
    verifiedBy: 'header:x-relay-key',
    body: Buffer.from(`{"n":${made}}`),
    ...given,
  };
};

export const sampleMalformed = (given: Partial<NewMalformed> = {}): NewMalformed => ({
  source: 'acme',
  destination: 'aep',
  receivedAt: T0,
  verifiedBy: 'header:x-relay-key',
  detail: 'no eventName',
  body: Buffer.from('{"name":"?"}'),
  ...given,
});

export const sampleQuarantined = (given: Partial<NewQuarantined> = {}): NewQuarantined => ({
  source: 'acme',
  receivedAt: T0,
  ip: '203.0.113.7',
  reasons: ['header-mismatch'],
  rawHeaders: ['Content-Type', 'application/json', 'X-Relay-Key', 'old'],
  body: Buffer.from('{"eventName":"transactionAdded"}'),
  ...given,
});

export const sampleAttempt = (given: Partial<Attempt> = {}): Attempt => ({
  at: T0,
  kind: 'event',
  outcome: 'retry',
  status: 503,
  detail: 'the inlet is down',
  durationMs: 12,
  batchSize: 3,
  ...given,
});

/** Appends events one after the other. @returns their receipts */
export const appendAll = async (journal: Journal, events: readonly NewEvent[]): Promise<string[]> => {
  const receipts: string[] = [];
  for (const event of events) receipts.push((await journal.append(event)).receipt);
  return receipts;
};

export const claimRequest = (given: Partial<ClaimRequest> = {}): ClaimRequest => ({
  destination: 'aep',
  sources: ['acme'],
  limit: 1_000,
  replays: 1_000,
  maxBytes: 1_000_000_000,
  now: T0,
  ...given,
});

export const claimEvents = async (
  journal: Journal,
  given: Partial<ClaimRequest> = {},
): Promise<readonly ClaimedEvent[]> => (await journal.claim(claimRequest(given))).events;

export const claimReceipts = async (journal: Journal, given: Partial<ClaimRequest> = {}): Promise<string[]> =>
  (await claimEvents(journal, given)).map((event) => event.receipt);

const common = (receipt: string) => ({ receipt, now: T0 + 1_000, attempts: [], delivered: [] });

/** Settlements of one receipt, each with what it needs and no more. */
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
    failures: 1,
    charged: 0,
  }),
};

/** Appends an event, claims everything and settles it: gives the event a past. */
export const appendSettled = async (
  journal: Journal,
  event: NewEvent,
  settle: (receipt: string) => Settlement,
): Promise<string> => {
  const { receipt } = await journal.append(event);
  await journal.settle(settle(receipt));
  return receipt;
};
