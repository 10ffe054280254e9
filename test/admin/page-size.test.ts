import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shortId } from '../../src/capillary/event-id.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

const MIB = 1_048_576;
const MAX_PAGE_BYTES = 6 * MIB;
/** Events whose ids begin with the same 990,000 characters. */
const EVENTS = 24;
const BEGINNING = 'id'.repeat(495_000);

let rig: AdminRig;
const receipts: string[] = [];

function longEvent(number: number) {
  return { ...transactionAdded(number), eventId: `${BEGINNING}-${number}` };
}

beforeAll(async () => {
  rig = await startAdminRig();
  for (let number = 0; number < EVENTS; number += 1)
    receipts.push((await rig.webhook('acme', longEvent(number))).body.receipt);
});
afterAll(() => rig.close());

describe('event ids of a megabyte', () => {
  it('are different events if they only begin alike, and duplicates if they are equal', async () => {
    expect(new Set(receipts).size).toBe(EVENTS);
    for (const number of [0, EVENTS - 1]) {
      expect((await rig.webhook('acme', longEvent(number))).body).toEqual({
        status: 'duplicate',
        receipt: receipts[number],
      });
    }
  });

  it('are short in a page, which is small, and find their event', async () => {
    const { body } = await rig.get('/admin/v1/events?limit=500');
    expect(body.events).toHaveLength(EVENTS);
    expect(JSON.stringify(body).length).toBeLessThan(EVENTS * 2_000);
    const { eventId } = body.events[0];
    expect(eventId).toBe(shortId(longEvent(EVENTS - 1).eventId));
    expect(eventId.length).toBeLessThanOrEqual(200);
    expect((await rig.get(`/admin/v1/events?eventId=${eventId}`)).body.events).toHaveLength(1);
    expect((await rig.get(`/admin/v1/events/${eventId}`)).body.receipt).toBe(receipts.at(-1));
  });

  it('find their event as they were sent, as far as a URL has room', async () => {
    const eventId = `${'x'.repeat(7_000)}-1`;
    const { receipt } = (await rig.webhook('acme', { ...transactionAdded(500), eventId })).body;
    expect((await rig.get(`/admin/v1/events/${eventId}`)).body.receipt).toBe(receipt);
    const { events } = (await rig.get(`/admin/v1/events?eventId=${eventId}`)).body;
    expect(events.map((event: { receipt: string }) => event.receipt)).toEqual([receipt]);
    const other = await rig.get(`/admin/v1/events/${eventId.slice(0, 200)}`);
    expect(other.status).toBe(404);
    expect(other.body.detail).toContain('A long event id is found by all of it');
    expect(other.body.detail).toContain('if version 0.2 stored the event, use its receipt');
  });
});

describe('a page is bounded in bytes', () => {
  /** Sizes of all pages of a listing, and the number of its entries. */
  async function sizesOf(path: string, list: string) {
    const sizes: number[] = [];
    let count = 0;
    let cursor = '';
    do {
      const { body } = await rig.get(`${path}&limit=500${cursor}`);
      sizes.push(Buffer.byteLength(JSON.stringify(body)));
      count += body[list].length;
      cursor = body.next === null ? '' : `&cursor=${body.next}`;
    } while (cursor !== '');
    return { sizes, count };
  }

  it('of quarantined requests with their bodies', async () => {
    for (let number = 0; number < 12; number += 1)
      await rig.webhook('beta', longEvent(number), { 'x-relay-key': 'wrong' });
    const { sizes, count } = await sizesOf('/admin/v1/quarantine?body=true', 'quarantined');
    expect(count).toBe(12);
    expect(Math.max(...sizes)).toBeLessThan(MAX_PAGE_BYTES);
    expect(sizes.length).toBeGreaterThan(2);
  });

  it('of events and dead letters that an earlier version stored with long ids', async () => {
    const { journal } = rig;
    for (let number = 0; number < 12; number += 1) {
      const { items } = await journal.list({}, { limit: 1 });
      // Without the lane, so that all of them can be claimed at once.
      const { lane: _lane, ...event } = items[0]!;
      await journal.append([
        {
          ...event,
          identity: number.toString(16).padStart(64, '0'),
          eventId: longEvent(number).eventId,
          body: Buffer.from('{}'),
        },
      ]);
    }
    await rig.moveToDeadLetters();
    for (const [path, list] of [
      ['/admin/v1/events?state=dead,pending', 'events'],
      ['/admin/v1/dead-letters?source=acme', 'deadLetters'],
    ] as const) {
      const { sizes, count } = await sizesOf(path, list);
      expect(count).toBe(EVENTS + 1 + 12);
      expect(Math.max(...sizes)).toBeLessThan(MAX_PAGE_BYTES);
      expect(sizes.length).toBeGreaterThan(2);
    }
  });

  it('of unread fields: the others are counted', async () => {
    const path = (number: number) => `data.${'deep.'.repeat(180)}field${number}`;
    for (let name = 0; name < 40; name += 1) {
      const fields = new Map(Array.from({ length: 300 }, (_, number) => [path(number), 'a']));
      rig.coverage.count(
        { source: 'acme', eventName: `custom${name}`, replays: 0 },
        { mapping: 'generic', fields },
      );
    }
    const { body } = await rig.get('/admin/v1/coverage');
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThan(MAX_PAGE_BYTES);
    const entries = body.events as { fields: { count: number }[]; more: number }[];
    expect(entries).toHaveLength(40);
    const counted = entries.map(({ fields, more }) => fields.length + more);
    expect(new Set(counted)).toEqual(new Set([300]));
    expect(entries.some(({ more }) => more > 0)).toBe(true);
  });
});
