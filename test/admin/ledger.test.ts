import { afterAll, beforeAll, expect, it } from 'vitest';
import { ledgerView } from '../../src/admin/report-routes.ts';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type AdminRig, ledgerOf, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
});
afterAll(() => rig.close());

const ZERO = { accepted: 0, pending: 0, delivered: 0, ignored: 0, dead: 0, malformed: 0, quarantined: 0 };

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
  const view = ledgerView(
    {
      a: { ...ZERO, accepted: 2, delivered: 1 },
      b: { ...ZERO, accepted: 1, delivered: 2 },
      c: { ...ZERO, accepted: 1, pending: 1 },
    },
    ['a', 'b'],
  );
  expect(view).toMatchObject({ accepted: 4, pending: 1, delivered: 3, balanced: false });
  expect(Object.values(view.sources).map(({ balanced }) => balanced)).toEqual([false, false, true]);
  expect(Object.values(view.sources).map(({ configured }) => configured)).toEqual([true, true, false]);
});
