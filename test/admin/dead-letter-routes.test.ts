import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type AdminRig, ledgerOf, source, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
async function start() {
  rig = await startAdminRig([source('acme', { orgIds: [100458] }), source('beta')]);
}
function stop() {
  return rig.close();
}

function replay(json: unknown, headers = {}) {
  return rig.post('/admin/v1/dead-letters/replay', json, { headers });
}
function discard(json: unknown) {
  return rig.post('/admin/v1/dead-letters/discard', json);
}
async function list(query = '') {
  return (await rig.get(`/admin/v1/dead-letters?${query}`)).body;
}

/**
 * Two rejected events of acme, one poison event of beta and two malformed bodies, one of which is
 * malformed only because of the configuration.
 */
async function fill() {
  await rig.webhook('acme', transactionAdded(1));
  await rig.webhook('acme', pointsIssued(2, 10));
  const [first, second] = await rig.moveToDeadLetters('rejected');
  rig.state.now += 1_000;
  await rig.webhook('beta', transactionAdded(3));
  const [third] = await rig.moveToDeadLetters('poison');
  await rig.webhook('acme', 'no json');
  await rig.webhook('acme', { ...transactionAdded(4), orgId: 7 });
  return { first, second, third };
}

describe('listing dead letters', () => {
  beforeAll(start);
  beforeAll(async () => {
    await fill();
    await rig.webhook('acme', transactionAdded(5));
  });
  afterAll(stop);

  it('lists only dead events and malformed bodies, newest first', async () => {
    const { deadLetters, next } = await list();
    expect(next).toBeNull();
    expect(deadLetters.map(({ state, reason }: Record<string, string>) => `${state} ${reason}`)).toEqual([
      'malformed malformed',
      'malformed malformed',
      'dead poison',
      'dead rejected',
      'dead rejected',
    ]);
  });

  it.each([
    ['source=beta', 1],
    ['reason=malformed', 2],
    ['reason=rejected', 2],
    ['eventName=transactionAdded', 2],
    ['customerId=2', 1],
    ['destination=acme-aep', 5],
    ['since=2026-01-31T08:00:01Z', 3],
    ['until=2026-01-31T08:00:01Z', 2],
  ])('filters by %s', async (query, count) => {
    expect((await list(query)).deadLetters).toHaveLength(count);
  });

  it('pages', async () => {
    const first = await list('limit=3');
    const second = await list(`limit=3&cursor=${first.next}`);
    expect([first.deadLetters.length, second.deadLetters.length, second.next]).toEqual([3, 2, null]);
  });

  it('has no filter by state', async () => {
    expect((await rig.get('/admin/v1/dead-letters?state=pending')).body.detail).toContain('state:');
  });
});

