import { afterEach, beforeEach, expect, it } from 'vitest';
import { transactionAdded } from '../fixtures/events.ts';
import { sampleEvent } from '../contract/samples.ts';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig();
});
afterEach(() => rig.close());

it('lists all destinations with their pending events', async () => {
  await rig.webhook('acme', transactionAdded(1));
  rig.state.lastAnswers = { inlet: { at: rig.state.now, status: 207, text: '1 of 1 messages taken' } };
  const { body } = await rig.get('/admin/v1/destinations');
  expect(body.destinations).toHaveLength(2);
  expect(body.destinations[0]).toEqual({
    name: 'acme-aep',
    state: 'flowing',
    inFlight: 0,
    concurrency: { used: 0, limit: 8 },
    tokenSecondsLeft: 3_599.5,
    lastAnswers: {
      inlet: { at: new Date(rig.state.now).toISOString(), status: 207, text: '1 of 1 messages taken' },
    },
    otherReplicas: [],
    pending: 1,
    oldestPendingAt: new Date(rig.state.now).toISOString(),
    batch: { maxBytes: 900_000, maxMessages: 200, maxWait: 200 },
    limits: { requestsPerSecond: 500, messagesPerSecond: 5_000, concurrency: 8 },
  });
});

it('pauses and resumes one destination and answers its new status', async () => {
  const operator = { headers: { 'x-relay-operator': 'bob' } };
  const paused = await rig.post('/admin/v1/destinations/acme-aep/pause', undefined, operator);
  expect(paused.body).toMatchObject({
    name: 'acme-aep',
    state: 'paused',
    reason: 'operator',
    detail: 'paused by admin (bob)',
    since: new Date(rig.state.now).toISOString(),
  });
  expect(await rig.journal.pauses()).toEqual([
    { destination: 'acme-aep', by: 'admin (bob)', at: rig.state.now },
  ]);
  const resumed = await rig.post('/admin/v1/destinations/acme-aep/resume', {});
  expect(resumed.body).toMatchObject({ name: 'acme-aep', state: 'flowing' });
  expect(resumed.body).not.toHaveProperty('since');
  expect(rig.observed.actions).toEqual([
    { action: 'destination.pause', by: 'admin (bob)', destination: 'acme-aep' },
    { action: 'destination.resume', by: 'admin', destination: 'acme-aep' },
  ]);
});

it('answers 404 for an unknown destination', async () => {
  for (const action of ['pause', 'resume']) {
    const { body } = await rig.post(`/admin/v1/destinations/nowhere/${action}`);
    expect(body).toMatchObject({ status: 404, code: 'not-found' });
    expect(body.detail).toBe('no destination has this name; the destinations are: acme-aep, other-aep');
    const { body: near } = await rig.post(`/admin/v1/destinations/aepp/${action}`);
    expect(near.detail).not.toContain('did you mean');
    const { body: nearer } = await rig.post(`/admin/v1/destinations/acme-aeb/${action}`);
    expect(nearer.detail).toBe('no destination has this name; did you mean `acme-aep`?');
  }
});

it('moves pending events to the destination that their source has now', async () => {
  const at = { receivedAt: rig.state.now };
  await rig.journal.append([
    sampleEvent({ ...at, source: 'acme', destination: 'former-aep' }),
    sampleEvent({ ...at, source: 'acme', destination: 'other-aep' }),
    sampleEvent({ ...at, source: 'beta', destination: 'former-aep' }),
    sampleEvent({ ...at, source: 'acme', destination: 'acme-aep' }),
    sampleEvent({ ...at, source: 'gone', destination: 'former-aep' }),
  ]);
  const moves = [
    { source: 'acme', from: 'former-aep', to: 'acme-aep', pending: 1 },
    { source: 'acme', from: 'other-aep', to: 'acme-aep', pending: 1 },
  ];
  const path = '/admin/v1/destinations/reroute';
  const [first] = (await rig.journal.list({ destination: 'former-aep', source: 'acme' }, { limit: 1 })).items;
  const found = await rig.get(`/admin/v1/events/${first!.receipt}`);
  expect(found.body).toMatchObject({ destination: 'former-aep', sourceDestination: 'acme-aep' });
  const tried = await rig.post(path, { source: 'acme', dryRun: true });
  expect(tried.body).toEqual({ matched: 2, dryRun: true, moves });
  const done = await rig.post(path, { source: 'acme' });
  expect(done.body).toEqual({ matched: 2, rerouted: 2, moves });
  const rest = await rig.post(path);
  expect(rest.body).toMatchObject({ matched: 1, rerouted: 1, moves: [{ source: 'beta' }] });
  expect((await rig.post(path)).body).toEqual({ matched: 0, rerouted: 0, moves: [] });
  const backlog = await rig.journal.backlog();
  expect(backlog.map(({ destination, pending }) => [destination, pending])).toEqual(
    expect.arrayContaining([
      ['acme-aep', 4],
      // Of a source that is not configured.
      ['former-aep', 1],
    ]),
  );
  expect(rig.observed.actions[1]).toEqual({
    action: 'destinations.reroute',
    by: 'admin',
    counts: { matched: 2, rerouted: 2 },
    dryRun: false,
    moves,
  });
  expect((await rig.get(`/admin/v1/events/${first!.receipt}`)).body.timeline).toContainEqual(
    expect.objectContaining({ what: 'action', by: 'admin', action: 'rerouted from former-aep to acme-aep' }),
  );
  expect((await rig.post(path, { source: 'acne' })).body.detail).toMatch(/did you mean .*acme/u);
});
