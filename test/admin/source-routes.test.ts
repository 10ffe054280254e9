import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { secretFingerprint } from '../../src/sources/secret-fingerprint.ts';
import { type AdminRig, KEY, source, startAdminRig } from './admin-rig.ts';

const HEADER = 'header:x-relay-key';
const ALL = [
  { type: 'header', name: 'X-Relay-Key', values: [KEY, 'next-key'] },
  { type: 'bearer', tokens: ['bearer-token'] },
  { type: 'basic', username: 'cap', passwords: ['basic-password'] },
  { type: 'hmac', header: 'X-Signature', secrets: ['signing-secret'] },
];

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig([source('acme', { verify: ALL }), source('beta')]);
});
afterEach(() => rig.close());

function event(eventId: string) {
  return { eventName: 'pointsIssued', eventId, orgId: 1, createdAt: 1_767_225_600_000, data: {} };
}

function print(name: string, verifier: string, secret: string): Promise<string> {
  return secretFingerprint({ source: name, verifier }, secret);
}

describe('the sources', () => {
  it('have the fingerprints of their static secrets, never the secrets', async () => {
    const { status, body } = await rig.get('/admin/v1/sources');
    expect(status).toBe(200);
    expect(body).toEqual({
      replicas: 1,
      sources: [
        {
          source: 'acme',
          verifiers: [HEADER, 'bearer', 'basic', 'hmac:x-signature'],
          accepts: [
            {
              name: HEADER,
              secrets: [
                { fingerprint: await print('acme', HEADER, KEY), acceptedBy: 1 },
                { fingerprint: await print('acme', HEADER, 'next-key'), acceptedBy: 1 },
              ],
            },
            {
              name: 'bearer',
              secrets: [{ fingerprint: await print('acme', 'bearer', 'bearer-token'), acceptedBy: 1 }],
            },
            {
              name: 'basic',
              secrets: [{ fingerprint: await print('acme', 'basic', 'cap:basic-password'), acceptedBy: 1 }],
            },
          ],
        },
        {
          source: 'beta',
          verifiers: [HEADER],
          accepts: [
            { name: HEADER, secrets: [{ fingerprint: await print('beta', HEADER, KEY), acceptedBy: 1 }] },
          ],
        },
      ],
    });
    const text = JSON.stringify(body);
    for (const secret of [KEY, 'next-key', 'bearer-token', 'basic-password', 'signing-secret'])
      expect(text).not.toContain(secret);
  });

  it('can be asked about one by one', async () => {
    const { body } = await rig.get('/admin/v1/sources?source=beta&since=2020-01-01T00:00:00Z');
    expect(body.sources).toEqual([
      {
        source: 'beta',
        verifiers: [HEADER],
        accepts: [
          { name: HEADER, secrets: [{ fingerprint: await print('beta', HEADER, KEY), acceptedBy: 1 }] },
        ],
        events: { accepted: 0, malformed: 0 },
      },
    ]);
    expect((await rig.get('/admin/v1/sources?source=gamma')).body).toEqual({ replicas: 1, sources: [] });
  });

  it('say which secret a webhook came with last', async () => {
    const authorization = `Basic ${Buffer.from('cap:basic-password').toString('base64')}`;
    await rig.webhook('acme', event('1'), { 'x-relay-key': 'next-key' });
    rig.state.now += 60_000;
    await rig.webhook('acme', event('2'), { 'x-relay-key': 'wrong', authorization });
    rig.state.now += 60_000;
    await rig.webhook('acme', event('3'), { 'x-relay-key': 'wrong' });
    const { body } = await rig.get('/admin/v1/sources');
    const uses = body.sources.flatMap(
      ({ accepts }: { accepts: { secrets: { lastVerifiedAt?: string }[] }[] }) =>
        accepts.flatMap(({ secrets }) => secrets.map(({ lastVerifiedAt }) => lastVerifiedAt)),
    );
    expect(uses).toEqual([
      undefined,
      '2026-01-31T08:00:00.000Z',
      undefined,
      '2026-01-31T08:01:00.000Z',
      undefined,
    ]);
  });

  it('count what was received since a time', async () => {
    await rig.webhook('acme', event('1'));
    rig.state.now += 60_000;
    await rig.webhook('acme', event('2'));
    await rig.webhook('acme', event('2'));
    await rig.webhook('acme', 'no event');
    const counts = async (query: string) =>
      (await rig.get(`/admin/v1/sources?${query}`)).body.sources.map(
        ({ events }: { events: unknown }) => events,
      );
    expect(await counts('')).toEqual([undefined, undefined]);
    expect(await counts('since=2026-01-31')).toEqual([
      { accepted: 2, malformed: 1 },
      { accepted: 0, malformed: 0 },
    ]);
    expect(await counts('since=2026-01-31T08:00:30Z')).toEqual([
      { accepted: 1, malformed: 1 },
      { accepted: 0, malformed: 0 },
    ]);
    expect((await counts('since=2026-01-31&until=2026-01-31T08:00:30Z'))[0]).toEqual({
      accepted: 1,
      malformed: 0,
    });
    expect((await rig.get('/admin/v1/sources?since=never')).status).toBe(400);
  });

  it('need the token', async () => {
    rig.state.token = 'token-of-the-operators';
    expect((await rig.get('/admin/v1/sources')).status).toBe(401);
  });
});
