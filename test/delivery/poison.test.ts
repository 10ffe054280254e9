import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isolateCulprit } from '../../src/delivery/poison.ts';
import type { Attempt } from '../../src/journal/journal.ts';
import type { MessageOutcome, OutgoingMessage } from '../../src/delivery/outcome.ts';

const attempt: Attempt = {
  request: { id: 'q1', at: 0, kind: 'event', durationMs: 1, batchSize: 1 },
  outcome: 'x',
};
const delivered: MessageOutcome = { kind: 'delivered', attempt };
const failed: MessageOutcome = { kind: 'retry', isOwnFault: false, detail: '500', jitter: 0, attempt };

const rejected: MessageOutcome = { kind: 'rejected', reason: 'rejected', detail: '400', attempt };
const held: MessageOutcome = { kind: 'held', detail: 'closed' };
function allOf(batch: readonly OutgoingMessage[], outcome: MessageOutcome) {
  return batch.map(() => outcome);
}

function messages(count: number): OutgoingMessage[] {
  return Array.from({ length: count }, (_, at) => ({
    receipt: `r${at}`,
    kind: 'event',
    json: '{}',
    bytes: 2,
    isSuspect: true,
    source: 'acme',
    receivedAt: 0,
    ageMs: 0,
    isExpired: false,
  }));
}

/** An inlet that fails every request with a poison message, with another outcome if it is alone. */
function inlet(poison: ReadonlySet<string>, alone: MessageOutcome = failed) {
  const sizes: number[] = [];
  const send = async (batch: readonly OutgoingMessage[]): Promise<MessageOutcome[]> => {
    sizes.push(batch.length);
    const bad = batch.some((message) => poison.has(message.receipt));
    if (!bad) return batch.map(() => delivered);
    return batch.map(() => (batch.length === 1 ? alone : failed));
  };
  return { send, sizes };
}

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
        const found = await isolateCulprit(batch, allOf(batch, failed), send);
        expect(found.culprit?.receipt).toBe(culprit);
        const undelivered = batch.filter((_, position) => found.outcomes[position]?.kind !== 'delivered');
        expect(undelivered).toEqual([found.culprit]);
        // One per halving, and one for the good messages that the halvings left out.
        expect(sizes.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count)) + 1);
      }),
    );
  });

  it('has an outcome for every message, in order, however many are poison', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 2, maxLength: 60 }), async (bad) => {
        const batch = messages(bad.length);
        const { send } = inlet(new Set(bad.flatMap((is, at) => (is ? [`r${at}`] : []))));
        const { outcomes } = await isolateCulprit(batch, allOf(batch, failed), send);
        expect(outcomes).toHaveLength(bad.length);
        expect(outcomes.filter((outcome, at) => bad[at] && outcome.kind !== 'retry')).toEqual([]);
      }),
    );
  });

  it('finds no culprit if the destination closes during the search', async () => {
    const batch = messages(8);
    let requests = 0;
    const send = async (part: readonly OutgoingMessage[]): Promise<MessageOutcome[]> => {
      requests += 1;
      return part.map(() => (requests === 1 ? failed : held));
    };
    const found = await isolateCulprit(batch, allOf(batch, failed), send);
    expect(found.culprit).toBeUndefined();
    expect(requests).toBe(2);
    const kinds = found.outcomes.map(({ kind }) => kind).join(' ');
    expect(kinds).toBe('held held retry retry retry retry retry retry');
  });
});
