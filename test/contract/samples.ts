import { createHash } from 'node:crypto';
import type {
  Appended,
  Attempt,
  Claim,
  Claimant,
  ClaimedEvent,
  ClaimLimits,
  InletRequest,
  Journal,
  NewEvent,
  NewMalformed,
  NewQuarantined,
  Settlement,
} from '../../src/journal/journal.ts';

/** The time of the engine's clock at the start of each test. */
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

export function sampleRequest(overrides: Partial<InletRequest> = {}): InletRequest {
  created += 1;
  return {
    id: `request ${created}`,
    at: T0,
    kind: 'event',
    status: 503,
    durationMs: 12,
    batchSize: 3,
    ...overrides,
  };
}

export function sampleAttempt(
  overrides: Partial<Attempt> = {},
  request: Partial<InletRequest> = {},
): Attempt {
  return { request: sampleRequest(request), outcome: 'retry', detail: 'the inlet is down', ...overrides };
}

/** Appends one event. */
export async function append(journal: Pick<Journal, 'append'>, event: NewEvent): Promise<Appended> {
  const [answer] = await journal.append([event]);
  return answer as Appended;
}

/**
 * Appends events in one call.
 * @returns their receipts
 */
export async function appendAll(
  journal: Pick<Journal, 'append'>,
  events: readonly NewEvent[],
): Promise<string[]> {
  return (await journal.append(events)).map(({ receipt }) => receipt);
}

const claimants = new WeakMap<object, Map<string, Claimant>>();

/** The only claimant of these helpers at a destination of an open journal. */
export function claimantOf(journal: object, destination = 'aep'): Claimant {
  const known = claimants.get(journal) ?? new Map<string, Claimant>();
  claimants.set(journal, known);
  const claimant = known.get(destination) ?? { id: `claimant ${(created += 1)}`, destination };
  known.set(destination, claimant);
  return claimant;
}

export function claimLimits(overrides: Partial<ClaimLimits> = {}): ClaimLimits {
  return { sources: ['acme'], events: 1_000, replays: 1_000, bytes: 1_000_000_000, ...overrides };
}

type ClaimOverrides = Partial<ClaimLimits> & { readonly destination?: string };

export function claim(
  journal: Pick<Journal, 'claim'>,
  { destination, ...limits }: ClaimOverrides = {},
): Promise<Claim> {
  return journal.claim(claimantOf(journal, destination), claimLimits(limits));
}

export async function claimEvents(
  journal: Pick<Journal, 'claim'>,
  overrides: ClaimOverrides = {},
): Promise<readonly ClaimedEvent[]> {
  return (await claim(journal, overrides)).events;
}

export async function claimReceipts(
  journal: Pick<Journal, 'claim'>,
  overrides: ClaimOverrides = {},
): Promise<string[]> {
  return (await claimEvents(journal, overrides)).map((event) => event.receipt);
}

/** The token of the claimant of these helpers. */
export async function tokenOf(journal: Pick<Journal, 'claim'>, destination = 'aep'): Promise<string> {
  return (await claim(journal, { destination, events: 0, replays: 0 })).token;
}

/** Releases events that these helpers have claimed. */
export async function release(
  journal: Pick<Journal, 'claim' | 'release'>,
  receipts: readonly string[],
  destination = 'aep',
): Promise<void> {
  await journal.release(await tokenOf(journal, destination), receipts);
}

/** Settles an event as it is: under the token of these helpers, whether they hold it or not. */
export async function settleHeld(
  journal: Pick<Journal, 'claim' | 'settle'>,
  settlement: Settlement,
  destination = 'aep',
): Promise<{ readonly stale: readonly string[] }> {
  return journal.settle(await tokenOf(journal, destination), [settlement]);
}

/**
 * Settles an event, which is claimed first unless it is held already. Other events that are claimed
 * with it are released.
 * @throws Error if the settlement is stale, for example because the event is not due
 */
export async function settleAs(journal: Journal, settlement: Settlement): Promise<void> {
  const event = (await journal.find(settlement.receipt))?.event;
  const isPending = event?.state === 'pending';
  const sources = isPending ? [event.source] : [];
  const { token, events } = await claim(journal, { destination: event?.destination ?? 'aep', sources });
  const others = events.map(({ receipt }) => receipt).filter((receipt) => receipt !== settlement.receipt);
  if (others.length > 0) await journal.release(token, others);
  const { stale } = await journal.settle(token, [settlement]);
  if (stale.length > 0) throw new Error(`the settlement of ${stale.join()} is stale`);
}

/** Minimal settlements of one receipt. */
export const settled = {
  delivered: (receipt: string): Settlement => ({
    receipt,
    attempts: [],
    delivered: ['event'],
    state: 'delivered',
  }),
  ignored: (receipt: string): Settlement => ({
    receipt,
    attempts: [],
    delivered: [],
    state: 'ignored',
    reason: 'unmapped',
  }),
  dead: (receipt: string): Settlement => ({
    receipt,
    attempts: [],
    delivered: [],
    state: 'dead',
    reason: 'rejected',
    detail: 'the schema says no',
    sent: [{ kind: 'event', json: '{"sent":true}' }],
  }),
  waiting: (receipt: string, dueIn: number): Settlement => ({
    receipt,
    attempts: [],
    delivered: [],
    state: 'pending',
    dueIn,
    failedAttempts: 1,
    ownFaultCount: 0,
  }),
};

/** Appends an event, which must become claimable at once, and settles it. */
export async function appendSettled(
  journal: Journal,
  event: NewEvent,
  settle: (receipt: string) => Settlement,
): Promise<string> {
  const { receipt } = await append(journal, event);
  await settleAs(journal, settle(receipt));
  return receipt;
}

/** Settles events of one source and destination finally, each as soon as it is claimable. */
export async function settleAll(
  journal: Journal,
  receipts: readonly string[],
  settle: (receipt: string) => Settlement,
  { destination, source }: Pick<NewEvent, 'destination' | 'source'> = sampleEvent(),
): Promise<void> {
  const left = new Set(receipts);
  while (left.size > 0) {
    const { token, events: claimed } = await claim(journal, { destination, sources: [source] });
    const due = claimed.map(({ receipt }) => receipt);
    const mine = new Set(due.filter((receipt) => left.delete(receipt)));
    if (mine.size === 0) throw new Error(`${left.size} events cannot be claimed`);
    await journal.release(
      token,
      due.filter((receipt) => !mine.has(receipt)),
    );
    await journal.settle(token, [...mine].map(settle));
  }
}

/**
 * Appends events of one source and destination in one call and settles them with final states.
 * @returns their receipts
 */
export async function appendAllSettled(
  journal: Journal,
  events: readonly NewEvent[],
  settle: (receipt: string) => Settlement,
): Promise<string[]> {
  const receipts = await appendAll(journal, events);
  await settleAll(journal, receipts, settle, events[0]);
  return receipts;
}
