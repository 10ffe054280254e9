import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAdminClient } from '../../../src/cli/admin-client.ts';
import { acceptanceAt } from '../../../src/cli/register/accepted-headers.ts';
import { type AdminRig, KEY, source, startAdminRig } from '../../admin/admin-rig.ts';
import { until } from '../../helpers/until.ts';
import { anEvent } from '../../simulator/capillary/api/delivery-rig.ts';
import { command, ORG, type RegisterRig, registerRig, WEBHOOK } from './register-rig.ts';

const TOKEN = 'token-of-the-operators';
const BASIC = { name: 'authorization', value: `Basic ${Buffer.from('cap:password').toString('base64')}` };

/** Of the configuration that `register` reads: the running relay has not got its second value. */
const VERIFY = [{ type: 'header', name: 'X-Relay-Key', values: [KEY, 'wrong'] }];

let relay: AdminRig;
let url = '';
beforeEach(async () => {
  const verify = [
    { type: 'header', name: 'X-Relay-Key', values: [KEY, 'next-key'] },
    { type: 'basic', username: 'cap', passwords: ['password'] },
  ];
  relay = await startAdminRig([source('acme', { verify, orgIds: [ORG] })]);
  relay.state.token = TOKEN;
  url = `http://127.0.0.1:${(relay.admin.server.address() as AddressInfo).port}`;
});
afterEach(() => relay.close());

test('the relay says of a header whether it accepts it, and when it came last', async () => {
  const acceptanceOf = acceptanceAt(createAdminClient({ url, token: TOKEN }), 'acme');
  const accepted = { accepted: true, acceptedBySome: true };
  const refused = { accepted: false, acceptedBySome: false, others: 0 };
  expect(await acceptanceOf({ name: 'x-relay-key', value: 'next-key' })).toEqual({ ...accepted, others: 1 });
  expect(await acceptanceOf({ name: 'x-relay-key', value: 'wrong' })).toEqual(refused);
  expect(await acceptanceOf({ name: 'X-Other', value: KEY })).toEqual(refused);
  await relay.webhook(
    'acme',
    { eventName: 'x', orgId: ORG, data: {} },
    { 'x-relay-key': '', [BASIC.name]: BASIC.value },
  );
  expect(await acceptanceOf(BASIC)).toEqual({
    ...accepted,
    others: 0,
    lastVerifiedAt: '2026-01-31T08:00:00.000Z',
  });
  const webhook = { eventName: 'x', orgId: ORG, data: {} };
  await relay.webhook('acme', webhook, { 'x-relay-key': KEY });
  expect(await acceptanceOf({ name: 'x-relay-key', value: 'next-key' })).toEqual({
    ...accepted,
    others: 1,
    othersVerifiedAt: '2026-01-31T08:00:00.000Z',
  });
  const other = acceptanceAt(createAdminClient({ url, token: TOKEN }), 'other');
  expect(await other(BASIC)).toEqual(refused);
});

describe('status', () => {
  let rig: RegisterRig;
  const status = (...words: readonly string[]) =>
    command('register', 'status', ...words, '--config', rig.config, '--url', url, '--token', TOKEN);
  const settled = () =>
    until(() => rig.twin.capillary.log.list(({ status: state }) => state === 'IN_PROGRESS').length === 0);

  beforeEach(async () => {
    relay.state.now = Date.now();
    rig = await registerRig({ retryScale: 0 });
    const intake = `http://127.0.0.1:${(relay.intake.server.address() as AddressInfo).port}/webhooks/acme`;
    await rig.configure({
      verify: VERIFY,
      webhook: { ...WEBHOOK, url: intake, header: { name: 'X-Relay-Key', value: KEY } },
    });
    await rig.register('apply');
  });

  test('shows both counts, and exits 0 if they agree', async () => {
    for (const number of [1, 2, 3]) rig.twin.capillary.raise(anEvent(number));
    await settled();
    const { code, out } = await status();
    expect(out).toMatch(/delivered +3 +3\n/);
    expect(out).toContain('none: what the relay has received');
    expect(code).toBe(0);
  });

  test('exits 1 if events failed', async () => {
    await rig.configure({
      verify: VERIFY,
      webhook: {
        ...WEBHOOK,
        url: rig.webhooks()[0]?.fields.webHookUrl,
        header: { name: 'X-Relay-Key', value: 'wrong' },
      },
    });
    await rig.register('apply');
    rig.twin.capillary.raise(anEvent(1));
    await settled();
    const { code, out } = await status();
    expect({ code, out }).toMatchObject({
      code: 1,
      out: expect.stringContaining('Capillary has given up 1 event;'),
    });
  });

  test('exits 1 if something else answers in the place of the relay', async () => {
    const [webhook] = rig.webhooks();
    if (webhook === undefined) throw new Error('no webhook');
    rig.twin.capillary.raise(anEvent(1));
    await settled();
    await relay.close();
    relay = await startAdminRig([source('acme', { orgIds: [ORG] })]);
    relay.state.token = TOKEN;
    relay.state.now = Date.now();
    url = `http://127.0.0.1:${(relay.admin.server.address() as AddressInfo).port}`;
    const { code, out } = await status('--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      sources: [
        {
          source: 'acme',
          ok: true,
          capillary: { delivered: 1, failed: 0 },
          relay: { accepted: 0 },
          findings: [
            { check: 'difference', level: 'fail', detail: expect.stringContaining('1 are missing here') },
          ],
        },
      ],
    });
  });

  test('exits 1 without a relay', async () => {
    url = 'http://127.0.0.1:1';
    expect(await status()).toMatchObject({ code: 1, err: expect.stringContaining('no relay answers') });
  });
});
