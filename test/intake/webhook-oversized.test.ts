import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text as textFrom } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { StoreError } from '../../src/journal/journal.ts';
import { replayDeadLetters } from '../../src/operations/dead-letter-actions.ts';
import { replayEvent } from '../../src/operations/event-replay.ts';
import { type Intake, type IntakeOptions, KEY, startIntake } from './intake-rig.ts';

let intake: Intake;
async function start(options: IntakeOptions = {}): Promise<Intake> {
  intake = await startIntake(options);
  return intake;
}
afterEach(() => intake.close());

const BODY = JSON.stringify({ eventName: 'a', orgId: 1, data: { pad: 'é'.repeat(15_000) } });
const BYTES = Buffer.byteLength(BODY);
const HMAC = { type: 'hmac', header: 'X-Signature', secrets: ['s3cret'] };
const BASIC = { type: 'basic', username: 'capillary', passwords: ['pw'] };
const BASIC_HEADER = { authorization: `Basic ${Buffer.from('capillary:pw').toString('base64')}` };

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Sends the beginning of a request and reads until the connection is closed. */
async function sendRaw(head: string, body: string | Buffer = ''): Promise<string> {
  const socket = connect(intake.port, '127.0.0.1');
  socket.write(`POST /webhooks/acme HTTP/1.1\r\nHost: a\r\nX-Relay-Key: ${KEY}\r\n${head}\r\n\r\n`);
  socket.write(body);
  return textFrom(socket);
}

