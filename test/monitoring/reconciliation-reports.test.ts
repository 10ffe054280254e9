import { expect, it } from 'vitest';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { createReconciliationReports } from '../../src/monitoring/reconciliation-reports.ts';
import { createLogger } from '../../src/telemetry/log.ts';

function reports() {
  const lines: Record<string, unknown>[] = [];
  const write = (text: string): void => void lines.push(JSON.parse(text) as Record<string, unknown>);
  const metrics = createMetrics();
  const series = async (): Promise<string[]> =>
    (await metrics.registry.metrics()).split('\n').filter((line) => /^relay_(reconcile|troubles)/.test(line));
  const observer = createReconciliationReports(
    createLogger({ level: 'info', destination: { write } }),
    metrics,
  );
  return { observer, lines, series };
}

it('counts runs, calls, differences and what was taken from the log', async () => {
  const { observer, series } = reports();
  const source = { side: 'capillary', name: 'acme' } as const;
  observer.called('capillary', 'acme', 'ok');
  observer.called('capillary', 'acme', 'forbidden');
  observer.found({ ...source, kind: 'given-up', cause: 'relay-unreachable', count: 3 });
  observer.recovered('acme', 3);
  observer.runEnded({ ...source, outcome: 'ok', durationMs: 1_500 });
  expect(await series()).toEqual(
    expect.arrayContaining([
      'relay_reconcile_calls_total{side="capillary",name="acme",outcome="ok"} 1',
      'relay_reconcile_calls_total{side="capillary",name="acme",outcome="forbidden"} 1',
      'relay_reconcile_found_total{side="capillary",name="acme",kind="given-up",cause="relay-unreachable"} 3',
      'relay_reconcile_recovered_total{source="acme"} 3',
      'relay_reconcile_runs_total{side="capillary",name="acme",outcome="ok"} 1',
      'relay_reconcile_run_seconds_sum{side="capillary",name="acme"} 1.5',
    ]),
  );
});

it('logs what needs someone as a warning, what was repaired as information, a quiet run not at all', async () => {
  const { observer, lines, series } = reports();
  const one = { side: 'aep', name: 'acme-aep' } as const;
  observer.runEnded({ ...one, outcome: 'ok', durationMs: 1 });
  expect(lines).toEqual([]);
  observer.found({ side: 'capillary', name: 'acme', kind: 'answer-lost', cause: 'answer-lost', count: 1 });
  observer.recovered('acme', 2);
  observer.found({ ...one, kind: 'refused-later', cause: 'validation', count: 4 });
  observer.runEnded({ ...one, outcome: 'failed', problem: 'forbidden', durationMs: 20 });
  observer.errorCaught('acme-aep', 'a reconciliation ended; it will be repeated', new Error('disk'));
  expect(lines).toMatchObject([
    { level: 'info', side: 'capillary', source: 'acme', kind: 'answer-lost', count: 1 },
    { level: 'info', source: 'acme', count: 2 },
    {
      level: 'warn',
      side: 'aep',
      destination: 'acme-aep',
      kind: 'refused-later',
      cause: 'validation',
      count: 4,
    },
    { level: 'warn', destination: 'acme-aep', outcome: 'failed', problem: 'forbidden', durationMs: 20 },
    { level: 'error', target: 'acme-aep', err: { message: 'disk' } },
  ]);
  // A second key `name` would replace that of the program.
  for (const { name } of lines) expect(name).toBe('capillary-aep-relay');
  expect(await series()).toContain('relay_troubles_total{part="reconciliation"} 1');
});
