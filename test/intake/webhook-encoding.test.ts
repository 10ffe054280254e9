import { createHash, createHmac } from 'node:crypto';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { parseEvent } from '../../src/capillary/event-parser.ts';
import { StoreError } from '../../src/journal/journal.ts';
import { replayDeadLetters } from '../../src/operations/dead-letter-actions.ts';
import { releaseQuarantined } from '../../src/operations/quarantine-actions.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type Intake, type IntakeOptions, startIntake, textOf } from './intake-rig.ts';

let intake: Intake;
async function start(options: IntakeOptions = {}): Promise<Intake> {
  intake = await startIntake(options);
  return intake;
}
afterEach(() => intake.close());

const ALL = { filter: {}, asNew: false, by: 'admin', dryRun: false };
const HMAC = { type: 'hmac', header: 'X-Signature', secrets: ['s3cret'] };

function sign(body: Uint8Array, secret = 's3cret'): Record<string, string> {
  return { 'x-signature': createHmac('sha256', secret).update(body).digest('hex') };
}

function coded(coding: string, more: Record<string, string> = {}) {
  return { headers: { 'content-encoding': coding, ...more } };
}

function jsonOf(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** The name of a customer in a stored event, as delivery reads it. */
function nameOf(body: Buffer | undefined): unknown {
  const parsed = parseEvent(body ?? Buffer.alloc(0), {});
  return parsed.ok ? parsed.event.data['name'] : parsed.detail;
}

describe('a compressed event', () => {
  const event = transactionAdded(1);
  const json = jsonOf(event);
  test.each<[string, Buffer]>([
    ['gzip', gzipSync(json)],
    ['GZip', gzipSync(json)],
    ['x-gzip', gzipSync(json)],
    ['deflate', deflateSync(json)],
    ['deflate', deflateRawSync(json)],
    ['br', brotliCompressSync(json)],
    ['deflate, br', brotliCompressSync(deflateSync(json))],
    ['identity', json],
    ['gzip', json],
  ])('in %s is stored inflated and recognised as a duplicate', async (coding, body) => {
    await start();
    const first = await intake.send(body, coded(coding));
    expect(first).toMatchObject({ status: 200, body: { status: 'accepted' } });
    const [stored] = await intake.stored();
    expect(JSON.parse(textOf(stored!))).toEqual(event);
    await intake.restart();
    expect((await intake.send(json)).body).toEqual({ status: 'duplicate', receipt: first.body.receipt });
  });

  test('can be an array, and can come without a Content-Length', async () => {
    await start();
    const body = gzipSync(jsonOf([transactionAdded(1), transactionAdded(2)]));
    const chunks = [body.subarray(0, 10), body.subarray(10)];
    expect((await intake.send('', { ...coded('gzip'), chunks })).body.receipts).toHaveLength(2);
  });

  test('is verified over the bytes as they were sent', async () => {
    await start({ source: { verify: [HMAC] } });
    const body = gzipSync(json);
    expect((await intake.send(body, coded('gzip', sign(body)))).status).toBe(200);
    expect((await intake.send(body, coded('gzip', sign(json)))).status).toBe(401);
    expect(await intake.counts()).toEqual({ accepted: 1, malformed: 0, quarantined: 1 });
  });

  test('is verified again over these bytes when it is released from quarantine', async () => {
    await start({ source: { verify: [HMAC] } });
    const latin1 = Buffer.from('{"eventName":"a","orgId":1,"data":{"name":"José"}}', 'latin1');
    for (const [body, type] of [
      [gzipSync(json), 'application/json'],
      [deflateRawSync(latin1), 'application/json; charset=iso-8859-1'],
    ] as const) {
      const coding = type.includes('charset') ? 'deflate' : 'gzip';
      const headers = { 'content-type': type, ...sign(body, 'new') };
      expect((await intake.send(body, coded(coding, headers))).status).toBe(401);
    }
    const { verify } = intake.source;
    intake.sources.set([{ ...intake.source, verify: [{ ...verify[0]!, secrets: ['new'] } as never] }]);
    await intake.restart();
    expect(await releaseQuarantined(intake.parts, { filter: {}, by: 'admin', dryRun: false })).toMatchObject({
      released: 2,
      malformed: 0,
      stillRefused: 0,
    });
    const [first, second] = await intake.stored();
    expect(JSON.parse(textOf(first!))).toEqual(event);
    expect(nameOf(second?.body)).toBe('José');
  });

  test('gets 503 while the store fails, or has no space for it when it is inflated', async () => {
    await start({ wrap: () => ({ append: () => Promise.reject(new StoreError('no')) }) });
    expect((await intake.send(gzipSync(json), coded('gzip'))).status).toBe(503);
    await intake.close();
    const refusal = { code: 'store-full', detail: 'full', retryAfter: 30 } as const;
    const admit = (bytes: number) => (bytes > 500 ? refusal : undefined);
    await start({ admission: { admit } });
    const body = gzipSync(jsonOf(transactionAdded(1, { pad: 'x'.repeat(900) })));
    expect(body.length).toBeLessThan(500);
    expect((await intake.send(body, coded('gzip'))).status).toBe(503);
    expect(await intake.counts()).toMatchObject({ accepted: 0 });
  });
});

describe('a body that cannot be inflated', () => {
  test.each<[string, string, Buffer]>([
    ['gzip', 'is not what its Content-Encoding says', gzipSync(jsonOf(transactionAdded(1))).subarray(0, -9)],
    ['br', 'is not what its Content-Encoding says', Buffer.from('%%%')],
    ['zstd', 'its Content-Encoding is unknown', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 4, 5])],
    ['br, br, br, br', 'more than 3 codings', Buffer.from('%%%')],
  ])('%s is malformed and stored as it was sent: %s', async (coding, detail, body) => {
    await start();
    const answer = await intake.send(body, coded(coding));
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'not-json', detail: expect.stringContaining(detail) });
    const [stored] = await intake.stored();
    expect(stored?.body).toEqual(body);
    expect(stored?.event).toMatchObject({ state: 'malformed', detail: expect.stringContaining(detail) });
    expect(await replayDeadLetters(intake.parts, ALL)).toMatchObject({ stillMalformed: 1 });
  });

  test('because it becomes too large gets 413 and is stored as it was sent, to be replayed', async () => {
    await start();
    const event = transactionAdded(1, { pad: 'x'.repeat(20_000) });
    const body = gzipSync(jsonOf(event));
    const answer = await intake.send(body, coded('gzip'));
    expect(answer.status).toBe(413);
    expect(answer.body).toMatchObject({ code: 'body-too-large' });
    expect(answer.body.detail).toContain('inflates to more than 20000 bytes');
    expect((await intake.stored())[0]?.body).toEqual(body);
    expect(await replayDeadLetters(intake.parts, ALL)).toMatchObject({ stillMalformed: 1 });
    expect(await replayDeadLetters({ ...intake.parts, bodyLimit: 30_000 }, ALL)).toMatchObject({
      replayed: 1,
    });
    expect(JSON.parse(textOf((await intake.stored())[0]!))).toEqual(event);
  });

  test('because it is a bomb costs neither memory nor time', async () => {
    await start({ server: { bodyLimit: '1MiB' } });
    const bomb = gzipSync(Buffer.alloc(500_000_000));
    const before = process.memoryUsage().rss;
    const startedAt = performance.now();
    const answers = await Promise.all(Array.from({ length: 8 }, () => intake.send(bomb, coded('gzip'))));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 413));
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe('a compressed body that an earlier version stored as malformed', () => {
  const event = transactionAdded(1);
  test.each<[string, Buffer]>([
    ['gzip', gzipSync(jsonOf(event))],
    ['zlib', deflateSync(jsonOf(event))],
    ['raw deflate', deflateRawSync(jsonOf(event))],
    ['brotli', brotliCompressSync(jsonOf(event))],
    ['UTF-16', Buffer.from(JSON.stringify(event), 'utf16le')],
  ])('in %s becomes an event', async (_name, body) => {
    await start();
    await intake.journal.appendMalformed({
      source: 'acme',
      destination: 'acme-aep',
      receivedAt: 1_000,
      verifiedBy: 'header:x-relay-key',
      detail: 'not-json: not JSON: syntax error at position 0',
      body,
    });
    expect(await replayDeadLetters(intake.parts, ALL)).toMatchObject({ replayed: 1, stillMalformed: 0 });
    const [stored] = await intake.stored();
    expect(stored?.event).toMatchObject({ state: 'pending', eventId: event.eventId });
    expect(JSON.parse(textOf(stored!))).toEqual(event);
  });
});

