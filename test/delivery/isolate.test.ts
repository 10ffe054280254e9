import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isolate } from '../../src/delivery/isolate.ts';
import type { MessageOutcome, OutMessage } from '../../src/delivery/message.ts';

const attempt = { at: 0, kind: 'event', outcome: 'x', durationMs: 1, batchSize: 1 } as const;
const delivered: MessageOutcome = { kind: 'delivered', attempt };
const failed: MessageOutcome = { kind: 'retry', charged: false, detail: '500', jitter: 0, attempt };

const rejected: MessageOutcome = { kind: 'rejected', reason: 'rejected', detail: '400', attempt };
const held: MessageOutcome = { kind: 'held', detail: 'closed' };
const allOf = (batch: readonly OutMessage[], outcome: MessageOutcome) => batch.map(() => outcome);

const messages = (count: number): OutMessage[] =>
  Array.from({ length: count }, (_, at) => ({
    receipt: `r${at}`,
    kind: 'event',
    json: '{}',
    bytes: 2,
    suspect: true,
    age: 0,
    expired: false,
  }));

/** An inlet that fails every request holding one of the poisoned, or refuses it when it is alone. */
const inlet = (poison: ReadonlySet<string>, alone: MessageOutcome = failed) => {
  const sizes: number[] = [];
  const send = async (batch: readonly OutMessage[]): Promise<MessageOutcome[]> => {
    sizes.push(batch.length);
    const bad = batch.some((message) => poison.has(message.receipt));
    if (!bad) return batch.map(() => delivered);
    return batch.map(() => (batch.length === 1 ? alone : failed));
  };
  return { send, sizes };
};

describe('isolating the message that makes a batch fail', () => {
  it.each([
    ['fails', failed],
    ['is refused', rejected],
  ])('finds one that %s alone in log2(batch) requests, and delivers the others', async (_how, alone) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 300 }), fc.nat(), async (count, at) => {
        const batch = messages(count);
        const culprit = `r${at % count}`;
        const { send, sizes } = inlet(new Set([culprit]), alone);
        const found = await isolate(batch, allOf(batch, failed), send);
        expect(found.culprit?.receipt).toBe(culprit);
        const undelivered = batch.filter((_, position) => found.outcomes[position]?.kind !== 'delivered');
        expect(undelivered).toEqual([found.culprit]);
        // One per halving; and one for the good ones that the halvings left out.
        expect(sizes.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count)) + 1);
      }),
    );
  });

  it('answers for every message, in order, however many are poisoned', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 2, maxLength: 60 }), async (bad) => {
        const batch = messages(bad.length);
        const { send } = inlet(new Set(bad.flatMap((is, at) => (is ? [`r${at}`] : []))));
        const { outcomes } = await isolate(batch, allOf(batch, failed), send);
        expect(outcomes).toHaveLength(bad.length);
        expect(outcomes.filter((outcome, at) => bad[at] && outcome.kind !== 'retry')).toEqual([]);
      }),
    );
  });

  it('accuses nobody when the destination closes in the middle', async () => {
    const batch = messages(8);
    let requests = 0;
    const send = async (part: readonly OutMessage[]): Promise<MessageOutcome[]> => {
      requests += 1;
      return part.map(() => (requests === 1 ? failed : held));
    };
    const found = await isolate(batch, allOf(batch, failed), send);
    expect(found.culprit).toBeUndefined();
    expect(requests).toBe(2);
    const kinds = found.outcomes.map(({ kind }) => kind).join(' ');
    expect(kinds).toBe('held held retry retry retry retry retry retry');
  });
});
