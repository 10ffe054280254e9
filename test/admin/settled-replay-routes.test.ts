import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { transactionAdded } from '../fixtures/events.ts';
import { type AdminRig, ledgerOf, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
let start: number;
beforeEach(async () => {
  rig = await startAdminRig();
  start = rig.state.now;
});
afterEach(() => rig.close());

const PATH = '/admin/v1/events/replay';

async function accept(n = 1): Promise<string> {
  return (await rig.webhook('acme', transactionAdded(n))).body.receipt;
}
async function deliver(n = 1): Promise<string> {
  const receipt = await accept(n);
  await rig.settle(() => ({ state: 'delivered', delivered: ['event'] }));
  return receipt;
}
async function detailOf(json: unknown): Promise<string> {
  const { status, body } = await rig.post(PATH, json);
  expect(status).toBe(400);
  return body.detail;
}

describe('replaying settled events', () => {
  it('counts and shows them first, then makes them pending, and records it', async () => {
    const receipt = await deliver();
    const wanted = { filter: { source: 'acme' }, states: ['delivered'], asNew: true };
    expect((await rig.post(PATH, { ...wanted, dryRun: true })).body).toMatchObject({
      matched: 1,
      dryRun: true,
      eligible: 1,
      sample: [{ receipt, state: 'delivered' }],
      warnings: [{ code: 'counted-again', events: 1 }],
    });
    expect(await ledgerOf(rig)).toMatchObject({ delivered: 1, pending: 0 });
    const { status, body } = await rig.post(PATH, wanted, { headers: { 'x-relay-operator': 'olga' } });
    expect({ status, body }).toEqual({
      status: 200,
      body: { matched: 1, replayed: 1, done: true, replay: 1 },
    });
    expect(await ledgerOf(rig)).toMatchObject({ delivered: 0, pending: 1 });
    expect(rig.observed.actions).toEqual([
      { action: 'events.replay', by: 'admin', dryRun: true, counts: { matched: 1, eligible: 1 } },
      { action: 'events.replay', by: 'admin (olga)', dryRun: false, counts: { matched: 1, replayed: 1 } },
    ]);
    const job = (await rig.get('/admin/v1/replays/1')).body;
    expect(job).toMatchObject({
      by: 'admin (olga)',
      asNew: true,
      filter: { source: 'acme', states: ['delivered'], settledUntil: new Date(start + 1).toISOString() },
      done: true,
    });
    expect((await rig.get('/admin/v1/replays')).body).toEqual({ replays: [job] });
    expect((await rig.get('/admin/v1/dead-letters/replays')).body).toEqual({ replays: [job] });
  });

  it('answers 202 while it is not done, and 409 to the same filter', async () => {
    await deliver();
    const job = {
      id: 5,
      by: 'admin',
      at: start,
      asNew: false,
      filter: { states: ['delivered'] as const },
      narrowedBy: [],
      matched: 1,
      replayed: 0,
      done: false,
    };
    let jobs: (typeof job)[] = [];
    Object.assign(rig.parts.journal, {
      startReplay: async () => {
        jobs = [job];
        return { id: 5, stopped: Promise.resolve() };
      },
      replays: async () => jobs,
    });
    const wanted = { filter: {}, all: true, states: ['delivered'] };
    const { status, body } = await rig.post(PATH, wanted);
    expect({ status, body }).toEqual({
      status: 202,
      body: { matched: 1, replayed: 0, done: false, replay: 5 },
    });
    expect((await rig.post(PATH, wanted)).body).toMatchObject({
      status: 409,
      detail: expect.stringContaining('replay 5 with the same filter has not finished'),
    });
    // A dry run is possible meanwhile.
    expect((await rig.post(PATH, { ...wanted, dryRun: true })).status).toBe(200);
  });

  it('takes receipts in any settled state', async () => {
    const delivered = await deliver(1);
    const pending = await accept(2);
    const { body } = await rig.post(PATH, { receipts: [delivered, pending] });
    expect(body).toMatchObject({
      matched: 1,
      replayed: 1,
      problems: [{ receipt: pending, detail: expect.stringContaining('it is pending') }],
    });
  });

  it('refuses what cannot be meant, with the nearest known value', async () => {
    await deliver();
    const filter = { source: 'acme' };
    expect(await detailOf({ filter, states: ['deliverd'] })).toContain('did you mean `delivered`?');
    expect(await detailOf({ filter, states: ['pending'] })).toContain('delivered without a replay');
    expect(await detailOf({ filter, states: ['malformed'] })).toContain('/admin/v1/dead-letters/replay');
    expect(await detailOf({ filter })).toBe(
      'states: must be an array with at least one of delivered, ignored, dead',
    );
    expect(await detailOf({ filter, states: [] })).toContain('states: must be an array');
    expect(await detailOf({ filter: { source: 'acm' }, states: ['dead'] })).toBe(
      'filter.source: no source has this name; did you mean `acme`?',
    );
    expect(await detailOf({ filter: { reason: 'rejectd' }, states: ['dead'] })).toContain('`rejected`');
    expect(await detailOf({ filter: { reason: 'rejected' }, states: ['delivered'] })).toContain('no reason');
    expect(await detailOf({ filter: { sauce: 'acme' }, states: ['dead'] })).toContain('not a known field');
    expect(await detailOf({ filter: {}, states: ['dead'] })).toContain('"all": true');
    expect(await detailOf({ states: ['dead'] })).toContain('must have either receipts or filter');
    const times = { settledSince: '2026-01-31', settledUntil: '2026-01-30' };
    expect(await detailOf({ filter: times, states: ['dead'] })).toBe(
      'filter.settledUntil: must be later than settledSince',
    );
    expect(rig.observed.actions).toEqual([]);
  });

  it('knows no replay of another id', async () => {
    expect((await rig.get('/admin/v1/replays/7')).status).toBe(404);
    expect((await rig.get('/admin/v1/replays/x')).body.detail).toContain('must be the id of a replay');
  });
});

describe('events by the time of their settlement', () => {
  it('are listed, among dead letters too', async () => {
    const first = await deliver(1);
    rig.state.now += 60_000;
    await accept(2);
    await rig.moveToDeadLetters();
    const at = new Date(rig.state.now).toISOString();
    expect((await rig.get(`/admin/v1/events?settledUntil=${at}`)).body.events).toMatchObject([
      { receipt: first },
    ]);
    expect((await rig.get(`/admin/v1/events?settledSince=${at}`)).body.events).toMatchObject([
      { state: 'dead' },
    ]);
    expect((await rig.get(`/admin/v1/dead-letters?settledUntil=${at}`)).body.deadLetters).toEqual([]);
    expect((await rig.get(`/admin/v1/dead-letters?settledSince=${at}`)).body.deadLetters).toHaveLength(1);
    const filter = { settledUntil: at };
    expect((await rig.post('/admin/v1/dead-letters/replay', { filter, dryRun: true })).body.matched).toBe(0);
  });
});
