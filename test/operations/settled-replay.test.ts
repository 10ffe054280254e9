import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreError } from '../../src/journal/journal.ts';
import {
  previewSettledReplay,
  replaySettled,
  type SettledReplay,
  type SettledReplayParts,
} from '../../src/operations/settled-replay.ts';
import { appendSettled, sampleEvent, sampleMalformed, settleAs, settled, T0 } from '../contract/samples.ts';
import { type AdminRig, startAdminRig } from '../admin/admin-rig.ts';

const HOUR_MS = 3_600_000;

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig();
  rig.state.now = T0;
});
afterEach(() => rig.close());

function parts(journal: Partial<SettledReplayParts['journal']> = {}): SettledReplayParts {
  return { journal: { ...rig.journal, ...journal }, now: () => rig.state.now };
}
function request(more: Partial<SettledReplay> = {}): SettledReplay {
  return {
    filter: {},
    states: ['delivered', 'ignored', 'dead'],
    asNew: false,
    refetch: false,
    by: 'olga',
    ...more,
  };
}
/** Settles an event at a time of the store's clock. */
async function settledAt(
  ms: number,
  outcome: (receipt: string) => object = settled.delivered,
  more: object = {},
) {
  rig.state.now = ms;
  const receipt = await appendSettled(rig.journal, sampleEvent(more), outcome as typeof settled.delivered);
  rig.state.now = T0;
  return receipt;
}
async function stateOf(receipt: string) {
  return (await rig.journal.find(receipt))?.event.state;
}

describe('the preview of a replay', () => {
  it('counts what a replay would do, shows at most ten, and changes nothing', async () => {
    const receipts: string[] = [];
    for (let n = 0; n < 12; n += 1) receipts.push(await settledAt(T0));
    const preview = await previewSettledReplay(parts(), request({ states: ['delivered'] }));
    expect(preview).toMatchObject({ matched: 12, problems: [], dryRun: { eligible: 12 } });
    expect(preview.dryRun?.sample.map(({ receipt }) => receipt)).toEqual(receipts.toReversed().slice(0, 10));
    expect(await rig.journal.replays()).toEqual([]);
    expect(await rig.journal.count({ states: ['delivered'] })).toBe(12);
  });

  it('says that Profile knows delivered events, or counts them again as new', async () => {
    await settledAt(T0);
    await settledAt(T0, settled.ignored);
    await settledAt(T0, settled.dead);
    const codes = async (more: Partial<SettledReplay>) => {
      const { warnings } = await previewSettledReplay(parts(), request(more));
      return warnings.map(({ code, events }) => [code, events]);
    };
    expect(await codes({})).toEqual([
      ['known-id', 1],
      ['ignored-again', 1],
    ]);
    expect(await codes({ states: ['delivered'], asNew: true })).toEqual([['counted-again', 1]]);
    expect(await codes({ states: ['dead'] })).toEqual([]);
  });

  it('names events without a body', async () => {
    const kept = await settledAt(T0, settled.dead);
    const gone = await settledAt(T0, settled.dead);
    await rig.journal.discard({ receipts: [gone] }, 'olga');
    const preview = await previewSettledReplay(parts(), request());
    expect(preview).toMatchObject({
      matched: 2,
      dryRun: { eligible: 1, sample: [{ receipt: kept }] },
      problems: [{ receipt: gone, detail: expect.stringContaining('its body is gone') }],
    });
    expect(await previewSettledReplay(parts(), request({ filter: { receipts: [gone] } }))).toMatchObject({
      matched: 1,
      problems: [{ receipt: gone }],
      warnings: [],
      dryRun: { eligible: 0, sample: [] },
    });
  });
});

