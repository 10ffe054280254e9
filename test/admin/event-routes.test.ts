import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseEvent } from '../../src/capillary/event-parser.ts';
import { destinationSchema } from '../../src/config/destination-config.ts';
import { createProgramCatalogue } from '../../src/mapping/program-catalogue.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import type { Settlement } from '../../src/journal/journal.ts';
import { appendSettled, sampleEvent, settled } from '../contract/samples.ts';
import { relayConfig } from '../helpers/relay-process.ts';
import { type AdminRig, source, startAdminRig } from './admin-rig.ts';

const HOUR = 3_600_000;

let rig: AdminRig;
let start: number;
/** Receipts by name, in the order of receipt, one hour apart. */
const receipts: Record<string, string> = {};

async function send(name: string, to: string, body: object | string) {
  const answer = await rig.webhook(to, body);
  receipts[name] = answer.body.receipt ?? /kept as (\S+)$/.exec(answer.body.detail)?.[1];
  rig.state.now += HOUR;
}

beforeAll(async () => {
  rig = await startAdminRig([source('acme'), source('beta', { destination: 'other-aep' })]);
  start = rig.state.now;
  await send('delivered', 'acme', { ...transactionAdded(1), eventId: 'twice' });
  await rig.settle(() => ({ state: 'delivered', delivered: ['event'] }));
  await send('dead', 'acme', transactionAdded(2));
  await rig.moveToDeadLetters('rejected');
  await send('malformed', 'acme', '{"eventName":');
  await send('beta', 'beta', pointsIssued(2, 10));
  await send('pending', 'acme', { ...pointsIssued(2, 20), eventId: 'twice' });
});
afterAll(() => rig.close());

async function found(query: string): Promise<(string | undefined)[]> {
  const { status, body } = await rig.get(`/admin/v1/events?${query}`);
  expect(status).toBe(200);
  return body.events.map(
    ({ receipt }: { receipt: string }) => Object.entries(receipts).find(([, one]) => one === receipt)?.[0],
  );
}

function iso(hours: number) {
  return new Date(start + hours * HOUR).toISOString();
}

