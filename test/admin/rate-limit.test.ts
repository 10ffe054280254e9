import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
  rig.state.token = 'secret';
});
afterAll(() => rig.close());

const guess = (remoteAddress: string, url = '/admin/v1/ledger') =>
  rig.admin.inject({ url, remoteAddress, headers: { authorization: 'Bearer guess' } });

it('counts wrong tokens and unknown paths against the address that sends them', async () => {
  const paths = ['/admin/v1/ledger', '/admin/v1/nothing'];
  const answers = [];
  for (let index = 0; index < 260; index += 1) {
    answers.push(await guess('10.0.0.5', paths[index % 2]));
  }
  const limited = answers.filter(({ statusCode }) => statusCode === 429);
  // Windows are of a second: on a slow machine the 260 can fall into two of them.
  expect(answers.filter(({ statusCode }) => statusCode === 401).length).toBeGreaterThanOrEqual(200);
  expect(limited.length).toBeGreaterThan(0);
  expect(Number(limited[0]?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(limited[0]?.json()).toMatchObject({ code: 'rate-limited', status: 429 });
  expect((await guess('10.0.0.6')).statusCode).toBe(401);
});

it('leaves probes alone', async () => {
  const answers = await Promise.all(
    Array.from({ length: 260 }, () => rig.admin.inject({ url: '/livez', remoteAddress: '10.0.0.7' })),
  );
  expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
});
