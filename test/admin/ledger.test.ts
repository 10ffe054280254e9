import { afterAll, beforeAll, expect, it } from 'vitest';
import { ledgerView } from '../../src/admin/ledger-view.ts';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type AdminRig, ledgerOf, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
});
afterAll(() => rig.close());

const ZERO = { accepted: 0, pending: 0, delivered: 0, ignored: 0, dead: 0, malformed: 0, quarantined: 0 };
const NOT_COMPARED = {
  configured: ['a', 'b'],
  sent: new Map(),
  landings: {},
  isCompared: () => false,
};

it('counts events, malformed bodies and quarantined requests, by source and in total', async () => {
  expect(await ledgerOf(rig)).toEqual(ZERO);
  await rig.webhook('acme', transactionAdded(1));
  await rig.settle(() => ({ state: 'delivered', delivered: ['event'] }));
  await rig.webhook('acme', transactionAdded(2));
  await rig.moveToDeadLetters();
  await rig.webhook('acme', pointsIssued(3, 10));
  await rig.settle(() => ({ state: 'ignored', reason: 'no-identity' }));
  await rig.webhook('beta', pointsIssued(4, 10));
  await rig.webhook('beta', 'no json');
  await rig.webhook('beta', pointsIssued(5, 10), { 'x-relay-key': 'wrong' });
  const { body } = await rig.get('/admin/v1/ledger');
  expect(body).toEqual({
    accepted: 4,
    pending: 1,
    delivered: 1,
    ignored: 1,
    dead: 1,
    malformed: 1,
    quarantined: 1,
    balanced: true,
    sources: {
      acme: { ...ZERO, accepted: 3, delivered: 1, ignored: 1, dead: 1, balanced: true, configured: true },
      beta: {
        ...ZERO,
        accepted: 1,
        pending: 1,
        malformed: 1,
        quarantined: 1,
        balanced: true,
        configured: true,
      },
    },
  });
});

it('is not balanced if an event is missing, even if two sources compensate each other', () => {
  const view = ledgerView({
    ...NOT_COMPARED,
    ledger: {
      a: { ...ZERO, accepted: 2, delivered: 1 },
      b: { ...ZERO, accepted: 1, delivered: 2 },
      c: { ...ZERO, accepted: 1, pending: 1 },
    },
  });
  expect(view).toMatchObject({ accepted: 4, pending: 1, delivered: 3, balanced: false });
  expect(Object.values(view.sources).map(({ balanced }) => balanced)).toEqual([false, false, true]);
  expect(Object.values(view.sources).map(({ configured }) => configured)).toEqual([true, true, false]);
});

it('has what both ends say, of the sources that are compared', () => {
  const reconciled = (source: string, sent: number) => ({
    source,
    state: 'ok' as const,
    differences: [],
    open: {},
    sums: { sent, accepted: sent - 3, recovered: 2, unrecoverable: 1, missing: 0 },
    coveredFrom: 0,
    seesUntil: 60_000,
  });
  const view = ledgerView({
    ledger: {
      a: { ...ZERO, accepted: 5, delivered: 4, dead: 1 },
      b: { ...ZERO, accepted: 2, delivered: 2 },
    },
    configured: ['a', 'b', 'new'],
    sent: new Map([
      ['a', reconciled('a', 6)],
      ['new', reconciled('new', 3)],
    ]),
    landings: { a: { landed: 3, refusedLater: 1 }, b: { landed: 9, refusedLater: 9 } },
    isCompared: (source) => source === 'a',
  });
  expect(view).toMatchObject({ sent: 9, recovered: 4, unrecoverable: 2, landed: 3, unconfirmed: 1 });
  const { a, b, new: unseen } = view.sources;
  expect(a).toMatchObject({
    sent: 6,
    landed: 3,
    refusedLater: 1,
    unconfirmed: 1,
    sentFrom: '1970-01-01T00:00:00.000Z',
    sentUntil: '1970-01-01T00:01:00.000Z',
  });
  expect(b).not.toHaveProperty('sent');
  expect(b).not.toHaveProperty('landed');
  expect(unseen).toMatchObject({ accepted: 0, sent: 3, balanced: true, configured: true });
});