describe('a name with é', () => {
  const text = JSON.stringify({
    eventName: 'customerAdded',
    eventId: 'e1',
    orgId: 1,
    data: { name: 'José' },
  });

  test.each<[string, Buffer, string | undefined]>([
    ['UTF-8', Buffer.from(text), 'application/json'],
    ['UTF-8, declared', Buffer.from(text), 'application/json; charset=UTF-8'],
    ['Latin-1, declared', Buffer.from(text, 'latin1'), 'application/json; charset=iso-8859-1'],
    ['Latin-1, declared as Windows-1252', Buffer.from(text, 'latin1'), 'text/plain;charset="Windows-1252"'],
    ['Latin-1, undeclared', Buffer.from(text, 'latin1'), 'application/json'],
    ['Latin-1, declared as UTF-8', Buffer.from(text, 'latin1'), 'application/json; charset=utf-8'],
    ['Latin-1, without any content type', Buffer.from(text, 'latin1'), undefined],
    ['UTF-16, declared', Buffer.from(text, 'utf16le'), 'application/json; charset=utf-16le'],
    ['UTF-16 with a byte order mark', Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(), 'application/json'],
  ])('arrives in %s', async (_name, body, type) => {
    await start();
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
    expect((await intake.send(body, { headers })).status).toBe(200);
    await intake.restart();
    const [stored] = await intake.stored();
    expect(nameOf(stored?.body)).toBe('José');
    // The same event in another encoding is the same event.
    expect((await intake.send(text)).body.status).toBe('duplicate');
  });

  test('arrives in an array and in a compressed body', async () => {
    await start();
    const latin1 = Buffer.from(`[${text},${text.replace('e1', 'e2')}]`, 'latin1');
    await intake.send(gzipSync(latin1), coded('gzip'));
    const utf16 = { 'content-type': 'application/json; charset=utf-16le' };
    await intake.send(Buffer.from(`[${text.replace('e1', 'e3')}]`, 'utf16le'), { headers: utf16 });
    const stored = await intake.stored();
    expect(stored.map(({ body }) => nameOf(body))).toEqual(['José', 'José', 'José']);
  });

  test('arrives from a malformed body that is replayed', async () => {
    await start({ source: { orgIds: [2] } });
    await intake.send(Buffer.from(text, 'latin1'));
    const utf16 = { 'content-type': 'application/json; charset=utf-16le' };
    await intake.send(Buffer.from(text.replace('e1', 'e2'), 'utf16le'), { headers: utf16 });
    expect((await intake.stored()).map(({ event }) => event.state)).toEqual(['malformed', 'malformed']);
    intake.sources.set([{ ...intake.source, orgIds: [1] }]);
    expect(await replayDeadLetters(intake.parts, ALL)).toMatchObject({ replayed: 2 });
    expect((await intake.stored()).map(({ body }) => nameOf(body))).toEqual(['José', 'José']);
  });
});

test('the hash of a body is over the bytes that are stored of it', async () => {
  await start({ source: { verify: [{ ...HMAC, payload: '{bodyHash}' }] } });
  const body = gzipSync(jsonOf(transactionAdded(1)));
  const bodyHash = createHash('sha256').update(body).digest('hex');
  expect((await intake.send(body, coded('gzip', sign(Buffer.from(bodyHash))))).status).toBe(200);
});
