import { describe, expect, it } from 'vitest';
import type { DestinationJournal } from '../../../src/reconciliation/aep/destination-parts.ts';
import {
  LAKE_DELAY_MS,
  MINUTE_MS,
  range,
  type ReconcilerRig,
  startRig,
  WINDOW_MS,
} from './reconciler-rig.ts';

const PAST_DELAYS_MS = WINDOW_MS + LAKE_DELAY_MS;

/** Ten events that landed, after five that a young dataflow lost. */
async function startWithLoss(): Promise<ReconcilerRig> {
  const rig = await startRig({ flowAge: 2 * MINUTE_MS });
  await rig.deliver(range(1, 6));
  rig.advance(4 * MINUTE_MS);
  await rig.deliver(range(6, 16));
  rig.advance(PAST_DELAYS_MS);
  return rig;
}

const EXPECTED = { sums: { landed: 10, unconfirmed: 5 }, open: { 'not-in-aep': 5 } };

describe('AEP', () => {
  it('confirms nothing while it is away, and the next run goes on', async () => {
    const rig = await startWithLoss();
    rig.simulator.setFaults([{ on: 'platform', then: { status: 503 } }]);
    const report = await rig.run();
    expect(report).toMatchObject({
      state: 'failing',
      problem: { code: 'unavailable' },
      sums: { landed: 0, unconfirmed: 15 },
      open: {},
    });
    expect(report.lastRunAt).toBeUndefined();
    rig.simulator.setFaults([]);
    const later = await rig.run();
    expect(later).toMatchObject({ state: 'differences', ...EXPECTED });
    expect(later.problem).toBeUndefined();
  });

  it.each([
    ['the runs', '/data/foundation/flowservice/runs'],
    ['the dataflows', '/data/foundation/flowservice/flows'],
    ['the datasets', '/data/foundation/catalog/dataSets'],
  ])('confirms nothing while %s are forbidden', async (_what, path) => {
    const rig = await startWithLoss();
    rig.simulator.setFaults([{ on: 'platform', match: { path }, then: { status: 403, problem: 'no' } }]);
    const report = await rig.run();
    expect(report).toMatchObject({ state: 'failing', problem: { code: 'forbidden' }, sums: { landed: 0 } });
    expect(report.problem?.fix).toMatch(/Permissions|product profile/);
    rig.simulator.setFaults([]);
    expect(await rig.run()).toMatchObject(EXPECTED);
  });

  it('confirms what agrees although Profile is forbidden', async () => {
    const rig = await startRig();
    await rig.deliver(range(1, 4));
    rig.advance(PAST_DELAYS_MS);
    const match = { path: '/data/core/ups/' };
    rig.simulator.setFaults([{ on: 'platform', match, then: { status: 403, problem: 'no' } }]);
    const report = await rig.run();
    expect(report).toMatchObject({
      state: 'failing',
      problem: { code: 'forbidden' },
      open: {},
      sums: { landed: 3, unconfirmed: 0 },
    });
  });

  it('has counts that differ, and says so, while Profile is forbidden', async () => {
    const rig = await startWithLoss();
    const match = { path: '/data/core/ups/' };
    rig.simulator.setFaults([{ on: 'platform', match, then: { status: 403, problem: 'no' } }]);
    const report = await rig.run();
    expect(report).toMatchObject({ open: { 'counts-differ': 5 }, sums: { landed: 0, unconfirmed: 15 } });
    expect(report.differences[0]?.fix).toContain('--settled-since 2026-10-01T08:00:00.000Z');
    rig.simulator.setFaults([]);
    expect(await rig.run()).toMatchObject(EXPECTED);
  });

  it('can have no numbers of datasets: that is no failure', async () => {
    const rig = await startWithLoss();
    const match = { path: '/data/infrastructure/' };
    rig.simulator.setFaults([{ on: 'platform', match, then: { status: 403, problem: 'no' } }]);
    expect(await rig.run()).toMatchObject({ state: 'differences', ...EXPECTED });
  });

  it('confirms nothing by an empty list of runs; Profile says what has landed', async () => {
    const rig = await startRig();
    await rig.deliver(range(1, 4));
    rig.simulator.platform.sandbox('dev')!.runs.length = 0;
    rig.advance(PAST_DELAYS_MS);
    const forbidden = { path: '/data/core/ups/' };
    rig.simulator.setFaults([{ on: 'platform', match: forbidden, then: { status: 503 } }]);
    expect(await rig.run()).toMatchObject({ state: 'failing', sums: { landed: 0, unconfirmed: 3 } });
    rig.simulator.setFaults([]);
    expect(await rig.run()).toMatchObject({ state: 'ok', open: {}, sums: { landed: 3, unconfirmed: 0 } });
  });

  it('that answers every look-up with 404 is not taken for a loss', async () => {
    const rig = await startWithLoss();
    const match = { path: '/data/core/ups/' };
    rig.simulator.setFaults([{ on: 'platform', match, then: { status: 404, problem: 'not found' } }]);
    const report = await rig.run();
    expect(report).toMatchObject({ problem: { code: 'profile-unreadable' }, sums: { landed: 0 } });
    expect(report.open).toEqual({ 'counts-differ': 5 });
  });
});

