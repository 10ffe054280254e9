import { describe, expect, it } from 'vitest';
import type { TwinBatch, TwinFlowRun } from '../../../src/simulator/adobe/platform/sandbox.ts';
import {
  LAKE_DELAY_MS,
  MINUTE_MS,
  range,
  type ReconcilerRig,
  startRig,
  WINDOW_MS,
} from './reconciler-rig.ts';

const PAST_DELAYS_MS = WINDOW_MS + LAKE_DELAY_MS;

function sandboxOf(rig: ReconcilerRig) {
  return rig.simulator.platform.sandbox('dev')!;
}

function changeRuns(rig: ReconcilerRig, change: (run: TwinFlowRun) => TwinFlowRun[]): void {
  const { runs } = sandboxOf(rig);
  runs.splice(0, runs.length, ...runs.flatMap(change));
}

/** AEP has lost the events that it acknowledged: no run, no batch. Their profiles are there. */
async function deliverLost(rig: ReconcilerRig, customers: readonly number[]): Promise<string[]> {
  const flow = sandboxOf(rig).flows.get(rig.config.destinations[0]!.events.flowId)!;
  flow.state = 'disabled';
  const lost = await rig.deliver(customers);
  flow.state = 'enabled';
  return lost;
}

/** A batch of 50 records that another system has written to the dataset of the events. */
function addForeign(rig: ReconcilerRig, status: TwinBatch['status']): void {
  const { datasetId } = rig.config.destinations[0]!.events;
  const { batches } = sandboxOf(rig);
  batches.push({
    ...batches[0]!,
    id: 'FOREIGN',
    datasetId,
    flowId: 'another-flow',
    status,
    records: range(0, 50).map((seq) => ({ seq: 1_000_000 + seq, violations: [] })),
  });
}

describe.each(['10m', '1h'])('records of another system in the dataset, by windows of %s', (window) => {
  it.each(['failed', 'success'] as const)('do not stand for lost events if they are a %s', async (status) => {
    const rig = await startRig({ reconcile: { readBack: 0, window } });
    await rig.deliver(range(1, 6));
    const lost = await deliverLost(rig, range(6, 9));
    addForeign(rig, status);
    rig.advance(60 * MINUTE_MS + LAKE_DELAY_MS);
    const report = await rig.run();
    expect(report.sums).toMatchObject({ landed: 5, unconfirmed: 3 });
    const named = report.differences.filter(({ kind }) => kind === 'not-in-aep');
    expect(new Set(named.map(({ receipt }) => receipt))).toEqual(new Set(lost));
  });
});

describe('a clock', () => {
  it('that was a day ahead leaves nothing uncompared', async () => {
    const rig = await startRig();
    await rig.run();
    rig.advance(24 * 60 * MINUTE_MS);
    await rig.run();
    rig.advance(-24 * 60 * MINUTE_MS);
    await rig.deliver(range(1, 6));
    rig.advance(PAST_DELAYS_MS);
    const report = await rig.run();
    expect(report.sums).toMatchObject({ landed: 5, unconfirmed: 0 });
  });
});

it('a dataflow that was replaced is no loss of what the old one had', async () => {
  const rig = await startRig();
  await rig.deliver(range(1, 6));
  changeRuns(rig, () => []);
  rig.advance(PAST_DELAYS_MS);
  const report = await rig.run();
  expect(report).toMatchObject({ state: 'ok', sums: { landed: 5 } });
});
