import { describe, expect, it } from 'vitest';
import type { TwinFlowRun } from '../../../src/simulator/adobe/platform/sandbox.ts';
import {
  LAKE_DELAY_MS,
  MINUTE_MS,
  range,
  type ReconcilerRig,
  startRig,
  T0,
  WINDOW_MS,
} from './reconciler-rig.ts';

const PAST_DELAYS_MS = WINDOW_MS + LAKE_DELAY_MS;

/** Replaces the runs that AEP shows. */
function changeRuns(rig: ReconcilerRig, change: (run: TwinFlowRun) => TwinFlowRun[]): void {
  const { runs } = rig.simulator.platform.sandbox('dev')!;
  runs.splice(0, runs.length, ...runs.flatMap(change));
}

/** A run that started later. */
function later(run: TwinFlowRun, ms: number): TwinFlowRun {
  return { ...run, startedAt: run.startedAt + ms, completedAt: run.completedAt + ms };
}

function sum({ sums: { landed, refusedLater, unconfirmed } }: Awaited<ReturnType<ReconcilerRig['run']>>) {
  return landed + refusedLater + unconfirmed;
}

describe('what has landed', () => {
  it('is confirmed, and every delivered event is in one of three sums', async () => {
    const rig = await startRig();
    await rig.deliver(range(1, 21));
    rig.advance(PAST_DELAYS_MS);
    const report = await rig.run();
    expect(report).toMatchObject({
      state: 'ok',
      differences: [],
      sums: { delivered: 20, landed: 20, refusedLater: 0, unconfirmed: 0 },
      seesLakeUntil: T0 + WINDOW_MS,
      readBack: { events: 20, profiles: 20 },
    });
    expect(rig.found).toEqual([]);
  });

  it('is not concluded before the delays', async () => {
    const rig = await startRig();
    await rig.deliver(range(1, 3));
    rig.advance(PAST_DELAYS_MS - 1);
    expect((await rig.run()).sums).toMatchObject({ landed: 0, unconfirmed: 2 });
    rig.advance(1);
    expect((await rig.run()).sums).toMatchObject({ landed: 2, unconfirmed: 0 });
  });

  it('can be in runs that start after the end of its window', async () => {
    const rig = await startRig({ reconcile: { readBack: 0 } });
    rig.advance(WINDOW_MS - MINUTE_MS);
    await rig.deliver(range(1, 11));
    changeRuns(rig, (run) => [later(run, 4 * MINUTE_MS)]);
    rig.advance(MINUTE_MS + PAST_DELAYS_MS);
    const report = await rig.run();
    expect(report).toMatchObject({ state: 'ok', sums: { landed: 10, unconfirmed: 0 } });
    expect(report.readBack).toEqual({ events: 0, profiles: 0 });
  });

  it('can be in a run that went on from the window before', async () => {
    const rig = await startRig({ reconcile: { readBack: 0 } });
    rig.advance(WINDOW_MS - MINUTE_MS);
    await rig.deliver(range(1, 3));
    rig.advance(2 * MINUTE_MS);
    await rig.deliver(range(3, 6));
    const start = T0 + WINDOW_MS - 2 * MINUTE_MS;
    changeRuns(rig, (run) => [{ ...run, startedAt: start, completedAt: start + 4 * MINUTE_MS }]);
    rig.advance(2 * PAST_DELAYS_MS);
    const report = await rig.run();
    expect(report).toMatchObject({ state: 'ok', sums: { landed: 5, unconfirmed: 0 } });
    expect(report.readBack.events).toBe(0);
  });

  it('may be there twice: after an attempt without an answer, and as a duplicate', async () => {
    const rig = await startRig({ ticks: true });
    rig.simulator.setFaults([{ on: 'inlet', times: 3, then: { reset: 'before', landed: true } }]);
    await rig.deliver(range(1, 11));
    changeRuns(rig, (run) => [run, { ...run, id: `${run.id}-2` }]);
    rig.advance(PAST_DELAYS_MS);
    expect(await rig.run()).toMatchObject({ state: 'ok', open: {}, sums: { landed: 10, unconfirmed: 0 } });
  });

  it('is not confirmed by a surplus of an earlier window', async () => {
    const rig = await startRig({ flowAge: 2 * MINUTE_MS });
    // The dataflow is young for both deliveries of this window, but not for the runs made up here.
    rig.advance(4 * MINUTE_MS);
    await rig.deliver(range(1, 11));
    changeRuns(rig, (run) => [run, { ...run, id: `${run.id}-2` }]);
    rig.advance(WINDOW_MS);
    const [flow] = rig.simulator.platform.sandbox('dev')!.flows.values();
    flow!.state = 'disabled';
    const lost = await rig.deliver(range(11, 14));
    rig.advance(2 * PAST_DELAYS_MS);
    const report = await rig.run();
    expect(report.sums).toMatchObject({ landed: 10, unconfirmed: 3 });
    expect(new Set(report.differences.map(({ receipt }) => receipt))).toEqual(new Set(lost));
    expect(new Set(report.differences.map(({ kind, cause }) => `${kind} ${cause}`))).toEqual(
      new Set(['not-in-aep flow-disabled']),
    );
  });
});

