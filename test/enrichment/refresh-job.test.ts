import { expect, test } from 'vitest';
import { createRefreshJob } from '../../src/enrichment/refresh-job.ts';
import { createFakeClock } from './fake-clock.ts';

const ROUTES = [{ source: 'acme', destination: 'aep' }];

function startJob(callsPerMinute = 80) {
  const clock = createFakeClock();
  const asked: number[] = [];
  const errors: unknown[] = [];
  const world = {
    isLeader: true,
    hasCallsToSpare: true,
    started: 1,
    failure: undefined as Error | undefined,
  };
  const job = createRefreshJob({
    routes: ROUTES,
    enricher: {
      get hasCallsToSpare() {
        return world.hasCallsToSpare;
      },
    },
    callsPerMinute,
    refresh: async ({ routes, running }) => {
      expect(routes).toBe(ROUTES);
      asked.push(running);
      if (world.failure !== undefined) throw world.failure;
      return { started: world.started, dropped: 0 };
    },
    isLeader: () => world.isLeader,
    onError: (error) => errors.push(error),
    clock,
  });
  job.start();
  return { job, clock, asked, errors, world };
}

test('a few are pending at a time, in proportion to the calls', async () => {
  const few = startJob(80);
  await few.clock.advance(6_500);
  expect(few.asked).toEqual([8, 8, 8]);
  expect(few.job.status).toEqual({ state: 'running', started: 3, dropped: 0 });
  const [least, most] = [startJob(5), startJob(10_000)];
  await least.clock.advance(2_500);
  await most.clock.advance(2_500);
  expect([least.asked, most.asked]).toEqual([[2], [50]]);
});

test('the journal is asked seldom while nothing is due', async () => {
  const { clock, asked, world } = startJob();
  world.started = 0;
  await clock.advance(60_000);
  expect(asked.length).toBe(6);
});

test('nothing is started while the API is away or live events need all calls', async () => {
  const { job, clock, asked, world } = startJob();
  world.hasCallsToSpare = false;
  await clock.advance(60_000);
  expect(asked).toEqual([]);
  expect(job.status.state).toBe('waiting');
  world.hasCallsToSpare = true;
  await clock.advance(2_000);
  expect(asked).toHaveLength(1);
});

test('only the leader starts refreshes, and a new leader goes on', async () => {
  const { job, clock, asked, world } = startJob();
  world.isLeader = false;
  await clock.advance(20_000);
  expect(asked).toEqual([]);
  expect(job.status.state).toBe('other-replica');
  world.isLeader = true;
  await clock.advance(2_000);
  expect(asked).toHaveLength(1);
});

test('a failing store is reported, and the job goes on', async () => {
  const { clock, asked, errors, world } = startJob();
  world.failure = new Error('the store is full');
  await clock.advance(3_000);
  expect(errors).toEqual([world.failure]);
  world.failure = undefined;
  await clock.advance(10_000);
  expect(asked.length).toBeGreaterThan(1);
});

test('nothing happens after it was stopped, however often', async () => {
  const { job, clock, asked } = startJob();
  await clock.advance(2_500);
  await job.stop();
  await job.stop();
  expect(clock.pending).toBe(0);
  expect(job.status.state).toBe('stopped');
  job.start();
  await clock.advance(2_500);
  expect(asked).toHaveLength(2);
  await job.stop();
});
