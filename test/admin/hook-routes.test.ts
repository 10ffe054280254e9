import { describe, expect, it } from 'vitest';
import { aNotification, CLIENT_ID, startHook } from './hook-rig.ts';

const BATCH = {
  batchId: '01KBA7Z3QK5V9T2M8R4N6P1C0D',
  datasetId: 'events-dataset',
  code: 'ing_load_failure',
};

describe('a notification of a failed batch', () => {
  it('that Adobe has signed is stored without a bearer token, once', async () => {
    const { post, pending, host, rig } = await startHook();
    expect(await post(aNotification())).toMatchObject({ status: 200, body: { outcome: 'stored' } });
    expect(await post(aNotification())).toMatchObject({ status: 200, body: { outcome: 'stored' } });
    expect(await pending()).toEqual([BATCH]);
    // The key is kept.
    expect(host.requests).toHaveLength(1);
    expect(rig.lines.join('')).not.toContain(BATCH.batchId);
    expect(rig.observed.refusals).toEqual([]);
  });

  it.each([
    ['a list', [aNotification(), aNotification({ 'xdm:ingestionId': 'B2' })], [BATCH.batchId, 'B2']],
    [
      'CloudEvents',
      {
        specversion: '1.0',
        type: 'ing_load_failure',
        source: 'urn:uuid:1',
        id: '1',
        recipientclientid: CLIENT_ID,
        data: aNotification().event,
      },
      [BATCH.batchId],
    ],
    [
      'Profile, of the profile records',
      aNotification({ 'xdm:eventCode': 'ps_load_failure', 'xdm:datasetId': 'profiles-dataset' }),
      [BATCH.batchId],
    ],
  ])('is read from %s', async (_what, body, ids) => {
    const { post, pending } = await startHook();
    expect(await post(body)).toMatchObject({ status: 200, body: { outcome: 'stored' } });
    expect((await pending()).map(({ batchId }) => batchId)).toEqual(ids);
  });

  it.each([
    ['a success', { 'xdm:eventCode': 'ing_load_success' }],
    ['another dataset', { 'xdm:datasetId': 'web-dataset' }],
    ['another sandbox', { 'xdm:sandboxName': 'dev' }],
    ['another organisation', { 'xdm:imsOrg': 'OTHER@AdobeOrg' }],
    ['no batch id', { 'xdm:ingestionId': '' }],
    ['an id that is a path', { 'xdm:ingestionId': '../../dataSets/1' }],
    ['nothing that is known', { 'xdm:eventCode': 'aem.asset.created' }],
  ])('about %s is ignored', async (_what, event) => {
    const { post, pending } = await startHook();
    expect(await post(aNotification(event))).toMatchObject({ status: 200, body: { outcome: 'ignored' } });
    expect(await pending()).toEqual([]);
  });
});

describe('what Adobe has not signed is refused with 401', () => {
  it('without a signature, with a wrong one, or with an old one of another body', async () => {
    const { post, adobe, pending, rig } = await startHook();
    const old = adobe.signatureOf(JSON.stringify(aNotification()));
    const other = aNotification({ 'xdm:ingestionId': 'FORGED' });
    const wrong = { ...old, 'x-adobe-digital-signature-1': 'AAAA', 'x-adobe-digital-signature-2': '%%%' };
    for (const headers of [{}, wrong, old])
      expect(await post(other, headers)).toMatchObject({ status: 401, body: { code: 'not-verified' } });
    expect(await pending()).toEqual([]);
    // An old one of the same body tells nothing new.
    expect((await post(aNotification(), old)).status).toBe(200);
    expect(await pending()).toEqual([BATCH]);
    expect(rig.observed.errors).toEqual([]);
  });

  it('but one of the two signatures is enough', async () => {
    const { post, adobe } = await startHook();
    const both = adobe.signatureOf(JSON.stringify(aNotification()));
    const second = { ...both, 'x-adobe-digital-signature-1': 'AAAA' };
    expect((await post(aNotification(), second)).status).toBe(200);
  });

  it.each([
    ['another host', 'http://attacker.example/prod/keys/k.pem'],
    ['another host without a scheme', '//attacker.example/prod/keys/k.pem'],
    ['a path that leaves the folder', '/prod/keys/../../x.pem'],
    ['an encoded path', '/prod/keys/%2e%2e%2fx.pem'],
    ['another folder', '/other/keys/k.pem'],
    ['no PEM file', '/prod/keys/k.json'],
    ['a user name', '@attacker.example/prod/keys/k.pem'],
  ])('with the key of %s, which is not asked', async (_what, path) => {
    const { post, adobe, host } = await startHook();
    const signed = adobe.signatureOf(JSON.stringify(aNotification()));
    const headers = { ...signed, 'x-adobe-public-key1-path': path, 'x-adobe-public-key2-path': path };
    expect((await post(aNotification(), headers)).status).toBe(401);
    expect(host.requests).toEqual([]);
  });

  it('for another client id, before any key is read', async () => {
    const { post, host } = await startHook();
    const { recipient_client_id: _id, ...nobody } = aNotification();
    for (const body of [
      aNotification({}, 'other'),
      nobody,
      [aNotification(), aNotification({}, 'other')],
      [],
    ])
      expect((await post(body)).status).toBe(401);
    expect(host.requests).toEqual([]);
  });

  it('of a body that is none', async () => {
    const { post } = await startHook();
    const bodies = ['', 'no JSON', 'null', '[[[[', '{"event":{}}', '['.repeat(20_000)];
    for (const body of bodies) expect((await post(body)).status).toBe(401);
  });
});