it('counts the events of each kind exactly, also those beyond the differences that it lists', async () => {
  const rig = await startRig();
  const receipts = await rig.deliver(range(1, 131));
  const doubtsOf = (code: string, some: readonly string[]) =>
    rig.journal.doubt(
      'main',
      some.map((receipt) => ({ receipt, code, detail: 'unknown: Profile does not have the event' })),
    );
  await doubtsOf('not-in-profile', receipts.slice(0, 70));
  rig.advance(1);
  await doubtsOf('not-in-aep', receipts.slice(70));
  const { open, differences } = await rig.create().report();
  expect(open).toEqual({ 'not-in-aep': 60, 'not-in-profile': 70 });
  expect(differences).toHaveLength(100);
});

describe('a young dataflow', () => {
  it('has lost exactly the events that are doubted', async () => {
    const rig = await startRig({ flowAge: 2 * MINUTE_MS });
    const lost = await rig.deliver(range(1, 6));
    rig.advance(4 * MINUTE_MS);
    await rig.deliver(range(6, 16));
    rig.advance(PAST_DELAYS_MS);
    const report = await rig.run();
    expect(report.sums).toEqual({ delivered: 15, landed: 10, refusedLater: 0, unconfirmed: 5 });
    expect(report.open).toEqual({ 'not-in-aep': 5 });
    expect(new Set(report.differences.map(({ receipt }) => receipt))).toEqual(new Set(lost));
    expect(new Set(report.differences.map(({ cause }) => cause))).toEqual(new Set(['flow-too-young']));
    expect(rig.found).toEqual([{ kind: 'not-in-aep', cause: 'flow-too-young', count: 5 }]);
  });

  it('is looked at although a surplus of the same window hides the loss', async () => {
    const rig = await startRig({ flowAge: 2 * MINUTE_MS });
    await rig.deliver(range(1, 6));
    rig.advance(4 * MINUTE_MS);
    await rig.deliver(range(6, 16));
    changeRuns(rig, (run) => [run, { ...run, id: `${run.id}-2` }]);
    rig.advance(PAST_DELAYS_MS);
    expect((await rig.run()).sums).toMatchObject({ landed: 10, unconfirmed: 5 });
  });

  it('has nothing open after its events were replayed as new ones', async () => {
    const rig = await startRig({ flowAge: 2 * MINUTE_MS });
    const lost = await rig.deliver(range(1, 6));
    rig.advance(PAST_DELAYS_MS);
    expect((await rig.run()).open).toEqual({ 'not-in-aep': 5 });
    await rig.journal.replay({ filter: { receipts: lost, states: ['delivered'] }, asNew: true, by: 'ops' });
    await rig.settle(lost);
    rig.advance(PAST_DELAYS_MS);
    const report = await rig.run();
    expect(report).toMatchObject({
      state: 'ok',
      open: {},
      differences: [],
      sums: { landed: 5, unconfirmed: 0 },
    });
    const found = rig.found.length;
    const { readBack: _, ...again } = await rig.run();
    expect(report).toMatchObject(again);
    expect(rig.found).toHaveLength(found);
  });
});

describe('a failed batch', () => {
  it('explains its part of the deficit', async () => {
    const rig = await startRig();
    const [lostLater] = await rig.deliver(range(1, 2));
    await rig.deliver(range(2, 12));
    const sandbox = rig.simulator.platform.sandbox('dev')!;
    const events = rig.config.destinations[0]!.events;
    const batch = sandbox.batches.find(({ flowId }) => flowId === events.flowId)!;
    const [record] = batch.records;
    const violations = [{ pointer: '#/a', keyword: 'type', message: 'expected type: String' }];
    Object.assign(batch, {
      status: 'failed',
      records: [{ seq: record!.seq, violations }],
      errors: [{ code: 'DCVS-1104-400', description: 'type', rows: ['0'] }],
    });
    // The run does not count what has failed.
    changeRuns(rig, (run) =>
      run.batchIds.includes(batch.id) ? [{ ...run, inputRecords: 0, outputRecords: 0 }] : [run],
    );
    rig.advance(PAST_DELAYS_MS);
    const report = await rig.run();
    expect(report.sums).toEqual({ delivered: 11, landed: 10, refusedLater: 1, unconfirmed: 0 });
    expect(report.open).toEqual({ 'refused-later': 1 });
    expect((await rig.journal.find(lostLater!))?.event).toMatchObject({
      state: 'dead',
      reason: 'refused-later',
    });
    expect(sum(report)).toBe(report.sums.delivered);
  });
});
