import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isolate } from '../../src/delivery/isolate.ts';
import type { MessageOutcome, OutMessage } from '../../src/delivery/message.ts';

const attempt = { at: 0, kind: 'event', outcome: 'x', durationMs: 1, batchSize: 1 } as const;
const delivered: MessageOutcome = { kind: 'delivered', attempt };
const failed: MessageOutcome = { kind: 'retry', charged: false, detail: '500', jitter: 0, attempt };

const messages = (count: number): OutMessage[] =>
  Array.from({ length: count }, (_, at) => ({
    receipt: `r${at}`,
    kind: 'event',
    json: '{}',
    bytes: 2,
    suspect: true,
    expired: false,
  }));

/** An inlet that fails every request holding one of the poisoned. */
const inlet = (poison: ReadonlySet<string>) => {
  const sizes: number[] = [];
  const send = async (batch: readonly OutMessage[]): Promise<MessageOutcome[]> => {
    sizes.push(batch.length);
    const bad = batch.some((message) => poison.has(message.receipt));
    return batch.map(() => (bad ? failed : delivered));
  };
  return { send, sizes };
};

describe('isolating the message that makes a batch fail', () => {
  it('finds it in at most log2(batch) requests and a few, and delivers the others', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 300 }), fc.nat(), async (count, at) => {
        const culprit = `r${at % count}`;
        const { send, sizes } = inlet(new Set([culprit]));
        const outcomes = await isolate(messages(count), send);
        expect(outcomes.map((outcome) => outcome.kind)).toEqual(
          messages(count).map((message) => (message.receipt === culprit ? 'retry' : 'delivered')),
        );
        expect(sizes.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count)) + 2);
      }),
    );
  });

  it('answers for every message, in order, however many are poisoned', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 2, maxLength: 60 }), async (bad) => {
        const poison = new Set(bad.flatMap((is, at) => (is ? [`r${at}`] : [])));
        const { send } = inlet(poison);
        const outcomes = await isolate(messages(bad.length), send);
        expect(outcomes).toHaveLength(bad.length);
        expect(outcomes.filter((outcome, at) => bad[at] && outcome.kind !== 'retry')).toEqual([]);
      }),
    );
  });
});
