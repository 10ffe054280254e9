import { afterEach, beforeEach, expect, it } from 'vitest';
import { transactionAdded } from '../fixtures/events.ts';
import { until } from '../helpers/until.ts';
import { type AdminRig, source, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig();
});
afterEach(() => rig.close());

async function intake() {
  return (await rig.get('/admin/v1/intake')).body;
}

/** The answer, once this many webhooks are counted: they are counted after they are answered. */
async function intakeOf(webhooks: number) {
  const counted = async () =>
    (await intake()).sources
      .flatMap(({ outcomes }: { outcomes: Record<string, number> }) => Object.values(outcomes))
      .reduce((sum: number, count: number) => sum + count, 0);
  await until(async () => (await counted()) === webhooks);
  return intake();
}

it('counts the answered webhooks of each source, and names no source that a sender made up', async () => {
  const at = new Date(rig.state.now).toISOString();
  const wrong = { 'x-relay-key': 'wrong' };
  const event = transactionAdded(1);
  await rig.webhook('acme', event);
  await rig.webhook('acme', event);
  await rig.webhook('acme', 'no json');
  await rig.webhook('acme', 'x'.repeat(1_048_577));
  await rig.webhook('beta', transactionAdded(2), wrong);
  await rig.webhook('beta', transactionAdded(3), wrong);
  await rig.webhook('made-up', transactionAdded(4));
  await rig.webhook('acme/icon.png', transactionAdded(4));
  const answer = await intakeOf(7);
  expect(answer).toEqual({
    minutes: 15,
    since: at,
    open: true,
    otherPaths: 1,
    sources: [
      {
        source: 'acme',
        outcomes: { accepted: 1, duplicate: 1, 'not-json': 1, oversized: 1 },
        refused: 2,
        refusedInARow: 2,
        lastAcceptedAt: at,
        lastRefusedAt: at,
        quarantined: 0,
        malformed: 2,
      },
      {
        source: 'beta',
        outcomes: { 'not-verified': 2 },
        refused: 2,
        refusedInARow: 2,
        lastRefusedAt: at,
        quarantined: 2,
        newestQuarantined: { receivedAt: at, reasons: ['header:mismatch'] },
        malformed: 0,
      },
      {
        source: 'unknown',
        outcomes: { 'unknown-source': 1 },
        refused: 1,
        refusedInARow: 1,
        lastRefusedAt: at,
        quarantined: 0,
        malformed: 0,
      },
    ],
  });
  expect(JSON.stringify(answer)).not.toContain('made-up');
});

it('a release of quarantined requests counts as an accepted webhook', async () => {
  const wrong = { 'x-relay-key': 'rotated' };
  await rig.webhook('acme', transactionAdded(2), wrong);
  expect((await intakeOf(1)).sources[0]).toMatchObject({ refusedInARow: 1, quarantined: 1 });
  const verify = [{ type: 'header', name: 'X-Relay-Key', values: ['rotated'] }];
  rig.sources.set([source('acme', { verify })]);
  rig.state.now += 1_000;
  await rig.post('/admin/v1/quarantine/release', { filter: { source: 'acme' } });
  const [acme] = (await intake()).sources;
  expect(acme).toMatchObject({
    refusedInARow: 0,
    quarantined: 0,
    lastAcceptedAt: new Date(rig.state.now).toISOString(),
  });
  expect(acme).not.toHaveProperty('newestQuarantined');
});

it('says that the intake is closed, and why', async () => {
  rig.state.refusal = { code: 'store-full', detail: 'the store has reached store.maxBytes', retryAfter: 30 };
  expect((await rig.webhook('acme', transactionAdded(1))).status).toBe(503);
  expect(await intakeOf(1)).toMatchObject({
    open: false,
    reason: 'store-full',
    detail: 'the store has reached store.maxBytes',
    sources: [{ source: 'acme', outcomes: { 'store-full': 1 }, refused: 1 }, { source: 'beta' }],
  });
});

it('lists a source that is no longer configured while it has quarantined requests', async () => {
  await rig.webhook('beta', transactionAdded(2), { 'x-relay-key': 'wrong' });
  await intakeOf(1);
  rig.sources.set([source('acme')]);
  expect((await intake()).sources).toMatchObject([
    { source: 'acme', outcomes: {}, refused: 0, quarantined: 0 },
    { source: 'beta', outcomes: { 'not-verified': 1 }, quarantined: 1 },
  ]);
});