describe('a body over the limit', () => {
  test.each([
    ['with a Content-Length', undefined],
    ['in chunks', [BODY.slice(0, 9_000), BODY.slice(9_000, 9_001), BODY.slice(9_001)]],
  ])('%s leaves its beginning and its hash', async (_what, chunks) => {
    await start();
    const { status, body, headers } = await intake.send(BODY, chunks === undefined ? {} : { chunks });
    expect(status).toBe(413);
    expect(headers.connection).toBe('close');
    const [stored] = await intake.stored();
    expect(stored?.event).toMatchObject({
      state: 'malformed',
      reason: 'malformed',
      verifiedBy: 'header:x-relay-key',
      detail: `truncated: the body has ${BYTES} bytes, over server.bodyLimit; its first 4096 are stored; SHA-256 of the whole body: ${sha256(BODY)}`,
    });
    expect(stored?.body).toEqual(Buffer.from(BODY).subarray(0, 4_096));
    expect(body).toMatchObject({
      code: 'body-too-large',
      detail: `the first 4096 bytes are kept as ${stored?.event.receipt}`,
    });
    expect(intake.reports).toMatchObject([
      { outcome: 'oversized', status: 413, receipt: stored?.event.receipt },
    ]);
  });

  test.each([
    ['together with it', false],
    ['after its answer', true],
  ])('leaves no stored webhook unanswered that is sent %s', async (_what, isLater) => {
    await start();
    const request = (body: string, ...lines: string[]) => {
      const head = ['POST /webhooks/acme HTTP/1.1', 'Host: a', `X-Relay-Key: ${KEY}`, ...lines];
      return [...head, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
    };
    const next = request(JSON.stringify({ eventName: 'a', orgId: 1 }), 'Connection: close');
    const socket = connect(intake.port, '127.0.0.1');
    const received = textFrom(socket);
    socket.write(isLater ? request(BODY) : request(BODY) + next);
    if (isLater) {
      await once(socket, 'readable');
      socket.write(next);
    }
    const statuses = [...(await received).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    expect(statuses[0]).toBe('413');
    expect(await intake.counts()).toMatchObject({
      accepted: statuses.filter((status) => status === '200').length,
    });
  });

  test('of exactly the limit is no such body', async () => {
    await start();
    const padded = JSON.stringify({ eventName: 'a', orgId: 1 }).padEnd(20_000);
    expect((await intake.send(padded)).status).toBe(200);
    expect((await intake.send(`${padded} `)).status).toBe(413);
  });

  test.each<[string, Record<string, unknown>, Record<string, string>, number]>([
    ['Basic', { verify: [BASIC] }, BASIC_HEADER, 1],
    ['Bearer', { verify: [{ type: 'bearer', tokens: ['t0ken'] }] }, { authorization: 'Bearer t0ken' }, 1],
    ['none and an allowed address', { verify: [{ type: 'none' }], allowFrom: ['127.0.0.1'] }, {}, 1],
    ['none and another address', { verify: [{ type: 'none' }], allowFrom: ['10.0.0.1'] }, {}, 0],
    ['a wrong header', {}, { 'x-relay-key': 'wrong' }, 0],
    [
      'a signature over the body',
      { verify: [HMAC] },
      { 'x-signature': createHmac('sha256', 's3cret').update(BODY).digest('hex') },
      0,
    ],
    [
      'a signature over nothing',
      { verify: [HMAC] },
      { 'x-signature': createHmac('sha256', 's3cret').digest('hex') },
      0,
    ],
    ['Basic beside a signature', { verify: [HMAC, BASIC] }, BASIC_HEADER, 1],
  ])('from a sender that is verified by %s', async (_what, source, headers, malformed) => {
    await start({ source });
    expect((await intake.send(BODY, { headers, chunks: [BODY] })).status).toBe(413);
    expect(await intake.counts()).toEqual({ accepted: 0, malformed, quarantined: 0 });
  });

  test('is not replayed: the reason is said', async () => {
    await start();
    // The beginning is an event by itself, the rest is unknown.
    await intake.send(JSON.stringify({ eventName: 'a', orgId: 1 }).padEnd(30_000));
    const [stored] = await intake.stored();
    const replay = await replayEvent(intake.parts, stored!, { asNew: false, by: 'admin' });
    expect(replay).toEqual({
      ok: false,
      detail:
        'it is still malformed: only the beginning of its body is stored; raise server.bodyLimit and have the event sent again',
    });
    const all = { filter: {}, asNew: false, by: 'admin', dryRun: false };
    expect(await replayDeadLetters(intake.parts, all)).toMatchObject({ replayed: 0, stillMalformed: 1 });
    expect(await intake.counts()).toEqual({ accepted: 0, malformed: 1, quarantined: 0 });
  });

  test('gets 503 while the store fails or is full, so that it comes again', async () => {
    await start({ wrap: () => ({ appendMalformed: () => Promise.reject(new StoreError('no')) }) });
    expect((await intake.send(BODY)).status).toBe(503);
  });
});

describe('a body that does not end', () => {
  test('of which nothing arrives is answered soon, and nothing is stored', async () => {
    await start();
    expect(await sendRaw('Content-Length: 5000000')).toContain('HTTP/1.1 413 ');
    expect(await intake.counts()).toMatchObject({ malformed: 0 });
  });

  test('of which only a part arrives is stored with the hash of this part', async () => {
    await start();
    const part = Buffer.from(BODY).subarray(0, 6_000);
    expect(await sendRaw('Content-Length: 5000000', part)).toContain('HTTP/1.1 413 ');
    const [stored] = await intake.stored();
    expect(stored?.event.detail).toContain(
      `more than 6000 bytes, over server.bodyLimit; its first 4096 are stored; SHA-256 of its first 6000 bytes: ${sha256(part)}`,
    );
  });

  test('is read up to a bound only', async () => {
    await start();
    const socket = connect(intake.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /webhooks/acme HTTP/1.1\r\nHost: a\r\nX-Relay-Key: ${KEY}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const chunk = `100000\r\n${'x'.repeat(1_048_576)}\r\n`;
    socket.resume();
    for (let sent = 0; sent < 64 && socket.bytesRead === 0 && !socket.destroyed; sent += 1)
      await new Promise<void>((resolve) => socket.write(chunk, () => resolve()));
    expect(socket.bytesRead).toBeGreaterThan(0);
    socket.destroy();
    const [stored] = await intake.stored();
    const [, bytes] = /more than (\d+) bytes/.exec(stored?.event.detail ?? '') ?? [];
    expect(Number(bytes)).toBeGreaterThanOrEqual(16 * 1_048_576);
    expect(Number(bytes)).toBeLessThan(18 * 1_048_576);
  });

  test('from a sender that is not verified is not read at all', async () => {
    await start({ source: { verify: [HMAC] } });
    expect(await sendRaw('Content-Length: 5000000', BODY)).toContain('HTTP/1.1 413 ');
    expect(intake.errors).toEqual([]);
  });
});