describe('limits', () => {
  it('a body over 64 KiB is refused', async () => {
    const { post } = await startHook();
    const body = aNotification({ x: 'y'.repeat(65_536) });
    expect(await post(body)).toMatchObject({ status: 413, body: { code: 'body-too-large' } });
  });

  it('keys are asked for some times a minute, however many paths are named', async () => {
    const { post, adobe, host } = await startHook();
    const signed = adobe.signatureOf(JSON.stringify(aNotification()));
    const statuses = new Set<number>();
    for (let place = 0; place < 20; place += 1) {
      const path = `/prod/keys/unknown-${place}.pem`;
      const headers = { ...signed, 'x-adobe-public-key1-path': path, 'x-adobe-public-key2-path': path };
      statuses.add((await post(aNotification(), headers)).status);
    }
    expect([...statuses]).toEqual([401, 503]);
    expect(host.requests).toHaveLength(12);
  });

  it('many requests from one address are refused for a while', async () => {
    const { get } = await startHook();
    const all = await Promise.all(Array.from({ length: 120 }, () => get('?challenge=x')));
    expect(all.some(({ status }) => status === 429)).toBe(true);
  });
});

it('while keys cannot be read, Adobe is asked to send it again', async () => {
  const { post, keys, pending } = await startHook();
  keys.answer = 503;
  const answer = await post(aNotification());
  expect(answer).toMatchObject({ status: 503, body: { code: 'keys-unavailable' } });
  expect(answer.headers.get('retry-after')).toBe('60');
  keys.answer = 200;
  expect((await post(aNotification())).status).toBe(200);
  expect(await pending()).toEqual([BATCH]);
});

describe('a challenge', () => {
  it('is answered with its value', async () => {
    const { get, post, host } = await startHook();
    expect(await get('?challenge=a%22b')).toMatchObject({ status: 200, body: { challenge: 'a"b' } });
    expect(await post({ challenge: 'c' }, {})).toMatchObject({ status: 200, body: { challenge: 'c' } });
    expect(host.requests).toEqual([]);
  });

  it('without a value, with two, or with a long one is refused', async () => {
    const { get } = await startHook();
    for (const query of ['', '?challenge=', `?challenge=${'x'.repeat(201)}`, '?challenge=a&challenge=b'])
      expect((await get(query)).status).toBe(400);
  });
});

it('without notifications in the configuration there is no hook', async () => {
  const { get, post, host } = await startHook({ isConfigured: false });
  expect(await get('?challenge=x')).toMatchObject({ status: 404, body: { code: 'not-found' } });
  expect((await post(aNotification())).status).toBe(404);
  expect(host.requests).toEqual([]);
});

it('the rest of the admin port still needs its token', async () => {
  const { url } = await startHook();
  const answer = await fetch(new URL('/admin/v1/ledger', url));
  expect(answer.status).toBe(401);
});
