import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Difference } from '../../src/reconciliation/reconciliation-report.ts';
import { MAX_OPEN_RUNS } from '../../src/reconciliation/run-requests.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { openReplica } from '../reconciliation/reconcilers-rig.ts';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig();
});
afterEach(() => rig.close());

/** The rig with a source and a destination that are compared, and the fakes that do it. */
function compared() {
  const fake = openReplica({ journal: rig.journal, now: () => rig.state.now });
  rig.state.reconciliation = fake.reconcilers;
  return fake;
}

const RUN = '/admin/v1/reconciliation/run';

it('has nothing while nothing is compared', async () => {
  const { status, body } = await rig.get('/admin/v1/reconciliation');
  expect({ status, body }).toEqual({ status: 200, body: { sources: [], destinations: [], runs: [] } });
  expect((await rig.post(RUN, {})).body).toMatchObject({
    status: 400,
    detail: 'no source and no destination has `reconcile` in the configuration',
  });
});

it('shows what was found, with times in ISO 8601', async () => {
  const fake = compared();
  const difference: Difference = {
    kind: 'counts-differ',
    cause: 'flow-too-young',
    count: 3,
    isOpen: true,
    window: { from: 0, until: 3_600_000 },
    detail: 'AEP has 3 records less than were delivered',
  };
  const report = await fake.reconcilers.report();
  rig.state.reconciliation = {
    ...fake.reconcilers,
    report: async () => ({
      ...report,
      sources: report.sources.map((one) => ({
        ...one,
        differences: [difference],
        open: { 'counts-differ': 3 },
      })),
    }),
  };
  const { body } = await rig.get('/admin/v1/reconciliation');
  expect(body.sources).toMatchObject([
    {
      source: 'acme',
      coveredFrom: '1970-01-01T00:00:01.000Z',
      seesUntil: '1970-01-01T00:00:02.000Z',
      sums: { sent: 5 },
      differences: [
        { open: true, window: { from: '1970-01-01T00:00:00.000Z', until: '1970-01-01T01:00:00.000Z' } },
      ],
    },
  ]);
  expect(body.sources[0].differences[0]).not.toHaveProperty('isOpen');
  expect(body.destinations).toMatchObject([{ destination: 'acme-aep', sums: { landed: 3 } }]);
});

it('asks for a run of all or of one, as the operator who asks', async () => {
  compared();
  const all = await rig.post(RUN, undefined, { headers: { 'x-relay-operator': 'kim' } });
  expect(all).toMatchObject({
    status: 202,
    body: { run: expect.any(String), targets: [{ name: 'acme' }, { name: 'acme-aep' }] },
  });
  const one = await rig.post(RUN, { source: 'acme', since: '2026-01-30T08:00:00Z', resend: true });
  expect(one.body.targets).toEqual([{ side: 'capillary', name: 'acme' }]);
  const { runs } = (await rig.get('/admin/v1/reconciliation')).body;
  expect(runs.find(({ id }: { id: string }) => id === one.body.run)).toMatchObject({
    state: 'waiting',
    since: '2026-01-30T08:00:00.000Z',
    resend: true,
  });
  expect(runs.find(({ id }: { id: string }) => id === all.body.run)).toMatchObject({ by: 'admin (kim)' });
  expect(rig.observed.actions.map(({ action }) => action)).toEqual([
    'reconciliation.run',
    'reconciliation.run',
  ]);
});

it('refuses what cannot be run, with the reason', async () => {
  compared();
  const refused = async (json: unknown) => {
    const { status, body } = await rig.post(RUN, json);
    expect(status).toBe(400);
    return body.detail as string;
  };
  expect(await refused({ source: 'acmee' })).toContain('did you mean');
  expect(await refused({ source: 'acme-aep' })).toContain('source: no source of this name');
  expect(await refused({ destination: 'x' })).toContain('known: acme-aep');
  expect(await refused({ source: 'acme', destination: 'acme-aep' })).toContain('omit both');
  expect(await refused({ destination: 'acme-aep', resend: true })).toContain('resend: is for sources');
  expect(await refused({ since: '2026-02-01' })).toContain('in the past');
  expect(await refused({ since: '2025-12-31' })).toContain('at most 30 days');
  expect(await refused({ since: 'yesterday' })).toContain('since: must be a time');
  expect(await refused([])).toContain('body: must be');
  for (let n = 0; n < MAX_OPEN_RUNS; n += 1) await rig.post(RUN, {});
  expect(await rig.post(RUN, {})).toMatchObject({ status: 409, body: { code: 'conflict' } });
});

it('adds both ends to the ledger, and to an event whether it landed', async () => {
  compared();
  await rig.webhook('acme', transactionAdded(1));
  await rig.webhook('acme', transactionAdded(2));
  const [receipt = ''] = await rig.settle(() => ({ state: 'delivered', delivered: ['event'] }), ['acme-aep']);
  const ledger = async () => (await rig.get('/admin/v1/ledger')).body;
  expect((await ledger()).sources.acme).toMatchObject({
    delivered: 2,
    landed: 0,
    refusedLater: 0,
    unconfirmed: 2,
    sent: 5,
    recovered: 1,
    unrecoverable: 1,
    missing: 0,
    sentUntil: '1970-01-01T00:00:02.000Z',
  });
  const record = async () => (await rig.get(`/admin/v1/events/${receipt}`)).body;
  expect((await record()).landing).toEqual({ state: 'unconfirmed' });

  const span = Math.floor(rig.state.now / 10_000) * 10_000;
  rig.state.now = span + 3_600_000;
  await rig.journal.confirm('acme-aep', { from: span, until: span + 10_000, since: span + 60_000 });
  expect((await record()).landing).toEqual({
    state: 'landed',
    since: new Date(span + 60_000).toISOString(),
  });
  const detail = 'Profile does not have it';
  await rig.journal.doubt('acme-aep', [{ receipt, code: 'not-in-profile', detail }]);
  expect((await record()).landing).toEqual({ state: 'unconfirmed', code: 'not-in-profile', detail });
  expect(await ledger()).toMatchObject({ landed: 1, unconfirmed: 1 });
  // The other source sends to a destination that is not compared.
  await rig.webhook('beta', transactionAdded(3));
  rig.state.reconciliation = undefined;
  expect((await record()).landing).toBeUndefined();
  expect((await ledger()).sources.acme).not.toHaveProperty('landed');
});
