import { afterEach, beforeEach, expect, it } from 'vitest';
import { readVersion } from '../../src/version.ts';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig();
});
afterEach(() => rig.close());

it('lists the replicas; a store in a folder has one', async () => {
  rig.journal.describe(() => ({
    rates: { accepted: 12.5, delivered: 10 },
    destinations: { 'acme-aep': { state: 'waiting', reason: 'throttled', inFlight: 3 } },
  }));
  await rig.settle(() => ({ state: 'delivered' }), ['acme-aep']);
  const { status, body } = await rig.get('/admin/v1/replicas');
  expect(status).toBe(200);
  expect(body.replicas).toEqual([
    {
      id: expect.any(String),
      name: expect.any(String),
      version: readVersion(),
      since: expect.stringMatching(/Z$/),
      silentFor: 0,
      isSelf: true,
      isLeader: true,
      slots: { 'acme-aep': 64 },
      rates: { accepted: 12.5, delivered: 10 },
      destinations: { 'acme-aep': { state: 'waiting', reason: 'throttled', inFlight: 3 } },
    },
  ]);
});
