import { packEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import { describe, expect, it } from 'vitest';
import type { Settlement } from '../../src/journal/journal.ts';
import type { AnswerOf } from '../../src/journal/sqlite/engine/calls.ts';
import type { Channel } from '../../src/journal/sqlite/thread/channel.ts';
import { needsRoom } from '../../src/journal/room-maker.ts';
import { claimLimits, DAY, sampleAttempt, sampleEvent, settled, T0 } from '../contract/samples.ts';
import { journalFolder, openChannel } from './journal-folder.ts';

const CLAIMANT = { id: 'the only one', destination: 'aep' };
const MIN_IDS = 7 * DAY;
const NEVER = { delivered: 1_000 * DAY, ids: 1_000 * DAY, dead: 1_000 * DAY };

/** A storage thread at a fixed time that the test sets. */
async function openRig() {
  const clock = new Float64Array(new SharedArrayBuffer(8));
  clock[0] = T0;
  const channel = await openChannel(await journalFolder(), { clock });
  const settle = async (count: number, settlement: (receipt: string) => Settlement) => {
    const limits = claimLimits({ events: count });
    const { token, events } = await channel.call('claim', { claimant: CLAIMANT, limits });
    await channel.call('settle', { token, settlements: events.map(({ receipt }) => settlement(receipt)) });
    return events.map(({ receipt }) => receipt);
  };
  return {
    channel,
    setTime: (ms: number) => void (clock[0] = ms),
    append: async (count: number, at = T0) =>
      (
        await channel.call(
          'append',
          packEvents(Array.from({ length: count }, () => sampleEvent({ receivedAt: at }))),
        )
      ).map(({ receipt }) => receipt),
    settle,
    hasBody: async (receipt: string) => (await channel.call('find', receipt))?.body !== undefined,
  };
}

/** Steps until there is nothing more to remove. */
async function makeAllRoom(channel: Channel, minIds = MIN_IDS) {
  const sum = { bodies: 0, records: 0 };
  let step: AnswerOf<'makeRoom'> | undefined;
  do {
    step = await channel.call('makeRoom', { minIds });
    sum.bodies += step.bodies;
    sum.records += step.records;
  } while (step.more);
  return sum;
}

describe('making room', () => {
  it('removes the bodies of what is settled, oldest first, and nothing that is owed', async () => {
    const { channel, append, settle, hasBody } = await openRig();
    const receipts = await append(900);
    const delivered = await settle(700, settled.delivered);
    const [dead] = await settle(1, settled.dead);
    const first = await channel.call('makeRoom', { minIds: MIN_IDS });
    expect(first).toEqual({ bodies: 300, records: 0, more: true });
    expect(await hasBody(delivered[299]!)).toBe(false);
    expect(await hasBody(delivered[300]!)).toBe(true);
    expect((await makeAllRoom(channel)).bodies).toBe(400);
    for (const receipt of [dead!, ...receipts.slice(701)]) expect(await hasBody(receipt)).toBe(true);
    expect(await channel.call('count', { filter: { hasBody: true }, step: { span: 10_000 } })).toMatchObject({
      count: 200,
    });
  });

  it('removes nothing twice, and continues with what is settled later', async () => {
    const { channel, append, settle } = await openRig();
    await append(10);
    await settle(4, settled.delivered);
    expect((await makeAllRoom(channel)).bodies).toBe(4);
    expect(await makeAllRoom(channel)).toEqual({ bodies: 0, records: 0 });
    await settle(6, settled.ignored);
    expect((await makeAllRoom(channel)).bodies).toBe(6);
  });

  it('finds what was settled behind it', async () => {
    const { channel, append, settle, hasBody } = await openRig();
    const [first] = await append(3);
    const { token } = await channel.call('claim', { claimant: CLAIMANT, limits: claimLimits({ events: 1 }) });
    await settle(2, settled.delivered);
    expect((await makeAllRoom(channel)).bodies).toBe(2);
    await channel.call('settle', { token, settlements: [settled.delivered(first!)] });
    expect(await hasBody(first!)).toBe(true);
    expect((await makeAllRoom(channel)).bodies).toBe(1);
    expect(await hasBody(first!)).toBe(false);
  });

  it('finds what is settled between two steps in front of the second one', async () => {
    const { channel, append, settle, hasBody } = await openRig();
    const receipts = await append(4_200);
    const limits = claimLimits({ events: 4_150 });
    const { token } = await channel.call('claim', { claimant: CLAIMANT, limits });
    await settle(50, settled.delivered);
    expect(await channel.call('makeRoom', { minIds: MIN_IDS })).toMatchObject({ bodies: 0, more: true });
    const first = receipts.slice(0, 10);
    await channel.call('settle', { token, settlements: first.map(settled.delivered) });
    expect((await makeAllRoom(channel)).bodies).toBe(60);
    expect(await hasBody(receipts[0]!)).toBe(false);
    expect(await hasBody(receipts[10]!)).toBe(true);
    await channel.call('settle', { token, settlements: receipts.slice(10, 4_150).map(settled.delivered) });
    expect((await makeAllRoom(channel)).bodies).toBe(4_140);
  });

  it('then removes records that are not repeated any more, then details of the others', async () => {
    const { channel, append, settle, setTime } = await openRig();
    const [old] = await append(1);
    await settle(1, settled.delivered);
    setTime(T0 + MIN_IDS);
    const event = sampleEvent({ receivedAt: T0 + 1, lane: 'c1', customerId: '4245' });
    const [first] = await channel.call('append', packEvents([event]));
    const { receipt } = first!;
    await settle(1, (of) => ({
      ...settled.delivered(of),
      state: 'delivered',
      attempts: [sampleAttempt()],
      notes: [{ path: 'data.a', code: 'too-long' }],
    }));
    expect(await makeAllRoom(channel)).toEqual({ bodies: 2, records: 2 });
    expect(await channel.call('find', old!)).toBeUndefined();
    const record = await channel.call('find', receipt);
    expect(record).toMatchObject({ attempts: [], notes: [], event: { state: 'delivered', receipt } });
    expect(record?.event).toMatchObject({ customerId: undefined, lane: undefined, eventId: undefined });
    expect(await channel.call('append', packEvents([event]))).toMatchObject([{ receipt, duplicate: true }]);
    expect(await channel.call('ledger', undefined)).toMatchObject({ acme: { accepted: 2, delivered: 2 } });
  });

  it('leaves a replay of what it has emptied without an effect', async () => {
    const { channel, append, settle } = await openRig();
    await append(2);
    await settle(2, settled.delivered);
    await makeAllRoom(channel);
    const request = { filter: {}, asNew: false, by: 'olga' };
    expect(await channel.call('replay', request)).toMatchObject({ replayed: 0 });
  });

  it('leaves what retention removes by its age as it is', async () => {
    const { channel, append, settle, setTime } = await openRig();
    await append(3);
    await settle(3, settled.delivered);
    await makeAllRoom(channel);
    expect(await channel.call('retain', NEVER)).toMatchObject({ removed: 0 });
    setTime(T0 + 8 * DAY);
    expect(await channel.call('retain', { ...NEVER, delivered: DAY, ids: 8 * DAY })).toMatchObject({
      removed: 3,
    });
    expect(await channel.call('count', { filter: {}, step: { span: 10_000 } })).toMatchObject({ count: 0 });
  });
});

const MiB = 1_048_576;

describe('the need for room', () => {
  const policy = { maxBytes: 48 * MiB, minFree: 32 * MiB };

  it.each([
    [{ usedBytes: 44 * MiB, freeBytes: 40 * MiB }, false],
    [{ usedBytes: 45 * MiB, freeBytes: 40 * MiB }, true],
    [{ usedBytes: 1 * MiB, freeBytes: 33 * MiB }, true],
    [{ usedBytes: 1 * MiB, freeBytes: 34 * MiB }, false],
  ])('of %j is %s', (sizes, needed) => {
    expect(needsRoom(sizes, policy)).toBe(needed);
  });
});
