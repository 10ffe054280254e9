import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
  rig.state.token = 'secret';
});
afterAll(() => rig.close());

function guess(remoteAddress: string) {
  return rig.admin.inject({
    url: '/admin/v1/ledger',
    remoteAddress,
    headers: { authorization: 'Bearer guess' },
  });
}

it('counts requests without the token and to unknown paths against their address', async () => {
  const answers = [];
  for (let index = 0; index < 260; index += 1) {
    const url = index % 2 === 0 ? '/admin/v1/ledger' : '/admin/v1/nothing';
    answers.push(await rig.admin.inject({ url, remoteAddress: '10.0.0.5' }));
  }
  const limited = answers.filter(({ statusCode }) => statusCode === 429);
  // Windows last a second: on a slow machine, the 260 requests can span two of them.
  expect(answers.filter(({ statusCode }) => statusCode === 401).length).toBeGreaterThanOrEqual(200);
  expect(limited.length).toBeGreaterThan(0);
  expect(Number(limited[0]?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(limited[0]?.json()).toMatchObject({ code: 'rate-limited', status: 429 });
  expect((await guess('10.0.0.6')).statusCode).toBe(401);
});

it('refuses an address that guesses tokens, even with the right one, for the rest of its minute', async () => {
  const right = (remoteAddress: string) =>
    rig.admin.inject({
      url: '/admin/v1/ledger',
      remoteAddress,
      headers: { authorization: 'Bearer secret' },
    });
  for (let index = 0; index < 100; index += 1) expect((await guess('10.0.0.8')).statusCode).toBe(401);
  const refused = await right('10.0.0.8');
  expect(refused.statusCode).toBe(429);
  expect(refused.headers['retry-after']).toBe('60');
  expect(refused.json().detail).toContain('100 wrong tokens');
  expect((await right('10.0.0.9')).statusCode).toBe(200);
  rig.state.now += 60_000;
  expect((await right('10.0.0.8')).statusCode).toBe(200);
});

it('does not limit probes', async () => {
  const answers = await Promise.all(
    Array.from({ length: 260 }, () => rig.admin.inject({ url: '/livez', remoteAddress: '10.0.0.7' })),
  );
  expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
});
