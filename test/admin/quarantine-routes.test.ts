import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type AdminRig, ledgerOf, source, startAdminRig } from './admin-rig.ts';

const NEW_KEY = 'rotated-key';

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig();
});
afterEach(() => rig.close());

function send(name: string, body: object | string, key = NEW_KEY) {
  return rig.webhook(name, body, { 'x-relay-key': key });
}
function release(json: unknown) {
  return rig.post('/admin/v1/quarantine/release', json);
}
function discard(json: unknown) {
  return rig.post('/admin/v1/quarantine/discard', json);
}
async function list(query = '') {
  return (await rig.get(`/admin/v1/quarantine?${query}`)).body;
}
const everything = { filter: {}, all: true };

/** Configures the secret that Capillary uses now. */
function fixSecret() {
  return rig.sources.set([
    source('acme', { verify: [{ type: 'header', name: 'X-Relay-Key', values: [NEW_KEY, 'right-key'] }] }),
    source('beta'),
  ]);
}

describe('listing the quarantine', () => {
  it('shows the sender and the reasons of the refusal, but no content', async () => {
    expect((await send('acme', transactionAdded(1))).status).toBe(401);
    const { quarantined, next } = await list();
    expect(next).toBeNull();
    expect(quarantined).toEqual([
      {
        receipt: expect.any(String),
        source: 'acme',
        receivedAt: new Date(rig.state.now).toISOString(),
        ip: '127.0.0.1',
        reasons: ['header:mismatch'],
        eventName: 'transactionAdded',
        bytes: expect.any(Number),
        headers: expect.arrayContaining([{ name: 'x-relay-key', characters: NEW_KEY.length }]),
      },
    ]);
    expect(JSON.stringify(quarantined)).not.toContain(NEW_KEY);
  });

  it.each([
    ['an array', JSON.stringify([transactionAdded(1), pointsIssued(2, 3)]), 'transactionAdded'],
    ['a wrapper', JSON.stringify({ event: { eventName: ' pointsIssued ' } }), 'pointsIssued'],
    ['no JSON', 'no json', undefined],
    ['an empty array', '[]', undefined],
    ['arrays within arrays', '['.repeat(5_000), undefined],
    ['a name with control characters', JSON.stringify({ eventName: 'a\u001b[2J' }), undefined],
    ['a long name', JSON.stringify({ eventName: 'x'.repeat(201) }), undefined],
    ['a large body', JSON.stringify({ eventName: 'big', data: 'x'.repeat(70_000) }), undefined],
  ])('names the event of %s as far as that is safe', async (_what, body, eventName) => {
    await send('acme', body);
    expect((await list()).quarantined[0].eventName).toBe(eventName);
  });

  it('shows at most 100 headers of a request', async () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x-${index}`, '1']));
    await rig.webhook('acme', transactionAdded(1), { ...many, 'x-relay-key': 'wrong' });
    expect((await list()).quarantined[0].headers).toHaveLength(100);
  });

  it('refuses a source that it cannot have', async () => {
    expect((await list('source=acmee')).detail).toBe('source: no source has this name; did you mean `acme`?');
    for (const act of [release, discard])
      expect((await act({ filter: { source: 'nosuch' } })).body.detail).toContain(
        'filter.source: no source has this name; known: acme, beta',
      );
  });

  it('shows the body and the header names on request, but never header values', async () => {
    await send('acme', transactionAdded(1));
    await send('acme', 'no json');
    const { quarantined } = await list('body=true');
    expect(quarantined[1].body).toMatchObject({ eventName: 'transactionAdded' });
    expect(Buffer.from(quarantined[0].bodyBase64, 'base64').toString()).toBe('no json');
    expect(quarantined[0].headerNames).toEqual(expect.arrayContaining(['x-relay-key', 'host']));
    expect(JSON.stringify(quarantined)).not.toContain(NEW_KEY);
  });

  it('finds the newest request with an event id, among the newest 200', async () => {
    const show = (id: string) => rig.get(`/admin/v1/quarantine/${encodeURIComponent(id)}`);
    const long = 'x1'.repeat(200);
    await send('acme', { eventName: 'pointsIssued', eventId: 'evt-1' });
    await send('acme', [{ attributes: { eventName: 'pointsIssued', eventId: 'evt-1' } }]);
    await send('acme', { eventName: 'pointsIssued', eventId: long });
    await send('acme', 'no json');
    await send('acme', { eventName: 'pointsIssued', eventId: 'evt-2', data: 'x'.repeat(70_000) });
    const { quarantined } = await list();
    expect((await show('evt-1')).body).toMatchObject({ receipt: quarantined[3].receipt, releasable: false });
    expect((await show(long)).body.receipt).toBe(quarantined[2].receipt);
    expect((await show('evt-2')).status).toBe(404);
    for (let id = 0; id < 200; id += 1)
      await send('acme', { eventName: 'pointsIssued', eventId: `new-${id}` });
    expect((await show('evt-1')).status).toBe(404);
    expect((await show('new-0')).status).toBe(200);
  });

  it('does not show a request whose event was accepted from elsewhere', async () => {
    const event = { ...transactionAdded(1), eventId: 'evt-1' };
    await send('acme', event);
    await send('acme', event, 'right-key');
    expect((await rig.get('/admin/v1/quarantine/evt-1')).body.detail).toContain('it was accepted');
  });

  it('filters by source and time, and pages', async () => {
    await send('acme', transactionAdded(1));
    rig.state.now += 1_000;
    await send('acme', transactionAdded(2));
    await rig.webhook('beta', transactionAdded(3), { 'x-relay-key': 'wrong' });
    const count = async (query: string) => (await list(query)).quarantined.length;
    expect(await count('source=acme')).toBe(2);
    expect(await count(`since=${rig.state.now}`)).toBe(2);
    expect(await count(`until=${rig.state.now}`)).toBe(1);
    const first = await list('limit=2');
    const second = await list(`limit=2&cursor=${first.next}`);
    expect([first.quarantined.length, second.quarantined.length, second.next]).toEqual([2, 1, null]);
  });

  it('refuses unknown and invalid parameters', async () => {
    for (const query of ['body=yes', 'reason=x', 'cursor=nonsense', 'limit=0']) {
      expect((await rig.get(`/admin/v1/quarantine?${query}`)).status).toBe(400);
    }
  });
});

describe('one quarantined request', () => {
  const one = (receipt: string, query = '') => rig.get(`/admin/v1/quarantine/${receipt}${query}`);

  it('says whether it would be released now', async () => {
    await send('acme', transactionAdded(1));
    const [{ receipt }] = (await list()).quarantined;
    expect((await one(receipt)).body).toMatchObject({
      receipt,
      reasons: ['header:mismatch'],
      releasable: false,
      problem: 'header:mismatch',
      expected: ['header:x-relay-key'],
    });
    fixSecret();
    const { body } = await one(receipt, '?body=true');
    expect(body).toMatchObject({ releasable: true, body: { eventName: 'transactionAdded' } });
    expect(body.problem).toBeUndefined();
    expect(JSON.stringify(body)).not.toContain(NEW_KEY);
    rig.sources.set([source('beta')]);
    expect((await one(receipt)).body.problem).toBe('its source is no longer configured');
  });

  it('keeps its receipt when it is released, and its history names the release', async () => {
    for (const body of [transactionAdded(1), 'no json']) await send('acme', body);
    await send('acme', [transactionAdded(2), transactionAdded(3)]);
    const receipts = (await list()).quarantined.map((item: { receipt: string }) => item.receipt);
    fixSecret();
    await rig.post('/admin/v1/quarantine/release', everything, { headers: { 'x-relay-operator': 'alice' } });
    for (const receipt of receipts) {
      const { body } = await rig.get(`/admin/v1/events/${receipt}`);
      expect(body.timeline).toContainEqual({
        at: new Date(rig.state.now).toISOString(),
        what: 'action',
        action: 'released from quarantine',
        by: 'admin (alice)',
      });
      const { status, body: problem } = await one(receipt);
      expect([status, problem.detail]).toEqual([
        404,
        expect.stringMatching(/^it is not in the quarantine: it was accepted and is (pending|malformed)$/),
      ]);
    }
    expect((await rig.get('/admin/v1/events?limit=9')).body.events).toHaveLength(4);
  });

  it('is named by a lookup among the events, and by the time of its receipt once it is gone', async () => {
    await send('acme', transactionAdded(1));
    const [{ receipt }] = (await list()).quarantined;
    const inQuarantine = expect.stringContaining('it is in the quarantine');
    expect(await rig.get(`/admin/v1/events/${receipt}`)).toMatchObject({
      status: 404,
      body: { detail: inQuarantine },
    });
    expect(await rig.post(`/admin/v1/events/${receipt}/replay`)).toMatchObject({
      status: 409,
      body: { detail: inQuarantine },
    });
    await discard(everything);
    for (const path of ['quarantine', 'events'])
      expect((await rig.get(`/admin/v1/${path}/${receipt}`)).body.detail).toMatch(
        /^no event has this receipt or event id\. As a receipt it is from 20\d\d-.*: retention, a discard/,
      );
    expect((await one('none')).status).toBe(404);
  });
});

describe('releasing after a secret was corrected', () => {
  it('accepts the requests that pass now, and leaves the others in quarantine', async () => {
    await send('acme', transactionAdded(1));
    await send('acme', transactionAdded(2));
    await send('acme', transactionAdded(3), 'somebody else');
    expect((await release(everything)).body).toMatchObject({ matched: 3, released: 0, stillRefused: 3 });
    fixSecret();
    const { body } = await release(everything);
    expect(body).toEqual({
      matched: 3,
      released: 2,
      duplicates: 0,
      malformed: 0,
      stillRefused: 1,
      problems: [{ receipt: expect.any(String), detail: 'it is still refused: header:mismatch' }],
    });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 2, pending: 2, quarantined: 1 });
    expect(rig.observed.actions.at(-1)).toMatchObject({
      action: 'quarantine.release',
      counts: { released: 2, stillRefused: 1 },
    });
  });

  it('counts in a dry run how many would remain', async () => {
    await send('acme', transactionAdded(1));
    await send('acme', transactionAdded(3), 'somebody else');
    fixSecret();
    expect((await release({ ...everything, dryRun: true })).body).toEqual({
      matched: 2,
      released: 0,
      duplicates: 0,
      malformed: 0,
      stillRefused: 1,
      dryRun: true,
      eligible: 1,
      sample: [expect.objectContaining({ eventName: 'transactionAdded' })],
      problems: [expect.objectContaining({ detail: 'it is still refused: header:mismatch' })],
    });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 0, quarantined: 2 });
  });

  it('records the original time of receipt and the verifier that passed', async () => {
    const receivedAt = rig.state.now;
    const event = transactionAdded(1);
    await send('acme', event);
    rig.state.now += 3_600_000;
    fixSecret();
    await release(everything);
    expect((await rig.get(`/admin/v1/events/${event.eventId}`)).body).toMatchObject({
      receivedAt: new Date(receivedAt).toISOString(),
      verifiedBy: 'header:x-relay-key',
    });
  });

  it('preserves the order of the events of a customer, even over several pages', async () => {
    const events = Array.from({ length: 120 }, (_, index) => pointsIssued(1, index));
    for (const event of events) await send('acme', event);
    fixSecret();
    expect((await release(everything)).body).toMatchObject({ matched: 120, released: 120 });
    const { body } = await rig.get('/admin/v1/events?limit=500');
    expect(body.events.map(({ eventId }: { eventId: string }) => eventId)).toEqual(
      events.map(({ eventId }) => eventId).toReversed(),
    );
  });

  it('detects that an event was received again in the meantime', async () => {
    const event = transactionAdded(1);
    await send('acme', event);
    fixSecret();
    await send('acme', event);
    expect((await release(everything)).body).toMatchObject({ matched: 1, released: 1, duplicates: 1 });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 1, quarantined: 0 });
  });

  it('turns a body that is not an event into a dead letter', async () => {
    await send('acme', 'no json');
    fixSecret();
    expect((await release(everything)).body).toMatchObject({ released: 1, malformed: 1 });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 0, malformed: 1, quarantined: 0 });
  });

  it('releases by receipts and by source', async () => {
    await send('acme', transactionAdded(1));
    await send('acme', transactionAdded(2));
    fixSecret();
    const [{ receipt }] = (await list()).quarantined;
    expect((await release({ receipts: [receipt, 'none'] })).body).toMatchObject({ matched: 1, released: 1 });
    expect((await release({ filter: { source: 'beta' } })).body.matched).toBe(0);
    expect((await release({ filter: { source: 'acme' } })).body.released).toBe(1);
  });

  it('does not release requests of a source that is no longer configured', async () => {
    await send('acme', transactionAdded(1));
    rig.sources.set([]);
    expect((await release(everything)).body).toMatchObject({ matched: 1, released: 0, stillRefused: 1 });
  });

  it('compares a signed timestamp with the original time of receipt', async () => {
    const secret = 'signing-secret';
    const signed = (secrets: string[]) =>
      rig.sources.set([
        source('acme', {
          verify: [
            {
              type: 'hmac',
              header: 'X-Signature',
              secrets,
              payload: '{timestamp}.{body}',
              timestamp: { header: 'X-Timestamp', unit: 'ms', tolerance: '1m' },
            },
          ],
        }),
      ]);
    signed(['old-secret']);
    const body = JSON.stringify(transactionAdded(1));
    const post = (timestamp: number) =>
      rig.webhook('acme', body, {
        'x-timestamp': String(timestamp),
        'x-signature': createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex'),
      });
    await post(rig.state.now);
    await post(rig.state.now - 120_000);
    rig.state.now += 24 * 3_600_000;
    signed([secret]);
    expect((await release(everything)).body).toMatchObject({ matched: 2, released: 1, stillRefused: 1 });
  });
});

describe('discarding the quarantine', () => {
  it('removes the selected requests, and only counts in a dry run', async () => {
    await send('acme', transactionAdded(1));
    rig.state.now += 1_000;
    await send('acme', transactionAdded(2));
    const filter = { until: new Date(rig.state.now).toISOString() };
    expect((await discard({ filter, dryRun: true })).body).toMatchObject({
      matched: 1,
      discarded: 0,
      eligible: 1,
      sample: [{ source: 'acme' }],
    });
    expect((await discard({ receipts: ['none'] })).body.problems).toMatchObject([{ receipt: 'none' }]);
    expect((await discard({ filter })).body).toEqual({ matched: 1, discarded: 1 });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 0, quarantined: 1 });
  });
});

it('refuses a body that selects nothing', async () => {
  for (const { status, body } of [await release({ filter: {} }), await discard({})]) {
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'bad-request' });
  }
});
