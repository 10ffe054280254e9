import { describe, expect, it } from 'vitest';
import type { MessageOutcome, OutgoingMessage } from '../../src/delivery/outcome.ts';
import { type BatchLimits, createBatcher } from '../../src/delivery/batcher.ts';
import type { Attempt } from '../../src/journal/journal.ts';
import type { Sender } from '../../src/delivery/sender.ts';
import { until } from '../helpers/until.ts';
import { createPace } from '../../src/delivery/pace.ts';

const attempt: Attempt = {
  request: { id: 'q1', at: 0, kind: 'event', durationMs: 1, batchSize: 1 },
  outcome: 'delivered',
};

function message(at: number, more: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    receipt: `r${at}`,
    kind: 'event',
    json: '{}',
    bytes: 100,
    isSuspect: false,
    source: 'acme',
    receivedAt: 0,
    ageMs: 0,
    isExpired: false,
    ...more,
  };
}

function paceOf(concurrency: number) {
  return createPace({ requestsPerSecond: 1_000, messagesPerSecond: 10_000, concurrency });
}

/** A batcher whose requests finish when the test says so. */
function setUp(limits: Partial<BatchLimits> = {}, pace = paceOf(8), send?: Sender) {
  const sent: { batch: readonly OutgoingMessage[]; finish: () => void }[] = [];
  let onSent = () => {};
  /** The outcomes that the batcher reports, call by call. */
  const reported: (readonly [receipt: string, MessageOutcome['kind']])[][] = [];
  const ended = new Map<string, (outcome: MessageOutcome) => void>();
  const batcher = createBatcher<string>({
    limits: { maxBytes: 10_000, maxMessages: 3, maxWait: 20, ...limits },
    pace,
    signal: new AbortController().signal,
    onOutcomes: (messages, outcomes) => {
      reported.push(messages.map(({ owner }, position) => [owner, outcomes[position]!.kind]));
      for (const [position, { owner }] of messages.entries()) ended.get(owner)?.(outcomes[position]!);
    },
    send:
      send ??
      ((batch) =>
        new Promise<MessageOutcome[]>((resolve) => {
          sent.push({ batch, finish: () => resolve(batch.map(() => ({ kind: 'delivered', attempt }))) });
          onSent();
        })),
  });
  const submit = (one: OutgoingMessage, maxBatchSize: number): Promise<MessageOutcome> => {
    const outcome = new Promise<MessageOutcome>((resolve) => ended.set(one.receipt, resolve));
    batcher.submit(one, maxBatchSize, one.receipt);
    return outcome;
  };
  const untilSent = async (count: number): Promise<void> => {
    while (sent.length < count) await new Promise<void>((resolve) => (onSent = resolve));
  };
  const receipts = () => sent.map(({ batch }) => batch.map((one) => one.receipt));
  return { batcher, submit, reported, sent, untilSent, receipts };
}

describe('collecting messages into batches', () => {
  it('sends a full batch at once and the rest after maxWait', async () => {
    const { submit, untilSent, receipts } = setUp();
    for (let at = 0; at < 4; at += 1) void submit(message(at), 3);
    expect(receipts()).toEqual([['r0', 'r1', 'r2']]);
    await untilSent(2);
    expect(receipts()[1]).toEqual(['r3']);
  });

  it('sends a message that has waited long enough in the journal at once, and the others with it', async () => {
    const { submit, untilSent, receipts } = setUp({ maxWait: 60_000 });
    void submit(message(0), 3);
    void submit(message(1, { ageMs: 60_000 }), 3);
    await untilSent(1);
    expect(receipts()).toEqual([['r0', 'r1']]);
  });

  it('keeps each request below maxBytes; a larger message is sent alone', async () => {
    const { submit, untilSent, sent } = setUp({ maxMessages: 100, maxBytes: 350 });
    for (const [at, bytes] of [100, 100, 100, 100, 900, 100].entries())
      void submit(message(at, { bytes }), 100);
    await untilSent(4);
    expect(sent.map(({ batch }) => batch.map((one) => one.bytes))).toEqual([
      [100, 100, 100],
      [100],
      [900],
      [100],
    ]);
  });

  it('never mixes events with profiles, or suspects with others', async () => {
    const { submit, untilSent, receipts } = setUp();
    void submit(message(0), 3);
    void submit(message(1, { kind: 'profile' }), 3);
    void submit(message(2, { isSuspect: true }), 3);
    void submit(message(3, { kind: 'profile', isSuspect: true }), 3);
    await untilSent(4);
    expect(receipts()).toEqual([['r0'], ['r1'], ['r2'], ['r3']]);
  });

  it('respects the batch size that a suspect allows', async () => {
    const { submit, untilSent, receipts } = setUp({ maxMessages: 10 });
    for (const [at, maxBatchSize] of [4, 2, 10, 1, 10].entries())
      void submit(message(at, { isSuspect: true }), maxBatchSize);
    await untilSent(4);
    expect(receipts()).toEqual([['r0', 'r1'], ['r2'], ['r3'], ['r4']]);
  });

  it('fills batches while no slot is free', async () => {
    const { submit, sent, untilSent, receipts } = setUp({ maxWait: 0 }, paceOf(1));
    const first = submit(message(0), 3);
    for (let at = 1; at < 4; at += 1) void submit(message(at), 3);
    expect(receipts()).toEqual([['r0']]);
    sent[0]!.finish();
    await first;
    await untilSent(2);
    expect(receipts()[1]).toEqual(['r1', 'r2', 'r3']);
  });

  it.each([
    ['a request of another batcher ends', false],
    ['the limit is raised', true],
  ])('sends what waits for a slot when %s', async (_when, isRaised) => {
    const pace = paceOf(1);
    const other = setUp({ maxWait: 0 }, pace);
    const { submit, untilSent, receipts } = setUp({ maxWait: 0 }, pace);
    void other.submit(message(0), 3);
    void submit(message(1), 3);
    expect(receipts()).toEqual([]);
    if (isRaised) pace.setLimits({ requestsPerSecond: 9, messagesPerSecond: 99, concurrency: 2 });
    else other.sent[0]!.finish();
    await untilSent(1);
    expect(receipts()).toEqual([['r1']]);
  });

  it('releases what is not in a request', async () => {
    const { batcher, submit, reported } = setUp({ maxWait: 60_000 });
    const waiting = submit(message(0), 3);
    void submit(message(1), 3);
    batcher.releaseWaiting('stopping');
    expect(await waiting).toEqual({ kind: 'held', detail: 'stopping' });
    expect(reported).toEqual([
      [
        ['r0', 'held'],
        ['r1', 'held'],
      ],
    ]);
    expect(batcher.waiting).toBe(0);
  });

  it('reports the outcomes of a request at once; one that depends on other requests follows', async () => {
    const decided = Promise.withResolvers<MessageOutcome>();
    const outcomes = [
      { kind: 'delivered', attempt },
      decided.promise,
      { kind: 'delivered', attempt },
    ] as const;
    const { submit, reported } = setUp({}, paceOf(8), () => Promise.resolve([...outcomes]));
    const late = [0, 1, 2].map((at) => submit(message(at), 3))[1];
    await until(() => reported.length === 1);
    decided.resolve({ kind: 'held', detail: 'paused' });
    await late;
    expect(reported).toEqual([
      [
        ['r0', 'delivered'],
        ['r2', 'delivered'],
      ],
      [['r1', 'held']],
    ]);
  });
});
