import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/capillary/json.ts';
import { accept } from '../../src/intake/accept.ts';
import { differsFromFirst } from '../../src/intake/duplicates.ts';
import { type Journal, StoreError } from '../../src/journal/journal.ts';
import type { VerifiedRequest } from '../../src/sources/verifier.ts';
import { source } from '../admin/admin-rig.ts';
import { DAY, settleAs, settled } from '../contract/samples.ts';
import { until } from '../helpers/until.ts';
import { pointsIssued } from '../fixtures/events.ts';
import { journalFolder, openJournal } from '../journal/journal-folder.ts';

const AT = Date.UTC(2026, 9, 1, 12);
const acme = source('acme');

const clock = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT));
let journal: Journal;
beforeEach(async () => {
  clock.fill(AT);
  journal = await openJournal(await journalFolder(), { clock });
});
afterEach(() => journal.close());

function acceptText(text: string, receivedAt = AT) {
  const request = { body: Buffer.from(text), receivedAt, verifiedBy: 'header:x-relay-key', headers: {} };
  return accept({ journal, bodyLimit: 1e6 }, acme, request as VerifiedRequest);
}

async function acceptFirst(event: object): Promise<string> {
  const result = await acceptText(JSON.stringify(event));
  if (result.status !== 'accepted') throw new Error(result.status);
  return result.receipt;
}

describe('a usable id that comes again', () => {
  it('with other data is a duplicate that is counted at the first', async () => {
    const event = pointsIssued(1, 500);
    const receipt = await acceptFirst(event);
    const other = JSON.stringify({ ...event, data: { ...event.data, programCurrentPoints: 120 } });

    for (const at of [AT + 1, AT + 5]) {
      clock.fill(at);
      expect(await acceptText(other, at)).toMatchObject({ status: 'duplicate', receipt, differs: true });
    }
    const record = await journal.find(receipt);
    expect(record?.differingCopies).toEqual({ count: 2, lastAt: AT + 5 });
    expect(JSON.parse(String(record?.body))).toEqual(event);
  });

  it('with other data in an array is counted too', async () => {
    const event = pointsIssued(2, 500);
    const receipt = await acceptFirst(event);
    const other = { ...event, data: { ...event.data, programCurrentPoints: 120 } };

    expect(await acceptText(JSON.stringify([event, other, pointsIssued(3, 1)]))).toMatchObject({
      status: 'array',
      duplicates: new Map([
        ['false', 1],
        ['true', 1],
      ]),
      accepted: new Map([['pointsIssued', 1]]),
    });
    expect((await journal.find(receipt))?.differingCopies?.count).toBe(1);
  });

  it.each<[string, (event: ReturnType<typeof pointsIssued>) => string]>([
    ['the same bytes', (event) => JSON.stringify(event)],
    [
      'another order of keys',
      (event) => JSON.stringify(Object.fromEntries(Object.entries(event).toReversed())),
    ],
    [
      'another order of keys in data',
      (event) =>
        JSON.stringify({ ...event, data: Object.fromEntries(Object.entries(event.data).toReversed()) }),
    ],
    [
      '1.0 for 1',
      (event) => JSON.stringify(event).replace('"totalPointsIssued":18', '"totalPointsIssued":18.0'),
    ],
    ['a field that is null', (event) => JSON.stringify({ ...event, data: { ...event.data, notes: null } })],
    ['another trace', (event) => JSON.stringify({ ...event, traceAttributes: { hop: '2' } })],
    ['another createdAt', (event) => JSON.stringify({ ...event, createdAt: event.createdAt + 1 })],
    [
      'a router wrapper',
      ({ eventId, ...attributes }) => JSON.stringify({ eventId, timeStamp: AT, attributes }),
    ],
  ])('with %s is an equal duplicate', async (_, write) => {
    const event = pointsIssued(1, 500);
    const receipt = await acceptFirst(event);

    expect(await acceptText(write(event))).toMatchObject({ status: 'duplicate', receipt, differs: false });
    expect((await journal.find(receipt))?.differingCopies).toBeUndefined();
  });

  it.each<[string, JsonObject]>([
    ['another value', { programCurrentPoints: 501 }],
    ['a further field', { more: 'x' }],
    ['a field fewer', { programCurrentPoints: null }],
    ['a list in another order', { list: [2, 1] }],
  ])('with %s differs', async (_, change) => {
    const event = { ...pointsIssued(1, 500) };
    const first = { ...event, data: { ...event.data, list: [1, 2] } };
    const receipt = await acceptFirst(first);
    const copy = JSON.stringify({ ...first, data: { ...first.data, ...change } });

    expect(await acceptText(copy)).toMatchObject({ status: 'duplicate', receipt, differs: true });
  });

  it('is not compared once the first body is gone', async () => {
    const event = pointsIssued(1, 500);
    const receipt = await acceptFirst(event);
    await settleAs(journal, settled.delivered(receipt));
    const retention = { delivered: 0, ids: 8 * DAY, dead: 8 * DAY };
    journal.maintain(() => ({ retention, maxBytes: 1e12, minFree: 0 }));
    await until(async () => (await journal.find(receipt))?.body === undefined);
    const other = JSON.stringify({ ...event, data: {} });

    expect(await acceptText(other)).toMatchObject({ status: 'duplicate', receipt, differs: undefined });
    expect((await journal.find(receipt))?.differingCopies).toBeUndefined();
  });

  it('is answered as a duplicate if the store cannot record the difference', async () => {
    const event = pointsIssued(1, 500);
    const receipt = await acceptFirst(event);
    const copy = {
      orgId: event.orgId,
      receivedAt: AT,
      body: Buffer.from(JSON.stringify({ ...event, data: {} })),
    };
    const failing = {
      find: (id: string) => journal.find(id),
      recordDifferingCopy: () => Promise.reject(new StoreError('database or disk is full')),
    };

    expect(
      await differsFromFirst(failing, { receipt, duplicate: true, sameBody: false }, copy),
    ).toBeUndefined();
  });
});

describe('events whose id only stands for "none"', () => {
  it.each([
    'null',
    'undefined',
    '0',
    '-1',
    '-',
    'NA',
    '00000000-0000-0000-0000-000000000000',
    '{{eventId}}',
    0,
  ])('%j are all accepted if they differ, and recognised if they do not', async (eventId) => {
    const [one, two] = [500, 480].map((balance) => ({ ...pointsIssued(1, balance), eventId }));
    await acceptFirst(one!);
    const receipt = await acceptFirst(two!);

    expect(await acceptText(JSON.stringify(two))).toMatchObject({
      status: 'duplicate',
      receipt,
      differs: false,
    });
    expect(await journal.ledger()).toMatchObject({ acme: { accepted: 2, pending: 2 } });
  });

  it('are told apart by loyaltyEventId', async () => {
    const event = { ...pointsIssued(1, 500), eventId: 'null', loyaltyEventId: 'l-1' };

    await acceptFirst(event);
    await acceptFirst({ ...event, loyaltyEventId: 'l-2' });
    expect(await journal.ledger()).toMatchObject({ acme: { accepted: 2 } });
  });
});
