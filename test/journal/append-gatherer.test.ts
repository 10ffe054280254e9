import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Appended, RefusedError } from '../../src/journal/journal.ts';
import { type PackedEvents, unpackEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import { createAppendGatherer } from '../../src/journal/sqlite/thread/append-gatherer.ts';
import { until } from '../helpers/until.ts';
import { sampleEvent } from '../contract/samples.ts';

/** A storage thread that answers when it is told to. */
function createThread() {
  const calls: { packed: PackedEvents; answer: () => void; fail: (error: Error) => void }[] = [];
  const gather = createAppendGatherer(
    (packed) =>
      new Promise<readonly Appended[]>((resolve, reject) => {
        const answers = packed.heads.map((head) => ({
          receipt: (JSON.parse(head) as { eventId: string }).eventId,
          duplicate: false,
        }));
        calls.push({ packed, answer: () => resolve(answers), fail: reject });
      }),
  );
  const append = (...eventIds: string[]) => gather(eventIds.map((eventId) => sampleEvent({ eventId })));
  const sizes = () => calls.map(({ packed }) => packed.heads.length);
  return { calls, gather, append, sizes };
}

describe('gathering appends', () => {
  it('lets one that comes alone wait for nobody', async () => {
    const { calls, append, sizes } = createThread();
    const appended = append('a');
    await nextTurn();
    expect(sizes()).toEqual([1]);
    calls[0]?.answer();
    expect(await appended).toEqual([{ receipt: 'a', duplicate: false }]);
  });

  it('sends many together, and answers each call with its own', async () => {
    const { calls, append, sizes } = createThread();
    const early = ['a', 'b', 'c', 'd'].map((id) => append(id));
    await nextTurn();
    const late = [append('e'), append('f', 'g')];
    await nextTurn();
    expect(sizes()).toEqual([4]);
    await until(() => calls.length === 2);
    expect(sizes()).toEqual([4, 3]);
    for (const { answer } of calls) answer();
    const receipts = (await Promise.all([...early, ...late])).map((all) => all.map(({ receipt }) => receipt));
    expect(receipts).toEqual([['a'], ['b'], ['c'], ['d'], ['e'], ['f', 'g']]);
  });

  it('sends at once what is enough, and what has come when an earlier call is answered', async () => {
    const { calls, append, sizes } = createThread();
    const all = Array.from({ length: 38 }, (_, n) => append(`${n}`));
    // No timer has run yet.
    expect(sizes()).toEqual([32]);
    calls[0]?.answer();
    await Promise.all(all.slice(0, 32));
    expect(sizes()).toEqual([32, 6]);
    calls[1]?.answer();
    await Promise.all(all);
  });

  it('copies a body when it is called', async () => {
    const { calls, gather } = createThread();
    const body = Buffer.from('before');
    const appended = gather([sampleEvent({ eventId: 'a', body })]);
    body.write('after!');
    await nextTurn();
    const [{ body: sent } = { body: undefined }] = unpackEvents(calls[0]!.packed);
    expect(Buffer.from(sent!).toString()).toBe('before');
    calls[0]?.answer();
    await appended;
  });

  it('refuses an invalid event before it is gathered, and fails all that a failed call had', async () => {
    const { calls, gather, append } = createThread();
    const good = append('a');
    await expect(gather([sampleEvent(), sampleEvent({ identity: 'x' })])).rejects.toBeInstanceOf(
      RefusedError,
    );
    const other = append('b');
    await nextTurn();
    expect(calls.map(({ packed }) => packed.heads.length)).toEqual([2]);
    calls[0]?.fail(new Error('disk full'));
    await expect(good).rejects.toThrow('disk full');
    await expect(other).rejects.toThrow('disk full');
  });
});