describe('a replay of settled events', () => {
  it('takes what was settled between two times, and nothing else', async () => {
    const before = await settledAt(T0 - 3 * HOUR_MS);
    const within = [await settledAt(T0 - 2 * HOUR_MS), await settledAt(T0 - HOUR_MS - 1)];
    const after = await settledAt(T0 - HOUR_MS);
    const filter = { settledSince: T0 - 2 * HOUR_MS, settledUntil: T0 - HOUR_MS };
    expect(await replaySettled(parts(), request({ filter, states: ['delivered'], asNew: true }))).toEqual({
      outcome: 'started',
      matched: 2,
      replayed: 2,
      done: true,
      replay: 1,
      problems: [],
    });
    expect(await Promise.all([before, ...within, after].map(stateOf))).toEqual([
      'delivered',
      'pending',
      'pending',
      'delivered',
    ]);
    expect((await rig.journal.find(within[0]!))?.event).toMatchObject({ idSuffix: '-r1', isReplay: true });
    expect(await rig.journal.replays()).toMatchObject([
      { by: 'olga', asNew: true, filter: { ...filter, states: ['delivered'] }, replayed: 2 },
    ]);
  });

  it('leaves events that are settled after the request', async () => {
    await settledAt(T0);
    const later = await settledAt(T0 + 1_000);
    expect(await replaySettled(parts(), request())).toMatchObject({ matched: 1, replayed: 1 });
    expect(await stateOf(later)).toBe('delivered');
  });

  it('says of each receipt why it was left', async () => {
    const dead = await settledAt(T0, settled.dead);
    const delivered = await settledAt(T0);
    const { receipt: malformed } = await rig.journal.appendMalformed(sampleMalformed());
    const receipts = [dead, delivered, malformed, 'none'];
    const result = await replaySettled(parts(), request({ filter: { receipts }, states: ['dead'] }));
    expect(result).toMatchObject({
      matched: 1,
      replayed: 1,
      problems: [
        { receipt: delivered, detail: 'it is delivered, and only dead events are replayed' },
        { receipt: malformed, detail: expect.stringContaining('malformed body') },
        { receipt: 'none', detail: expect.stringContaining('no event has this receipt') },
      ],
    });
    const again = await replaySettled(parts(), request({ filter: { receipts: [dead] } }));
    expect(again).toMatchObject({
      matched: 0,
      done: true,
      problems: [{ detail: expect.stringContaining('pending') }],
    });
    expect(again).not.toHaveProperty('replay');
  });

  it('names the events of a filter whose body is gone', async () => {
    await settledAt(T0, settled.dead);
    const gone = await settledAt(T0, settled.dead);
    await rig.journal.discard({ receipts: [gone] }, 'olga');
    expect(await replaySettled(parts(), request())).toMatchObject({
      matched: 2,
      replayed: 1,
      problems: [{ receipt: gone }],
    });
  });

  it('returns before a long one is done, and refuses its twin until then', async () => {
    const receipts: string[] = [];
    for (let n = 0; n < 3; n += 1) receipts.push(await settledAt(T0));
    const running = Promise.withResolvers<void>();
    const job = {
      id: 9,
      by: 'olga',
      at: T0,
      asNew: false,
      filter: { states: ['delivered'] as const, settledUntil: T0 + 1 },
      narrowedBy: [],
      matched: 1,
      replayed: 1,
      done: false,
    };
    let jobs: (typeof job)[] = [];
    const slow = parts({
      startReplay: async () => {
        jobs = [job];
        return { id: 9, stopped: running.promise };
      },
      replays: async () => jobs,
    });
    const wanted = request({ states: ['delivered'] });
    expect(await replaySettled(slow, wanted, 1)).toMatchObject({
      matched: 3,
      replayed: 1,
      done: false,
      replay: 9,
    });
    rig.state.now = T0 + 60_000;
    expect(await replaySettled(slow, wanted, 1)).toEqual({ outcome: 'already-running', replay: 9 });
    for (const other of [{ asNew: true }, { states: ['dead'] as const }, { filter: { source: 'acme' } }])
      expect(await replaySettled(slow, { ...wanted, ...other }, 1)).toMatchObject({ outcome: 'started' });
    jobs = [{ ...job, done: true }];
    expect(await replaySettled(slow, wanted, 1)).toMatchObject({ outcome: 'started' });
    running.resolve();
  });

  it('does nothing when the store fails, and completes what was started before', async () => {
    const receipt = await settledAt(T0);
    const failing = async () => Promise.reject(new StoreError('disk full'));
    await expect(replaySettled(parts({ count: failing }), request())).rejects.toThrow(StoreError);
    expect(await stateOf(receipt)).toBe('delivered');
    let calls = 0;
    const replays = () => ((calls += 1) > 1 ? failing() : rig.journal.replays());
    await expect(replaySettled(parts({ replays }), request())).rejects.toThrow(StoreError);
    expect(await stateOf(receipt)).toBe('pending');
    await settleAs(rig.journal, settled.delivered(receipt));
  });
});
