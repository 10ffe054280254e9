import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EnrichmentStatus } from '../../src/enrichment/enrichment-status.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

const SINCE = Date.UTC(2026, 0, 31, 8);

const ACME: EnrichmentStatus = {
  source: 'acme',
  circuit: { state: 'open', since: SINCE, reason: 'GET /v2/customers/{id} → 503' },
  budget: { callsPerMinute: 80, left: 0, running: 0, pausedFor: 0 },
  waiting: 2,
  calls: { live: 1, flood: 0, replay: 0, refresh: 0 },
  lastHour: { complete: 7, unavailable: 3 },
  forbidden: [{ endpoint: 'bill', since: SINCE, lack: 'Read on Transaction' }],
  isMasked: true,
};

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig();
});
afterEach(() => rig.close());

it('has no source while none is enriched', async () => {
  const { status, body } = await rig.get('/admin/v1/enrichment');
  expect({ status, body }).toEqual({ status: 200, body: { sources: [] } });
});

it('shows how events are completed, and what the store has still to complete', async () => {
  rig.state.enrichment = [ACME];
  await rig.webhook('acme', transactionAdded(1));
  await rig.settle(
    () => ({ state: 'delivered', enrichment: { missing: { customer: true, bill: true, dueIn: 60_000 } } }),
    ['acme-aep'],
  );
  const { body } = await rig.get('/admin/v1/enrichment');
  const { circuit: _circuit, isMasked: _isMasked, ...same } = ACME;
  const since = new Date(SINCE).toISOString();
  expect(body).toEqual({
    sources: [
      {
        ...same,
        api: { state: 'unavailable', since, reason: 'GET /v2/customers/{id} → 503' },
        forbidden: [{ endpoint: 'bill', since, lack: 'Read on Transaction' }],
        masked: true,
        refreshes: { customers: 1, bills: 1, running: 0, oldestAt: expect.any(String) },
      },
    ],
  });
});
