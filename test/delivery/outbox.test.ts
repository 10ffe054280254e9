import { describe, expect, it } from 'vitest';
import type { MessageOutcome, OutMessage } from '../../src/delivery/message.ts';
import { type BatchLimits, createOutbox } from '../../src/delivery/outbox.ts';
import { createPace } from '../../src/delivery/pace.ts';

const attempt = { at: 0, kind: 'event', outcome: 'delivered', durationMs: 1, batchSize: 1 } as const;

const message = (at: number, more: Partial<OutMessage> = {}): OutMessage => ({
  receipt: `r${at}`,
  kind: 'event',
  json: '{}',
  bytes: 100,
  suspect: false,
  age: 0,
  expired: false,
  ...more,
});

/** An outbox whose sends end when the test says so. */
const setUp = (limits: Partial<BatchLimits> = {}, concurrency = 8) => {
  const sent: { batch: readonly OutMessage[]; finish: () => void }[] = [];
  let noticed = () => {};
  const outbox = createOutbox({
    limits: { maxBytes: 10_000, maxMessages: 3, maxWait: 20, ...limits },
    pace: createPace({ requestsPerSecond: 1_000, messagesPerSecond: 10_000, concurrency }),
    signal: new AbortController().signal,
    send: (batch) =>
      new Promise<MessageOutcome[]>((resolve) => {
        sent.push({ batch, finish: () => resolve(batch.map(() => ({ kind: 'delivered', attempt }))) });
        noticed();
      }),
  });
  const untilSent = async (count: number): Promise<void> => {
    while (sent.length < count) await new Promise<void>((resolve) => (noticed = resolve));
  };
  const receipts = () => sent.map(({ batch }) => batch.map((one) => one.receipt));
  return { outbox, sent, untilSent, receipts };
};

describe('collecting messages into batches', () => {
  it('sends a full batch at once and the rest after maxWait', async () => {
    const { outbox, untilSent, receipts } = setUp();
    for (let at = 0; at < 4; at += 1) void outbox.submit(message(at), 3);
    expect(receipts()).toEqual([['r0', 'r1', 'r2']]);
    await untilSent(2);
    expect(receipts()[1]).toEqual(['r3']);
  });

  it('does not let a message wait that has waited long enough in the journal, and sends the others with it', async () => {
    const { outbox, untilSent, receipts } = setUp({ maxWait: 60_000 });
    void outbox.submit(message(0), 3);
    void outbox.submit(message(1, { age: 60_000 }), 3);
    await untilSent(1);
    expect(receipts()).toEqual([['r0', 'r1']]);
  });

  it('keeps each request below maxBytes; a larger message goes alone', async () => {
    const { outbox, untilSent, sent } = setUp({ maxMessages: 100, maxBytes: 350 });
    for (const [at, bytes] of [100, 100, 100, 100, 900, 100].entries())
      void outbox.submit(message(at, { bytes }), 100);
    await untilSent(4);
    expect(sent.map(({ batch }) => batch.map((one) => one.bytes))).toEqual([
      [100, 100, 100],
      [100],
      [900],
      [100],
    ]);
  });

  it('never mixes events with profiles, nor suspects with others', async () => {
    const { outbox, untilSent, receipts } = setUp();
    void outbox.submit(message(0), 3);
    void outbox.submit(message(1, { kind: 'profile' }), 3);
    void outbox.submit(message(2, { suspect: true }), 3);
    void outbox.submit(message(3, { kind: 'profile', suspect: true }), 3);
    await untilSent(4);
    expect(receipts()).toEqual([['r0'], ['r1'], ['r2'], ['r3']]);
  });

  it('keeps to the room that a suspect leaves', async () => {
    const { outbox, untilSent, receipts } = setUp({ maxMessages: 10 });
    for (const [at, room] of [4, 2, 10, 1, 10].entries())
      void outbox.submit(message(at, { suspect: true }), room);
    await untilSent(4);
    expect(receipts()).toEqual([['r0', 'r1'], ['r2'], ['r3'], ['r4']]);
  });

  it('fills batches while all slots are taken', async () => {
    const { outbox, sent, untilSent, receipts } = setUp({ maxWait: 0 }, 1);
    const first = outbox.submit(message(0), 3);
    for (let at = 1; at < 4; at += 1) void outbox.submit(message(at), 3);
    expect(receipts()).toEqual([['r0']]);
    sent[0]!.finish();
    await first;
    await untilSent(2);
    expect(receipts()[1]).toEqual(['r1', 'r2', 'r3']);
  });

  it('gives back what is not on its way', async () => {
    const { outbox } = setUp({ maxWait: 60_000 });
    const waiting = outbox.submit(message(0), 3);
    outbox.drain('stopping');
    expect(await waiting).toEqual({ kind: 'held', detail: 'stopping' });
    expect(outbox.waiting).toBe(0);
  });
});
