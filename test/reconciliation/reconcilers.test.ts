import { expect, it } from 'vitest';
import { MAX_OPEN_RUNS } from '../../src/reconciliation/run-requests.ts';
import { until } from '../helpers/until.ts';
import { comparedConfig, type FakeRun, memoryNotes, openReplica } from './reconcilers-rig.ts';

const BOTH = [
  { side: 'capillary', name: 'acme' },
  { side: 'aep', name: 'acme-aep' },
] as const;

/** Waits for the n-th run of a name, from 1. */
function nth(runs: readonly FakeRun[], name: string, n: number): Promise<FakeRun> {
  return until(() => runs.filter((run) => run.name === name)[n - 1]);
}

it('compares at its intervals, each source and destination by itself', async () => {
  const { reconcilers, runs } = openReplica({ config: comparedConfig({}, '1s') });
  expect(reconcilers.targets).toEqual(BOTH);
  reconcilers.start();
  const first = await nth(runs, 'acme', 1);
  expect(first.request).toEqual({});
  await nth(runs, 'acme-aep', 1);
  expect((await reconcilers.report()).sources).toMatchObject([{ source: 'acme', state: 'running' }]);
  first.end();
  await nth(runs, 'acme', 2);
  expect(runs.filter(({ name }) => name === 'acme-aep')).toHaveLength(1);
});

it('runs what any replica is asked for on the leader, and only there', async () => {
  const journal = memoryNotes();
  const leader = openReplica({ journal });
  const other = openReplica({ journal });
  other.state.isLeader = false;
  leader.reconcilers.start();
  other.reconcilers.start();
  (await nth(leader.runs, 'acme', 1)).end();
  const id = await other.reconcilers.request({ by: 'admin', since: 5, resend: true }, [BOTH[0]]);
  const asked = await nth(leader.runs, 'acme', 2);
  expect(asked.request).toEqual({ since: 5, resend: true });
  const run = async () => (await other.reconcilers.runs()).find((one) => one.id === id);
  expect(await run()).toMatchObject({ by: 'admin', since: 5, state: 'running' });
  asked.end();
  await until(async () => (await run())?.state === 'ended');
  expect((await run())?.targets).toMatchObject([{ name: 'acme', endedAt: expect.any(Number) }]);
  expect(other.runs).toEqual([]);
});

it('the next leader goes on with what was asked for, and the former one ends its runs', async () => {
  const journal = memoryNotes();
  const first = openReplica({ journal });
  const second = openReplica({ journal });
  second.state.isLeader = false;
  first.reconcilers.start();
  second.reconcilers.start();
  (await nth(first.runs, 'acme', 1)).end();
  await first.reconcilers.request({ by: 'admin', since: 7 }, [BOTH[0]]);
  const interrupted = await nth(first.runs, 'acme', 2);
  first.state.isLeader = false;
  await until(() => interrupted.signal.aborted);
  second.state.isLeader = true;
  const runs = async () => {
    const all = second.runs.filter(({ name }) => name === 'acme');
    for (const one of all) one.end();
    return all.some(({ request }) => request.since === 7);
  };
  await until(runs);
  await until(async () => (await second.reconcilers.runs())[0]?.state === 'ended');
  expect(first.errors).toEqual([]);
});

it('a run that throws is reported and repeated, and what was asked for is not forgotten', async () => {
  const { reconcilers, runs, errors } = openReplica({ config: comparedConfig({}, '1s') });
  await reconcilers.request({ by: 'admin', since: 3 }, [BOTH[0]]);
  reconcilers.start();
  const failing = async () => {
    const run = runs.find(({ request }) => request.since === 3);
    for (const one of runs) if (one !== run) one.end();
    return run;
  };
  (await until(failing)).fail(new Error('the store does not answer'));
  await until(() => errors.length > 0);
  expect(await reconcilers.runs()).toMatchObject([{ state: 'running' }]);
  const again = async () => runs.filter(({ request }) => request.since === 3)[1];
  (await until(again)).end();
  await until(async () => (await reconcilers.runs())[0]?.state === 'ended');
});

it('a reload keeps what it does not concern, replaces the rest, and forgets what is gone', async () => {
  const { reconcilers, runs, created, closed } = openReplica();
  reconcilers.start();
  const first = await nth(runs, 'acme', 1);
  const kept = await nth(runs, 'acme-aep', 1);
  const verify = [{ type: 'header', name: 'X-Relay-Key', values: ['other'] }];
  await reconcilers.set(comparedConfig({ verify }))();
  expect(created).toEqual(['acme', 'acme-aep']);

  await reconcilers.set(comparedConfig({ timezone: 'Asia/Kolkata' }))();
  expect(first.signal.aborted).toBe(true);
  // The mapping of the source is part of what was sent to the destination.
  expect(kept.signal.aborted).toBe(true);
  expect(closed).toEqual(['acme', 'acme-aep']);
  const second = await nth(runs, 'acme', 2);
  const id = await reconcilers.request({ by: 'admin' }, [BOTH[0]]);
  await reconcilers.set(comparedConfig({ reconcile: undefined }))();
  expect(second.signal.aborted).toBe(true);
  expect(reconcilers.targets).toEqual([BOTH[1]]);
  const run = async () => (await reconcilers.runs()).find((one) => one.id === id);
  await until(async () => (await run())?.state === 'ended');
  expect((await run())?.targets).toMatchObject([{ detail: 'it is not configured any more' }]);
});

it('accepts a bounded number of runs, and keeps the history bounded', async () => {
  const { reconcilers, runs, state } = openReplica();
  for (let n = 0; n < MAX_OPEN_RUNS; n += 1)
    expect(await reconcilers.request({ by: 'admin' }, [BOTH[0]])).toBeDefined();
  expect(await reconcilers.request({ by: 'admin' }, [BOTH[0]])).toBeUndefined();
  expect(state.isLeader).toBe(true);
  reconcilers.start();
  const endAll = async () => {
    for (const run of runs) run.end();
    return (await reconcilers.runs()).every((run) => run.state === 'ended');
  };
  for (let round = 0; round < 4; round += 1) {
    await until(endAll);
    for (let n = 0; n < MAX_OPEN_RUNS; n += 1) await reconcilers.request({ by: 'admin' }, [BOTH[0]]);
  }
  await until(endAll);
  expect((await reconcilers.runs()).length).toBeLessThanOrEqual(50 + MAX_OPEN_RUNS);
});

it('stops during a run, and reports what the journal says all the time', async () => {
  const { reconcilers, runs, closed } = openReplica();
  reconcilers.start();
  const run = await nth(runs, 'acme', 1);
  await reconcilers.stop();
  expect(run.signal.aborted).toBe(true);
  expect(closed).toEqual(['acme', 'acme-aep']);
  await reconcilers.stop();
  const { sources, destinations } = await reconcilers.report();
  expect([sources[0]?.sums.sent, destinations[0]?.sums.landed]).toEqual([5, 3]);
});
