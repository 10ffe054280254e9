import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { transactionAdded } from '../fixtures/events.ts';
import { type AdminRig, ledgerOf, source, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig([source('acme', { orgIds: [1] })]);
});
afterEach(() => rig.close());

const event = (orgId: number) => ({ ...transactionAdded(1), orgId });
const replay = (receipt: string, json?: unknown) => rig.post(`/admin/v1/events/${receipt}/replay`, json);
const accept = async (): Promise<string> => (await rig.webhook('acme', event(1))).body.receipt;
const stateOf = async (receipt: string) => (await rig.get(`/admin/v1/events/${receipt}`)).body.state;

/** An event of another organisation: malformed until the source takes that one too. */
const malformed = async (body: object = event(2)): Promise<string> =>
  /kept as (\S+)$/.exec((await rig.webhook('acme', body)).body.detail)?.[1] ?? expect.fail();

describe('replaying one event', () => {
  it.each([
    ['dead', { state: 'dead', reason: 'rejected', detail: '', sent: [] }],
    ['ignored', { state: 'ignored', reason: 'no-identity' }],
    ['delivered', { state: 'delivered', delivered: ['event'] }],
  ] as const)('makes a %s one pending again', async (_state, outcome) => {
    const receipt = await accept();
    await rig.settle(() => ({ ...outcome }));
    const { status, body } = await replay(receipt);
    expect({ status, body }).toEqual({ status: 200, body: { matched: 1, replayed: 1, receipt } });
    expect(await stateOf(receipt)).toBe('pending');
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 1, pending: 1 });
    expect(rig.seen.acted).toEqual([
      { action: 'event.replay', by: 'admin', counts: { matched: 1, replayed: 1 } },
    ]);
  });

  it('takes an event id as well, and answers the receipt', async () => {
    const body = event(1);
    const { receipt } = (await rig.webhook('acme', body)).body;
    await rig.bury();
    expect((await replay(body.eventId, {})).body.receipt).toBe(receipt);
  });

  it('refuses a pending one', async () => {
    const { status, body } = await replay(await accept());
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'conflict', detail: expect.stringContaining('pending') });
  });

  it('refuses one whose body is gone', async () => {
    const receipt = await accept();
    await rig.bury();
    await rig.post('/admin/v1/dead-letters/discard', { receipts: [receipt] });
    expect((await replay(receipt)).body).toMatchObject({
      status: 409,
      detail: expect.stringContaining('body is gone'),
    });
  });

  it('answers 404 for an unknown one and 400 for a body that is none', async () => {
    expect((await replay('none')).status).toBe(404);
    expect((await replay('none', { asnew: true })).body.detail).toBe(
      'asnew: is not known here; leave it out',
    );
    expect((await replay('none', { asNew: 'yes' })).body.detail).toBe('asNew: must be true or false');
    expect((await replay('none', [])).body.detail).toContain('body: must be {} or {"asNew": true}');
  });
});

describe('replaying one malformed body', () => {
  it('is refused while it is malformed, with the reason but nothing of the body', async () => {
    const receipt = await malformed();
    const { status, body } = await replay(receipt);
    expect(status).toBe(409);
    expect(body.detail).toContain('still malformed: wrong-org');
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 0, malformed: 1 });
  });

  it('makes an event of it once the source takes it', async () => {
    const receipt = await malformed();
    rig.sources.set([source('acme', { orgIds: [1, 2] })]);
    expect((await replay(receipt)).body).toEqual({ matched: 1, replayed: 1, receipt });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 1, pending: 1, malformed: 0 });
    const { body } = await rig.get(`/admin/v1/events/${receipt}`);
    expect(body).toMatchObject({ state: 'pending', eventName: 'transactionAdded', orgId: 2 });
    expect(body.timeline.at(-1)).toMatchObject({ what: 'action', by: 'admin', action: 'promoted' });
  });

  it('answers the first receipt when the event came again in the meantime', async () => {
    const body = event(2);
    const receipt = await malformed(body);
    rig.sources.set([source('acme')]);
    const first = (await rig.webhook('acme', body)).body.receipt;
    expect((await replay(receipt)).body).toEqual({ matched: 1, replayed: 0, receipt: first });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 1, pending: 1, malformed: 0 });
    expect((await rig.get(`/admin/v1/events/${receipt}`)).status).toBe(404);
  });

  it('is refused when its source is configured no longer', async () => {
    const receipt = await malformed();
    rig.sources.set([]);
    expect((await replay(receipt)).body.detail).toContain('its source is not configured any more');
  });
});