describe('listing events', () => {
  it('lists newest first', async () => {
    expect(await found('')).toEqual(['pending', 'beta', 'malformed', 'dead', 'delivered']);
  });

  it.each([
    ['state=dead', ['dead']],
    ['state=dead,malformed', ['malformed', 'dead']],
    ['state=dead&state=delivered', ['dead', 'delivered']],
    ['state=dead&state=pending,delivered', ['pending', 'beta', 'dead', 'delivered']],
    ['state=ignored', []],
    ['source=beta', ['beta']],
    ['destination=other-aep', ['beta']],
    ['eventName=pointsIssued', ['pending', 'beta']],
    ['eventId=twice', ['pending', 'delivered']],
    ['reason=rejected', ['dead']],
    ['reason=malformed', ['malformed']],
    ['customerId=2', ['pending', 'beta', 'dead']],
    ['customerId=2&source=acme&state=pending', ['pending']],
  ])('filters by %s', async (query, names) => {
    expect(await found(query)).toEqual(names);
  });

  it('finds several by receipt', async () => {
    const wanted = ['dead', 'beta'].map((name) => receipts[name]);
    expect(await found(`receipts=${wanted.join(',')},none`)).toEqual(['beta', 'dead']);
    expect(await found(`receipts=${wanted.join('&receipts=')}&state=dead`)).toEqual(['dead']);
  });

  it('accepts ISO 8601 times, dates and milliseconds; since is inclusive, until is exclusive', async () => {
    expect(await found(`since=${iso(3)}`)).toEqual(['pending', 'beta']);
    expect(await found(`until=${iso(1)}`)).toEqual(['delivered']);
    expect(await found(`since=${start + HOUR}&until=${start + 2 * HOUR}`)).toEqual(['dead']);
    expect(await found('since=2026-02-01')).toEqual([]);
    expect(await found('until=2026-01-31')).toEqual([]);
    // 13:30 at +05:30 is 08:00 UTC; the second + is not escaped and arrives as a space.
    expect(await found('until=2026-01-31T13:30:01%2B05:30')).toEqual(['delivered']);
    expect(await found('until=2026-01-31T13:30:01+05:30')).toEqual(['delivered']);
  });

  it('pages to the end without gaps or repetitions', async () => {
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const { body } = await rig.get(`/admin/v1/events?limit=2${next && `&cursor=${next}`}`);
      expect(body.events.length).toBeLessThanOrEqual(2);
      seen.push(...body.events.map(({ receipt }: { receipt: string }) => receipt));
      next = body.next;
    }
    expect(seen).toEqual(Object.values(receipts).toReversed());
  });

  it('shows everything except the content', async () => {
    const { body } = await rig.get('/admin/v1/events?state=dead');
    expect(body.events[0]).toEqual({
      receipt: receipts['dead'],
      source: 'acme',
      destination: 'acme-aep',
      state: 'dead',
      reason: 'rejected',
      detail: '400 no such field',
      eventName: 'transactionAdded',
      eventId: expect.any(String),
      orgId: 100458,
      customerId: '2',
      identity: expect.stringMatching(/^[0-9a-f]{64}$/),
      lane: expect.any(String),
      createdAt: '2026-10-01T10:00:01.774Z',
      receivedAt: iso(1),
      verifiedBy: 'header:x-relay-key',
      settledAt: iso(2),
      failures: 0,
      charged: 0,
      delivered: [],
      replays: 0,
      bodyBytes: expect.any(Number),
    });
  });

  it.each([
    ['state=gone', 'state: must be one of pending, delivered, ignored, dead, malformed'],
    ['state=dead,deliverd', 'or several separated by commas; did you mean `delivered`?'],
    ['source=acmee', 'source: no source has this name; did you mean `acme`?'],
    ['source=nosuch', 'source: no source has this name; known: acme, beta'],
    ['destination=acme-aeb', 'destination: no destination has this name; did you mean `acme-aep`?'],
    ['reason=rejectd', 'reason: is not known; did you mean `rejected`?'],
    ['reason=rejected&state=pending', 'reason: events that are pending have no reason'],
    ['reason=test-event&state=dead', 'reason: is a reason of ignored events, which are not listed here'],
    ['state=malformed&eventName=pointsIssued', 'eventName: a malformed body has none'],
    ['reason=malformed&customerId=1', 'customerId: a malformed body has none'],
    ['state=', 'state: must be one of'],
    ['limit=0', 'limit: must be an integer from 1 to 500'],
    ['limit=501', 'limit: must be'],
    ['limit=1.5', 'limit: must be'],
    ['limit=', 'limit: must be'],
    ['since=yesterday', 'since: must be a time such as 2026-01-31'],
    ['since=2026-01-31T08:00:00', 'since: must be a time'],
    ['until=-1', 'until: must be a time'],
    ['since=2026-02-30', 'since: must be a time'],
    ['since=2025-02-29T08:00:00Z', 'since: must be a time'],
    ['since=2026-13-01', 'since: must be a time'],
    ['since=2026-01-31T24:00:00Z', 'since: must be a time'],
    ['since=2026-01-31T08:60:00Z', 'since: must be a time'],
    ['since=2026-01-31T08:00:61Z', 'since: must be a time'],
    ['until=2026-01-31T08:00:00%2B23:00', 'until: must be a time'],
    ['until=2026-01-31T08:00:00%2B05:60', 'until: must be a time'],
    ['until=', 'until: must be a time'],
    ['since=2026-02-01&until=2026-01-31', 'until: must be later than since'],
    ['source=', 'source: must be a string of 1 to 300 characters'],
    ['source=a&source=b', 'source: must be a string of 1 to 300 characters, given once'],
    ['receipts=a,,b', 'receipts: must be at most 100 receipts'],
    [
      `receipts=${Array.from({ length: 101 }, (_, index) => index).join(',')}`,
      'receipts: must be at most 100 receipts',
    ],
    ['cursor=nonsense', 'cursor: must be the next of a page'],
    ['color=red', 'color: is not a known field; remove it'],
    ['__proto__=red', '__proto__: is not a known field'],
  ])('refuses %s, naming the field and the fix', async (query, detail) => {
    const { status, body } = await rig.get(`/admin/v1/events?${query}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'bad-request', detail: expect.stringContaining(detail) });
  });

  it('says that an id is too long, and not that the URL is wrong', async () => {
    for (const path of ['events', 'quarantine'].map((group) => `/admin/v1/${group}/${'x'.repeat(8_001)}`)) {
      const { status, body } = await rig.get(path);
      expect(status).toBe(400);
      expect(body.detail).toBe('the id in the path is too long: at most 8000 characters');
    }
    expect((await rig.get(`/admin/v1/events/${'x'.repeat(8_000)}`)).status).toBe(404);
    expect((await rig.webhook('x'.repeat(201), {})).body).toMatchObject({ code: 'unknown-source' });
  });

  it('accepts what is no longer configured or recorded, but has events', async () => {
    const record = { ...sampleEvent(), source: 'former', destination: 'former-aep' };
    const receipt = await appendSettled(
      rig.journal,
      record,
      (of) => ({ ...settled.dead(of), reason: 'reason-of-0.1' }) as Settlement,
    );
    for (const query of ['source=former', 'destination=former-aep', 'reason=reason-of-0.1'])
      expect((await rig.get(`/admin/v1/events?${query}`)).body.events).toMatchObject([{ receipt }]);
    expect((await rig.get('/admin/v1/coverage?source=former')).status).toBe(200);
    expect((await rig.get('/admin/v1/coverage?source=formerly')).body.detail).toContain(
      'did you mean `former`?',
    );
  });

  it('refuses the cursor of another listing', async () => {
    await rig.webhook('acme', transactionAdded(1), { 'x-relay-key': 'wrong' });
    await rig.webhook('acme', transactionAdded(1), { 'x-relay-key': 'wrong' });
    const { next } = (await rig.get('/admin/v1/quarantine?limit=1')).body;
    expect((await rig.get(`/admin/v1/events?cursor=${next}`)).status).toBe(400);
    await rig.post('/admin/v1/quarantine/discard', { filter: {}, all: true });
  });
});

describe('one event', () => {
  it('is found by receipt, or as the newest with an event id', async () => {
    const byReceipt = await rig.get(`/admin/v1/events/${receipts['delivered']}`);
    expect(byReceipt.body).toMatchObject({ receipt: receipts['delivered'], eventId: 'twice' });
    expect((await rig.get('/admin/v1/events/twice')).body.receipt).toBe(receipts['pending']);
  });

  it('is answered 404 if it does not exist', async () => {
    expect((await rig.get('/admin/v1/events/none')).body).toMatchObject({ status: 404, code: 'not-found' });
  });

  it('shows the body by default', async () => {
    const { body } = await rig.get('/admin/v1/events/twice');
    expect(body.body).toMatchObject({ eventName: 'pointsIssued', data: { programCurrentPoints: 20 } });
    const bare = await rig.get('/admin/v1/events/twice?body=false');
    expect(bare.body).toMatchObject({ hasBody: true, state: 'pending' });
    expect(bare.body).not.toHaveProperty('body');
    expect((await rig.get('/admin/v1/events/twice?body=no')).body.detail).toBe('body: must be true or false');
  });

  it('shows a body that is not JSON as base64, without the fields of an event', async () => {
    const { body } = await rig.get(`/admin/v1/events/${receipts['malformed']}`);
    expect(Buffer.from(body.bodyBase64, 'base64').toString()).toBe('{"eventName":');
    expect(body).toMatchObject({ state: 'malformed', reason: 'malformed' });
    expect(body.detail).toContain('not-json');
    for (const field of ['identity', 'eventName', 'orgId', 'messageId', 'body']) {
      expect(body).not.toHaveProperty(field);
    }
  });

  it('has the _id that the mapping gives to its messages', async () => {
    const { body } = await rig.get('/admin/v1/events/twice');
    const parsed = parseEvent(Buffer.from(JSON.stringify(body.body)), {});
    const plain = relayConfig({ imsUrl: 'http://127.0.0.1/ims', inletUrl: 'http://127.0.0.1/collection/x' });
    if (!parsed.ok) throw new Error(parsed.detail);
    const mapped = await mapEvent(parsed.event, {
      source: source('acme'),
      destination: destinationSchema.parse(plain.destinations[0]),
      programs: createProgramCatalogue(),
      receivedAt: rig.state.now,
      idSuffix: '',
    });
    expect(mapped).toMatchObject({ outcome: 'messages', id: body.messageId });
  });
});
