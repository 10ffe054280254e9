import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { StoreError } from '../../src/journal/journal.ts';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig();
});
afterEach(() => rig.close());

const PATH = '/admin/v1/config/reload';

it('answers what a reload has changed, and records the operator', async () => {
  const result = {
    outcome: 'applied',
    file: 'relay.yaml',
    changed: [{ path: 'sources[acme].timezone', from: 'UTC', to: 'Asia/Kolkata' }],
    needsRestart: ['server.port'],
    warnings: [{ path: 'admin.port', message: 'is odd', fix: 'look', line: 4, column: 2 }],
  } as const;
  rig.state.reload = async () => result;
  const answer = await rig.post(PATH, undefined, { headers: { 'x-relay-operator': 'alice' } });
  expect(answer).toMatchObject({ status: 200, body: result });
  expect(rig.observed.actions).toEqual([
    { action: 'config.reload', by: 'admin (alice)', counts: { changed: 1, needsRestart: 1 } },
  ]);
});

it('answers 422 with all problems if the configuration cannot be used', async () => {
  rig.state.reload = async () => {
    throw new ConfigError('relay.yaml', [
      { path: 'admin.port', message: 'is wrong', fix: 'use another', line: 4, column: 3 },
      { path: '', message: 'is empty', fix: 'fill it' },
    ]);
  };
  const answer = await rig.post(PATH);
  expect(answer).toMatchObject({ status: 422, body: { code: 'invalid-config', file: 'relay.yaml' } });
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body.problems).toEqual([
    { path: 'admin.port', message: 'is wrong', fix: 'use another', line: 4, column: 3 },
    { path: '', message: 'is empty', fix: 'fill it' },
  ]);
  expect(rig.observed.actions).toEqual([]);
});

it('answers 503 and says why if the store failed while the reload was prepared', async () => {
  rig.state.reload = async () => {
    throw new StoreError('no connection to the database', { fix: 'start the server' });
  };
  expect(await rig.post(PATH)).toMatchObject({
    status: 503,
    body: { code: 'store-failing', detail: 'no connection to the database; fix: start the server' },
  });
});

it('needs the token', async () => {
  rig.state.token = 'a-token';
  expect((await rig.post(PATH)).status).toBe(401);
});
