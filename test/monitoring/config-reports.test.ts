import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import type { Config } from '../../src/config/config-schema.ts';
import { createConfigReports, removedSourceWarnings } from '../../src/monitoring/config-reports.ts';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { createLogger } from '../../src/telemetry/log.ts';

const T0 = Date.UTC(2026, 0, 31, 8);

function rig() {
  const metrics = createMetrics();
  const lines: Record<string, unknown>[] = [];
  const write = (text: string): void => void lines.push(JSON.parse(text) as Record<string, unknown>);
  const log = createLogger({ level: 'info', destination: { write } });
  const clock = { now: T0 };
  const reports = createConfigReports(log, metrics, () => clock.now);
  const value = async (name: string): Promise<string | undefined> => {
    const text = await metrics.registry.metrics();
    return text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1];
  };
  return { lines, clock, value, ...reports };
}

describe('reports of the configuration', () => {
  it('begin at 0, so that the first refusal is an increase', async () => {
    const { value } = rig();
    for (const outcome of ['applied', 'unchanged', 'refused'])
      expect(await value(`relay_config_reloads_total{outcome="${outcome}"}`)).toBe('0');
    expect(await value('relay_secret_files_unusable')).toBe('0');
    expect(await value('relay_config_last_reload_success_timestamp_seconds')).toBe(String(T0 / 1_000));
  });

  it('log what a reload has changed, at most 50 keys, and what needs a restart', async () => {
    const { lines, clock, value, onReload } = rig();
    clock.now += 60_000;
    const changed = Array.from({ length: 52 }, (_, n) => ({ path: `sources[s${n}]`, from: 'a', to: 'b' }));
    const warning = { path: 'sources[0].country', message: 'is odd', fix: 'look' };
    onReload(
      { outcome: 'applied', file: 'relay.yaml', changed, needsRestart: ['server.port'], warnings: [warning] },
      'reload',
    );
    expect(lines).toMatchObject([
      { level: 'warn', msg: 'the configuration is probably wrong', ...warning },
      { msg: 'configuration reloaded', changed: changed.slice(0, 50), changedNotListed: 2 },
      { level: 'warn', needsRestart: ['server.port'] },
    ]);
    expect(await value('relay_config_reloads_total{outcome="applied"}')).toBe('1');
    expect(await value('relay_config_last_reload_success_timestamp_seconds')).toBe(String(T0 / 1_000 + 60));
  });

  it('log the problems of a refused configuration', async () => {
    const { lines, clock, value, onRefused } = rig();
    clock.now += 60_000;
    const problems = [{ path: 'admin.port', message: 'is wrong', fix: 'use another', line: 4 }];
    onRefused(new ConfigError('relay.yaml', problems), 'reload');
    onRefused(new Error('disk I/O error'), 'reload');
    expect(lines).toMatchObject([
      { level: 'error', msg: expect.stringContaining('not reloaded'), problems },
      { level: 'error', err: { message: 'disk I/O error' } },
    ]);
    expect(await value('relay_config_reloads_total{outcome="refused"}')).toBe('2');
    expect(await value('relay_config_last_reload_success_timestamp_seconds')).toBe(String(T0 / 1_000));
  });

  it('say once that the secret files can be used again', async () => {
    const { lines, value, onUnusableSecrets } = rig();
    for (const files of [0, 2, 2, 0, 0]) onUnusableSecrets(files);
    expect(lines.map(({ msg }) => msg)).toEqual(['secret files can be used again']);
    expect(await value('relay_secret_files_unusable')).toBe('0');
  });

  it('name the keys of changed secrets, which are no reload', async () => {
    const { lines, value, onReload } = rig();
    const changed = [{ path: 'admin.token', secret: true }] as const;
    onReload({ outcome: 'applied', file: 'relay.yaml', changed, needsRestart: [], warnings: [] }, 'secrets');
    expect(lines).toMatchObject([{ msg: 'secrets reloaded', changed: ['admin.token'] }]);
    expect(await value('relay_config_reloads_total{outcome="applied"}')).toBe('0');
  });
});

it('a source that is removed while events of it are pending is a warning', () => {
  const counts = {
    accepted: 9,
    pending: 8,
    delivered: 1,
    ignored: 0,
    dead: 0,
    malformed: 0,
    quarantined: 0,
  };
  const ledger = { acme: counts, beta: counts, gone: { ...counts, pending: 0, delivered: 9 } };
  const warnings = removedSourceWarnings({ sources: [{ name: 'acme' }] } as unknown as Config, ledger);
  expect(warnings.map(({ path, message }) => `${path} ${message}`)).toEqual([
    'sources[beta] is not configured, and 8 of its events are pending: they wait until it is again',
  ]);
});
