import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLogger } from '../../src/telemetry/log.ts';
import { createLogLevel } from '../../src/telemetry/log-level.ts';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig();
});
afterEach(async () => {
  vi.useRealTimers();
  await rig.close();
});

const PATH = '/admin/v1/log-level';

it('reads, sets and resets the level, and records the operator', async () => {
  expect((await rig.get(PATH)).body).toEqual({ level: 'info', configured: 'info' });
  rig.log.debug('unseen');
  const set = await rig.put(PATH, { level: 'debug' }, { headers: { 'x-relay-operator': 'alice' } });
  expect(set).toMatchObject({ status: 200, body: { level: 'debug', configured: 'info' } });
  rig.log.debug('seen');
  expect((await rig.get(PATH)).body.level).toBe('debug');
  expect((await rig.put(PATH, { level: 'info' })).body).toEqual({ level: 'info', configured: 'info' });
  rig.log.debug('unseen again');
  expect(rig.lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['seen']);
  expect(rig.observed.actions).toEqual([
    { action: 'log-level.set', by: 'admin (alice)', level: 'debug' },
    { action: 'log-level.set', by: 'admin', level: 'info' },
  ]);
});

it('follows the configuration, but not while an operator has set another level', () => {
  const log = createLogger({ level: 'info', destination: { write: () => undefined } });
  const logLevel = createLogLevel(log, () => 0);
  logLevel.configure('debug');
  expect(logLevel.status()).toMatchObject({ level: 'debug', configured: 'debug' });
  vi.useFakeTimers();
  logLevel.set('trace', 60_000, () => undefined);
  logLevel.configure('warn');
  expect(logLevel.status()).toMatchObject({ level: 'trace', configured: 'warn' });
  vi.advanceTimersByTime(60_000);
  expect(logLevel.status()).toMatchObject({ level: 'warn', configured: 'warn' });
  logLevel.configure('error');
  expect(logLevel.status()).toMatchObject({ level: 'error', configured: 'error' });
});

it('shows how long the level applies', async () => {
  const { body } = await rig.put(PATH, { level: 'trace', for: '10m' });
  expect(body).toEqual({
    level: 'trace',
    configured: 'info',
    until: new Date(rig.state.now + 600_000).toISOString(),
  });
  expect((await rig.put(PATH, { level: 'trace' })).body).not.toHaveProperty('until');
});

it.each([
  [undefined, 'body: must have a level'],
  ['debug', 'body: must have a level'],
  [{}, 'level: must be one of trace, debug'],
  [{ level: 'loud' }, 'level: must be one of trace, debug'],
  [{ level: 'debg' }, 'silent; did you mean `debug`?'],
  [{ level: 'debug', for: 10 }, 'for: must be a number with a unit'],
  [{ level: 'debug', for: '10ms' }, 'for: must be at least 1s'],
  [{ level: 'debug', for: '2d' }, 'for: must be at most 1d'],
  [{ level: 'debug', forever: true }, 'forever: is not a known field'],
])('refuses %j', async (json, detail) => {
  const answer = await rig.put(PATH, json);
  expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining(detail) } });
  expect((await rig.get(PATH)).body.level).toBe('info');
  expect(rig.observed.actions).toEqual([]);
});

it('requires the token', async () => {
  rig.state.token = 'of the operators';
  expect((await rig.put(PATH, { level: 'debug' })).status).toBe(401);
  expect(rig.log.level).toBe('info');
});

it('is reset when the time has passed, unless it was set again; both are logged at any level', () => {
  vi.useFakeTimers();
  const lines: string[] = [];
  const log = createLogger({ level: 'silent', destination: { write: (text) => void lines.push(text) } });
  const control = createLogLevel(log, Date.now);
  control.set('debug', 1_000, () => log.info('first'));
  vi.advanceTimersByTime(900);
  control.set('error', 1_000, () => log.info('second'));
  vi.advanceTimersByTime(900);
  log.info('not at error');
  expect(control.status()).toMatchObject({ level: 'error', until: Date.now() + 100 });
  vi.advanceTimersByTime(100);
  expect(control.status()).toEqual({ level: 'silent', configured: 'silent', until: undefined });
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    'first',
    'second',
    'log level reset to the configured one',
  ]);
});