describe('replaying dead letters', () => {
  beforeEach(start);
  afterEach(stop);

  it('makes the events that match a filter pending again', async () => {
    await fill();
    const { status, body } = await replay({ filter: { reason: 'rejected' } });
    expect(status).toBe(200);
    expect(body).toEqual({ matched: 2, replayed: 2, duplicates: 0, stillMalformed: 0 });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 3, pending: 2, dead: 1, malformed: 2 });
  });

  it('accepts receipts, ignoring repeated ones and those that are not dead letters', async () => {
    const { first = '', third = '' } = await fill();
    const pending = (await rig.webhook('acme', transactionAdded(5))).body.receipt;
    const { body } = await replay({ receipts: [first, first, third, pending, 'none'] });
    expect(body).toMatchObject({ matched: 2, replayed: 2, duplicates: 0, stillMalformed: 0 });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 4, pending: 3, dead: 1 });
  });

  it('says of each receipt why it cannot be replayed', async () => {
    const { first = '' } = await fill();
    const { eventId, ...pending } = { ...transactionAdded(5), eventId: 'the-event-id' };
    const { receipt } = (await rig.webhook('acme', { ...pending, eventId })).body;
    const malformed = (await rig.get('/admin/v1/dead-letters?reason=malformed')).body.deadLetters[0].receipt;
    await rig.webhook('acme', transactionAdded(6), { 'x-relay-key': 'wrong' });
    const [quarantined] = (await rig.get('/admin/v1/quarantine')).body.quarantined;
    await discard({ receipts: [first] });
    const { body } = await replay({
      receipts: [receipt, eventId, malformed, quarantined.receipt, first, 'none'],
      dryRun: true,
    });
    expect(body).toMatchObject({ matched: 1, dryRun: true, eligible: 0, sample: [] });
    expect(body.problems).toEqual([
      { receipt, detail: 'it is pending and will be delivered without a replay' },
      { receipt: eventId, detail: `this is the id of an event; its receipt is ${receipt}` },
      {
        receipt: quarantined.receipt,
        detail:
          'it is in the quarantine, because its sender could not be verified: fix the secret, then release it from there',
      },
      {
        receipt: first,
        detail: 'it is ignored and no dead letter: replay it by itself (events replay)',
      },
      { receipt: 'none', detail: 'no event has this receipt or event id; retention may have removed it' },
      { receipt: malformed, detail: expect.stringContaining('it is still malformed: ') },
    ]);
    const { problems } = (await discard({ receipts: [receipt] })).body;
    expect(problems).toEqual([{ receipt, detail: 'it is pending and no dead letter' }]);
  });

  it('says which dead letters have no body any more', async () => {
    const { receipt } = (await rig.webhook('acme', transactionAdded(1))).body;
    await rig.settle(() => ({ state: 'dead', reason: 'rejected', detail: '', sent: [], eraseOwn: true }));
    await rig.webhook('acme', transactionAdded(2));
    await rig.moveToDeadLetters();
    const problem = {
      receipt,
      detail: 'its body is gone (retention, discard or erasure) or cannot be read',
    };
    for (const selection of [{ filter: { source: 'acme' } }, { receipts: [receipt] }])
      expect((await replay({ ...selection, dryRun: true })).body.problems).toEqual([problem]);
    const { body } = await replay({ filter: { reason: 'rejected' }, dryRun: true });
    expect(body).toMatchObject({ matched: 2, eligible: 1 });
    expect(body.sample).toHaveLength(1);
  });

  it('lists at most ten entries in a dry run, the newest', async () => {
    const receipts: string[] = [];
    for (let index = 0; index < 12; index += 1)
      receipts.push((await rig.webhook('acme', transactionAdded(index))).body.receipt);
    await rig.moveToDeadLetters();
    const { sample, eligible } = (await replay({ filter: { source: 'acme' }, dryRun: true })).body;
    expect(eligible).toBe(12);
    expect(sample.map(({ receipt }: { receipt: string }) => receipt)).toEqual(receipts.slice(2).toReversed());
    expect(sample[0]).toMatchObject({ state: 'dead', reason: 'rejected' });
  });

  it.each([
    [{ source: 'acm' }, 'filter.source: no source has this name; did you mean `acme`?'],
    [{ reason: 'rejectd' }, 'filter.reason: is not known; did you mean `rejected`?'],
    [{ reason: 'test-event' }, 'filter.reason: is a reason of ignored events'],
    [{ destination: 'nowhere' }, 'filter.destination: no destination has this name; known: '],
    [{ reason: 'malformed', eventName: 'x' }, 'filter.eventName: a malformed body has none'],
  ])('refuses a filter that nothing can match: %j', async (filter, detail) => {
    for (const act of [replay, discard]) {
      const { status, body } = await act({ filter });
      expect([status, body.detail]).toEqual([400, expect.stringContaining(detail)]);
    }
    expect(rig.observed.actions).toEqual([]);
  });

  it('promotes malformed bodies that are events with the current configuration', async () => {
    await fill();
    rig.sources.set([source('acme')]);
    const { body } = await replay({ filter: { source: 'acme' } });
    expect(body).toMatchObject({ matched: 4, replayed: 3, duplicates: 0, stillMalformed: 1 });
    expect(body.problems).toEqual([
      { receipt: expect.any(String), detail: expect.stringContaining('it is still malformed: not-json') },
    ]);
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 4, pending: 3, dead: 1, malformed: 1 });
  });

  it('only counts in a dry run', async () => {
    await fill();
    rig.sources.set([source('acme'), source('beta')]);
    const before = await ledgerOf(rig);
    const { body } = await replay({ filter: {}, all: true, dryRun: true });
    expect(body).toMatchObject({ matched: 5, replayed: 0, duplicates: 0, stillMalformed: 1, eligible: 4 });
    expect(body.sample.map(({ state }: { state: string }) => state).toSorted()).toEqual([
      'dead',
      'dead',
      'dead',
      'malformed',
    ]);
    expect(await ledgerOf(rig)).toEqual(before);
    expect(rig.observed.actions.at(-1)).toMatchObject({ action: 'dead-letters.replay', dryRun: true });
  });

  it('gives them a new _id on request and records the operator', async () => {
    const { first = '' } = await fill();
    await replay({ receipts: [first], asNew: true }, { 'x-relay-operator': 'alice' });
    const { body } = await rig.get(`/admin/v1/events/${first}`);
    expect(body.messageId).toMatch(/^cap-[0-9a-f]{40}-.+$/);
    expect(body.timeline.at(-1)).toMatchObject({ by: 'admin (alice)', action: 'replayed as new' });
    expect(rig.observed.actions.at(-1)).toMatchObject({ action: 'dead-letters.replay', by: 'admin (alice)' });
  });

  it('processes more malformed bodies than fit in a page', async () => {
    const bodies = Array.from({ length: 53 }, (_, index) => ({ ...transactionAdded(index), orgId: 7 }));
    await Promise.all(bodies.map((body) => rig.webhook('acme', body)));
    await rig.webhook('acme', 'no json');
    rig.sources.set([source('acme')]);
    const { body } = await replay({ filter: {}, all: true });
    expect(body).toMatchObject({ matched: 54, replayed: 53, duplicates: 0, stillMalformed: 1 });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 53, pending: 53, malformed: 1 });
  });
});

