import { afterEach, describe, expect, test } from 'vitest';
import { releaseQuarantined } from '../../src/operations/quarantine-actions.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type Intake, type IntakeOptions, startIntake } from './intake-rig.ts';

let intake: Intake;
async function start({ server, source }: IntakeOptions = {}): Promise<Intake> {
  intake = await startIntake({
    server: { trustProxy: ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'], ...server },
    source: { allowFrom: ['203.0.113.7', '2001:db8::/64'], ...source },
  });
  return intake;
}
afterEach(() => intake.close());

function statusFor(forwardedFor: string): Promise<number> {
  return intake
    .send(transactionAdded(1), { headers: { 'x-forwarded-for': forwardedFor } })
    .then(({ status }) => status);
}

async function quarantinedAddresses(): Promise<string[]> {
  const { items } = await intake.journal.listQuarantined({}, { limit: 50 });
  return items.map(({ ip }) => ip).toReversed();
}

describe('the client behind a trusted proxy', () => {
  test.each([
    '203.0.113.7',
    '203.0.113.7:51008',
    '"203.0.113.7:51008"',
    ' "203.0.113.7" ',
    '::ffff:203.0.113.7',
    '[::ffff:203.0.113.7]:443',
    '[2001:db8::1]:443',
    '"[2001:db8::1]:443"',
    '2001:DB8:0:0::1',
    '2001:db8::1%eth0',
    '6.6.6.6, 203.0.113.7:51008',
    'garbage, "[2001:db8::1]:443"',
    '203.0.113.7:51008, 10.1.2.3:8080, "[fd00::1]:1"',
    '203.0.113.7:51008, ::ffff:10.1.2.3',
  ])('is allowed: %s', async (header) => {
    await start();
    expect(await statusFor(header)).toBe(200);
  });

  test.each([
    ['198.51.100.1:51008', '198.51.100.1'],
    ['[2001:db9::1]:443', '2001:db9::1'],
    ['203.0.113.7, 198.51.100.1:51008', '198.51.100.1'],
    ['203.0.113.7, 198.51.100.1, 10.1.2.3:80', '198.51.100.1'],
    ['203.0.113.7, garbage', 'unknown'],
    ['203.0.113.7:1, garbage, 10.0.0.1', 'unknown'],
    ['203.0.113.7:port', 'unknown'],
    ['['.repeat(2_000), 'unknown'],
    ['unknown', 'unknown'],
    [' , ', '127.0.0.1'],
  ])('is not allowed: %.60s, and is quarantined as %s', async (header, ip) => {
    await start();
    expect(await statusFor(header)).toBe(401);
    expect(await quarantinedAddresses()).toEqual([ip]);
  });

  test('is not taken from a header that no trusted proxy has sent', async () => {
    await start({ server: { trustProxy: ['10.0.0.1'] } });
    expect(await statusFor('203.0.113.7')).toBe(401);
    expect(await quarantinedAddresses()).toEqual(['127.0.0.1']);
    await intake.close();
    await start({ server: { trustProxy: [] } });
    expect(await statusFor('203.0.113.7')).toBe(401);
  });

  test('shares one limit for unknown sources, whatever its port is', async () => {
    await start({ server: { rateLimit: { max: 2, window: '1h' } } });
    const unknown = (ip: string): Promise<number> =>
      intake
        .send('{}', { path: '/webhooks/nobody', headers: { 'x-forwarded-for': ip } })
        .then(({ status }) => status);
    expect(await unknown('198.51.100.1:1')).toBe(404);
    expect(await unknown('"198.51.100.1:2"')).toBe(404);
    expect(await unknown('::ffff:198.51.100.1')).toBe(429);
    expect(await unknown('198.51.100.2:1')).toBe(404);
  });

  test('is read from what an earlier version stored in quarantine', async () => {
    await start();
    const entry = {
      source: 'acme',
      receivedAt: Date.UTC(2026, 0, 31, 8),
      ip: '203.0.113.7:51008',
      reasons: ['ip-not-allowed'],
      rawHeaders: ['X-Relay-Key', 'right-key'],
      body: Buffer.from(JSON.stringify(transactionAdded(1))),
    };
    await intake.journal.quarantine(entry, { maxCount: 9, maxBytes: 99_999, maxAge: 1e9 });
    expect(await releaseQuarantined(intake.parts, { filter: {}, by: 'admin', dryRun: false })).toMatchObject({
      released: 1,
    });
  });
});

describe('the root of the port', () => {
  test('answers load balancers with the name of the service, and is no webhook', async () => {
    await start({ server: { rateLimit: { max: 1, window: '1h' } } });
    for (const path of ['/', '/?probe=1', '/']) {
      const { status, body, headers } = await intake.send('', { method: 'GET', path });
      expect({ status, body }).toEqual({ status: 200, body: { service: 'capillary-aep-relay' } });
      expect(headers['content-type']).toContain('application/json');
    }
    const head = await intake.send('', { method: 'HEAD', path: '/' });
    expect(head).toMatchObject({ status: 200, body: undefined });
    expect(intake.reports).toEqual([]);
  });

  test('answers nothing else, also while no webhook is accepted', async () => {
    const refusal = { code: 'draining', detail: 'try again shortly', retryAfter: 5 } as const;
    intake = await startIntake({ admission: { refusal: () => refusal } });
    expect((await intake.send('', { method: 'GET', path: '/' })).status).toBe(200);
    expect((await intake.send('{}', { method: 'POST', path: '/' })).status).toBe(405);
    expect((await intake.send('', { method: 'GET', path: '/other' })).status).toBe(404);
    expect((await intake.send('{}')).status).toBe(503);
  });
});
