import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { transactionAdded } from '../fixtures/events.ts';
import { type AdminRig, ledgerOf, source, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig([source('acme', { orgIds: [1] })]);
});
afterEach(() => rig.close());

function event(orgId: number) {
  return { ...transactionAdded(1), orgId };
}
function replay(receipt: string, json?: unknown) {
  return rig.post(`/admin/v1/events/${receipt}/replay`, json);
}
async function accept(): Promise<string> {
  return (await rig.webhook('acme', event(1))).body.receipt;
}
async function stateOf(receipt: string) {
  return (await rig.get(`/admin/v1/events/${receipt}`)).body.state;
}

/** An event of another organisation: malformed until the source accepts that organisation. */
async function malformed(body: object = event(2)): Promise<string> {
  const { detail } = (await rig.webhook('acme', body)).body;
  const [, receipt] = /kept as (\S+)$/.exec(detail) ?? [];
  if (receipt === undefined) throw new Error(`no receipt in: ${detail}`);
  return receipt;
}

describe('replaying one event', () => {
  it.each([
    ['dead', { state: 'dead', reason: 'rejected', detail: '', sent: [] }],
    ['ignored', { state: 'ignored', reason: 'no-identity' }],
    ['delivered', { state: 'delivered', delivered: ['event'] }],
  ] as const)('makes a %s event pending again', async (_state, outcome) => {
    const receipt = await accept();
    await rig.settle(() => ({ ...outcome }));
    const { status, body } = await replay(receipt);
    expect({ status, body }).toEqual({ status: 200, body: { matched: 1, replayed: 1, receipt } });
    expect(await stateOf(receipt)).toBe('pending');
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 1, pending: 1 });
    expect(rig.observed.actions).toEqual([
      { action: 'event.replay', by: 'admin', counts: { matched: 1, replayed: 1 } },
    ]);
  });

  it('accepts an event id too, and answers the receipt', async () => {
    const body = event(1);
    const { receipt } = (await rig.webhook('acme', body)).body;
    await rig.moveToDeadLetters();
    expect((await replay(body.eventId, {})).body.receipt).toBe(receipt);
  });

  it('refuses a pending event', async () => {
    const { status, body } = await replay(await accept());
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'conflict', detail: expect.stringContaining('pending') });
  });

  it('refuses an event whose body is gone', async () => {
    const receipt = await accept();
    await rig.moveToDeadLetters();
    await rig.post('/admin/v1/dead-letters/discard', { receipts: [receipt] });
    expect((await replay(receipt)).body).toMatchObject({
      status: 409,
      detail: expect.stringContaining('body is gone'),
    });
  });

  it('answers 404 for an unknown event and 400 for an invalid body', async () => {
    expect((await replay('none')).status).toBe(404);
    expect((await replay('none', { asnew: true })).body.detail).toBe(
      'asnew: is not a known field; remove it',
    );
    expect((await replay('none', { asNew: 'yes' })).body.detail).toBe('asNew: must be true or false');
    for (const body of [[], null, 'asNew', 1])
      expect((await replay('none', body)).body.detail).toContain(
        'body: must be {}, or have asNew or refetch',
      );
  });
});

describe('replaying one malformed body', () => {
  it('is refused while it is malformed, with the reason but no content of the body', async () => {
    const receipt = await malformed();
    const { status, body } = await replay(receipt);
    expect(status).toBe(409);
    expect(body.detail).toContain('still malformed: wrong-org');
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 0, malformed: 1 });
  });

  it('turns it into an event once the source accepts it', async () => {
    const receipt = await malformed();
    rig.sources.set([source('acme', { orgIds: [1, 2] })]);
    expect((await replay(receipt)).body).toEqual({ matched: 1, replayed: 1, receipt });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 1, pending: 1, malformed: 0 });
    const { body } = await rig.get(`/admin/v1/events/${receipt}`);
    expect(body).toMatchObject({ state: 'pending', eventName: 'transactionAdded', orgId: 2 });
    expect(body.timeline.at(-1)).toMatchObject({ what: 'action', by: 'admin', action: 'promoted' });
  });

  it('answers the first receipt if the event was received again in the meantime', async () => {
    const body = event(2);
    const receipt = await malformed(body);
    rig.sources.set([source('acme')]);
    const first = (await rig.webhook('acme', body)).body.receipt;
    expect((await replay(receipt)).body).toEqual({ matched: 1, replayed: 0, receipt: first });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 1, pending: 1, malformed: 0 });
    expect((await rig.get(`/admin/v1/events/${receipt}`)).status).toBe(404);
  });

  it('is refused if its source is no longer configured', async () => {
    const receipt = await malformed();
    rig.sources.set([]);
    expect((await replay(receipt)).body.detail).toContain('its source is no longer configured');
  });
});