const WRITES = ['confirm', 'doubt', 'clearDoubts', 'unwatch', 'saveReconciliationNotes'] as const;

/** A journal whose process ends after a number of writes. */
function endingAfter(writes: number, journal: DestinationJournal): DestinationJournal {
  let left = writes;
  const ending = Object.create(journal) as DestinationJournal;
  for (const name of WRITES) {
    const call = journal[name].bind(journal) as (...given: unknown[]) => Promise<unknown>;
    Object.assign(ending, {
      [name]: async (...given: unknown[]) => {
        const answer = await call(...given);
        left -= 1;
        if (left < 0) throw new Error('killed');
        return answer;
      },
    });
  }
  return ending;
}

describe('a run', () => {
  it('that ends after any of its writes is completed by the next one', async () => {
    const rig = await startWithLoss();
    let ended = 0;
    for (let writes = 0; ; writes += 1) {
      const run = rig.run({ journal: endingAfter(writes, rig.journal) });
      const isOver = await run.then(
        () => true,
        () => false,
      );
      if (isOver) break;
      ended += 1;
    }
    expect(ended).toBeGreaterThan(3);
    expect(await rig.run()).toMatchObject({ state: 'differences', ...EXPECTED });
  });

  it('goes on where the calls of the one before were used up', async () => {
    const rig = await startWithLoss();
    const first = await rig.run({ callsPerRun: 2 });
    expect(first.problem).toBeUndefined();
    expect(first.sums.landed).toBe(0);
    expect(await rig.run()).toMatchObject(EXPECTED);
  });

  it('ends with the reason of its signal', async () => {
    const rig = await startWithLoss();
    const reason = new Error('another replica is the leader');
    const run = rig.create().run({}, AbortSignal.abort(reason));
    await expect(run).rejects.toBe(reason);
  });

  it('looks up a period once more if it is asked to', async () => {
    const rig = await startRig({ reconcile: { readBack: 0 } });
    const [receipt] = await rig.deliver(range(1, 3));
    rig.advance(PAST_DELAYS_MS);
    expect(await rig.run()).toMatchObject({ state: 'ok', sums: { landed: 2 } });
    const id = (await rig.journal.find(receipt!))!.event.identity.slice(0, 40);
    const client = rig.client();
    const reconciler = rig.create({
      client: {
        ...client,
        get: async (path, options) => {
          const answer = await client.get(path, options);
          const text = answer.ok ? JSON.stringify(answer.body ?? null) : '';
          return answer.ok && text.includes(`cap-${id}`) && path.includes('experienceevent')
            ? { ...answer, body: { children: [] } }
            : answer;
        },
      },
    });
    await reconciler.run({ since: rig.now() - 86_400_000 }, new AbortController().signal);
    expect(await reconciler.report()).toMatchObject({
      open: { 'not-in-aep': 1 },
      sums: { landed: 1, unconfirmed: 1 },
    });
  });

  it('looks up a period once, however often it is asked to before it has', async () => {
    const rig = await startRig({ reconcile: { readBack: 0 } });
    await rig.deliver(range(1, 3));
    rig.advance(PAST_DELAYS_MS);
    await rig.run();
    const reconciler = rig.create({ callsPerRun: 0 });
    const openRanges = async (days: number): Promise<{ readonly from: number; readonly until: number }[]> => {
      await reconciler.run({ since: rig.now() - days * 86_400_000 }, new AbortController().signal);
      const notes = await rig.journal.reconciliationNotes(`aep:${reconciler.name}`);
      return JSON.parse(notes.get('counts') ?? '').open;
    };
    const [first] = await openRanges(1);
    expect(await openRanges(1)).toEqual([first]);
    expect(await openRanges(2)).toMatchObject([
      first!,
      { from: first!.from - 86_400_000, until: first!.from },
    ]);
  });
});
