import { expect, it } from 'vitest';
import { createMaintenanceReports } from '../../src/monitoring/maintenance-reports.ts';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { createLogger } from '../../src/telemetry/log.ts';

it('counts everything that was removed early, and logs it once a minute', async () => {
  const lines: Record<string, unknown>[] = [];
  const write = (text: string): void => void lines.push(JSON.parse(text) as Record<string, unknown>);
  const metrics = createMetrics();
  let now = 1_000;
  const report = createMaintenanceReports(
    createLogger({ level: 'info', destination: { write } }),
    metrics,
    false,
    () => now,
  );
  report({ kind: 'made-room', bodies: 300, records: 0 });
  now += 59_999;
  report({ kind: 'made-room', bodies: 100, records: 10 });
  now += 1;
  report({ kind: 'made-room', bodies: 0, records: 5 });
  expect(lines.map(({ level, bodies, records }) => ({ level, bodies, records }))).toEqual([
    { level: 'warn', bodies: 300, records: 0 },
    { level: 'warn', bodies: 100, records: 15 },
  ]);
  const text = await metrics.registry.metrics();
  expect(text).toContain('relay_store_made_room_total{part="bodies"} 400');
  expect(text).toContain('relay_store_made_room_total{part="records"} 15');
  expect(text).toContain('relay_retention_removed_total 0');
});

it('says that payloads have a checksum only if some got one', () => {
  const lines: Record<string, unknown>[] = [];
  const write = (text: string): void => void lines.push(JSON.parse(text) as Record<string, unknown>);
  const log = createLogger({ level: 'info', destination: { write } });
  const report = createMaintenanceReports(log, createMetrics(), false);
  report({ kind: 'sealed', resealed: 0, unreadable: 0 });
  expect(lines).toEqual([]);
  report({ kind: 'sealed', resealed: 3, unreadable: 0 });
  expect(lines).toMatchObject([{ resealed: 3, msg: 'every stored payload has a checksum' }]);
});
