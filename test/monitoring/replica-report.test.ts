import { expect, it } from 'vitest';
import type { RunningDestination } from '../../src/delivery/running-destination.ts';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { createReplicaReports } from '../../src/monitoring/replica-report.ts';

it('reports the rates of the last minute and the state of each destination', () => {
  const metrics = createMetrics();
  const clock = { now: 0 };
  const status = { state: 'waiting', reason: 'throttled' };
  const destination = { config: { name: 'aep' }, dispatcher: { state: { status: () => status } } };
  const reports = createReplicaReports({
    metrics,
    destinations: { all: [destination as unknown as RunningDestination], inFlight: () => 7 },
    monotonic: () => clock.now,
  });
  metrics.accepted.inc({ source: 'a', event_name: 'x' }, 500);
  metrics.accepted.inc({ source: 'b', event_name: 'y' }, 100);
  metrics.delivered.inc({ destination: 'aep', event_name: 'x' }, 30);
  clock.now = 30_000;
  reports.sample();
  expect(reports.report()).toEqual({
    rates: { accepted: 20, delivered: 1 },
    destinations: { aep: { state: 'waiting', reason: 'throttled', inFlight: 7 } },
  });
  clock.now = 80_000;
  reports.sample();
  expect(reports.report().rates).toEqual({ accepted: 0, delivered: 0 });
});