describe('listing replays', () => {
  beforeEach(start);
  afterEach(stop);

  it('shows who replayed what and when, without identifying customers', async () => {
    const { second } = await fill();
    expect((await rig.get('/admin/v1/dead-letters/replays')).body).toEqual({ replays: [] });
    const filter = { customerId: '2', since: '2026-01-31T08:00:00Z' };
    await replay({ filter, asNew: true }, { 'x-relay-operator': 'alice' });
    await replay({ filter: { reason: 'poison' }, dryRun: true });
    await rig.moveToDeadLetters('rejected');
    await rig.post(`/admin/v1/events/${second}/replay`);
    const at = '2026-01-31T08:00:01.000Z';
    const common = { at, matched: 1, replayed: 1, done: true, finishedAt: at };
    expect((await rig.get('/admin/v1/dead-letters/replays')).body.replays).toEqual([
      { ...common, id: 2, by: 'admin', asNew: false, filter: {}, narrowedBy: ['receipts'] },
      {
        ...common,
        id: 1,
        by: 'admin (alice)',
        asNew: true,
        filter: { states: ['dead'], since: '2026-01-31T08:00:00.000Z' },
        narrowedBy: ['customerId'],
      },
    ]);
  });
});

describe('discarding dead letters', () => {
  beforeEach(start);
  afterEach(stop);

  it('marks dead events as ignored and removes malformed bodies', async () => {
    const { first = '' } = await fill();
    const { body } = await discard({ filter: {}, all: true });
    expect(body).toEqual({ matched: 5, discarded: 5 });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 3, ignored: 3, dead: 0, malformed: 0 });
    const record = await rig.get(`/admin/v1/events/${first}`);
    expect(record.body).toMatchObject({ state: 'ignored', reason: 'discarded', hasBody: false });
    expect(record.body.timeline.at(-2)).toMatchObject({ what: 'action', action: 'discarded' });
  });

  it('only counts in a dry run', async () => {
    await fill();
    expect((await discard({ filter: { source: 'beta' }, dryRun: true })).body).toEqual({
      matched: 1,
      discarded: 0,
      dryRun: true,
      eligible: 1,
      sample: [expect.objectContaining({ source: 'beta', state: 'dead' })],
    });
    expect(await ledgerOf(rig)).toMatchObject({ dead: 3, malformed: 2 });
  });
});

describe('a body that selects nothing or is ambiguous', () => {
  beforeAll(start);
  afterAll(stop);

  it.each(['replay', 'discard'])('is refused by %s without any effect', async (action) => {
    for (const json of [undefined, {}, { filter: {} }, { receipts: [] }, { filter: { state: 'dead' } }]) {
      const { status, body } = await rig.post(`/admin/v1/dead-letters/${action}`, json);
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'bad-request', detail: expect.any(String) });
    }
    expect(rig.observed.actions).toEqual([]);
  });
});
