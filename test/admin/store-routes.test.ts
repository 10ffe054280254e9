import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;

beforeEach(async () => {
  rig = await startAdminRig();
  await rig.webhook('acme', { eventName: 'pointsIssued', eventId: 'e-1', orgId: 1, data: { customerId: 1 } });
});
afterEach(() => rig.close());

describe('POST /admin/v1/store/backup', () => {
  it('sends a complete store and leaves nothing beside the own one', async () => {
    const answer = await rig.admin.inject({ method: 'POST', url: '/admin/v1/store/backup' });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('application/vnd.sqlite3');
    expect(Number(answer.headers['content-length'])).toBe(answer.rawPayload.byteLength);
    const folder = join(rig.storePath, '..', 'restored');
    mkdirSync(folder);
    writeFileSync(join(folder, 'relay.db'), answer.rawPayload);
    expect(verifyStore(join(folder, 'relay.db'))).toEqual([]);
    expect(readdirSync(rig.storePath).filter((name) => name.startsWith('.backup'))).toEqual([]);
    expect(rig.observed.actions).toEqual([
      { action: 'store.backup', by: 'admin', counts: { bytes: answer.rawPayload.byteLength } },
    ]);
  });

  it('is refused beside another one', async () => {
    const file = join(rig.storePath, '..', 'other.db');
    const other = rig.journal.backup(file);
    const answer = await rig.post('/admin/v1/store/backup');
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'conflict', detail: 'another backup is being made' },
    });
    await other;
    rmSync(file);
  });

  it('needs the token, like every action', async () => {
    rig.state.token = 'a-long-enough-token';
    expect((await rig.post('/admin/v1/store/backup')).status).toBe(401);
  });
});
