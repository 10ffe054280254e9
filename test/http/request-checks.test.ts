import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdminRig, KEY, ledgerOf, startAdminRig } from '../admin/admin-rig.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { connectTo, readUntilClosed, sendBytes, statusesIn } from '../system/tcp-client.ts';

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
});
afterAll(() => rig.close());

function urlOf(port: 'admin' | 'intake'): string {
  return rig[port].listeningOrigin;
}

/** A webhook with these lines in its head, and a body in one chunk. */
function chunkedWebhook(version: string, ...lines: string[]): string {
  const head = [`POST /webhooks/acme HTTP/${version}`, `X-Relay-Key: ${KEY}`, ...lines, '', ''];
  return `${head.join('\r\n')}2\r\n{}\r\n0\r\n\r\n`;
}

function get(path: string, ...lines: string[]): string {
  return [`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

/** Sends it, and expects one problem document and the end of the connection. */
async function problemFor(port: 'admin' | 'intake', bytes: string) {
  const text = await sendBytes(urlOf(port), bytes);
  expect(statusesIn(text)).toHaveLength(1);
  const [head = '', body = ''] = text.split('\r\n\r\n');
  expect(head).toMatch(/^content-type: application\/problem\+json/im);
  expect(head).toMatch(/^connection: close/im);
  return JSON.parse(body) as { readonly status: number; readonly code: string; readonly detail: string };
}

const HOST = 'Host: relay';

describe.each(['admin', 'intake'] as const)('the %s port refuses with a problem document', (port) => {
  const path = port === 'admin' ? '/admin/v1/ledger' : '/webhooks/acme';
  it.each([
    ['HTTP/1.1 without Host', get(path), 400, 'bad-request', 'there is no Host header'],
    ['two Host headers', get(path, HOST, 'hOST: other'), 400, 'bad-request', 'more than one Host header'],
    ['two equal Host headers', get(path, HOST, HOST), 400, 'bad-request', 'more than one Host header'],
    [
      'an unknown expectation',
      get(path, HOST, 'Expect: nonsense'),
      417,
      'expectation-failed',
      '100-continue',
    ],
    ['CONNECT', `CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n\r\n`, 400, 'bad-request', 'CONNECT is not supported'],
  ])('%s', async (_what, bytes, status, code, detail) => {
    expect(await problemFor(port, bytes)).toMatchObject({
      status,
      code,
      detail: expect.stringContaining(detail),
    });
  });
});

describe('what follows a refused request on its connection', () => {
  /** A valid webhook. */
  function webhook(number: number): string {
    const body = JSON.stringify(transactionAdded(number));
    const lines = ['POST /webhooks/acme HTTP/1.1', HOST, `X-Relay-Key: ${KEY}`];
    return [...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
  }
  const post = 'POST /webhooks/acme HTTP/1.1';
  it.each([
    ['two Hosts', [post, HOST, HOST, 'Content-Length: 2', '', '{}'].join('\r\n')],
    ['no Host', [post, 'Content-Length: 2', '', '{}'].join('\r\n')],
    ['HTTP/1.0 in chunks', chunkedWebhook('1.0', HOST, 'Transfer-Encoding: chunked')],
    ['an unknown coding', chunkedWebhook('1.1', HOST, 'Transfer-Encoding: gzip, chunked')],
    ['an unknown expectation', [post, HOST, 'Expect: x', 'Content-Length: 2', '', '{}'].join('\r\n')],
    ['CONNECT', `CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n\r\n`],
    ['bytes that are not HTTP', 'BROKEN\r\n\r\n'],
  ])('is neither answered nor stored: %s', async (_what, refused) => {
    const { accepted = 0 } = await ledgerOf(rig);
    const socket = await connectTo(urlOf('intake'));
    const errors: Error[] = [];
    socket.on('error', (error) => errors.push(error));
    const received = readUntilClosed(socket);
    socket.write(webhook(1) + refused + webhook(2).repeat(1_000));
    await once(socket, 'data');
    if (socket.writable) socket.write(webhook(3).repeat(1_000));
    const statuses = statusesIn(await received);
    expect(statuses.slice(0, 1)).toEqual([200]);
    expect(statuses.slice(1).filter((status) => status < 400)).toEqual([]);
    expect(statuses.length).toBeLessThanOrEqual(2);
    expect(errors).toEqual([]);
    expect(await ledgerOf(rig)).toMatchObject({ accepted: accepted + 1 });
  });
});

describe('a webhook', () => {
  it.each([
    ['gzip, chunked', 501, 'unknown-transfer-coding'],
    ['identity, chunked', 501, 'unknown-transfer-coding'],
    ['chunked, chunked', 400, 'bad-request'],
    ['gzip', 400, 'bad-request'],
    ['identity', 400, 'bad-request'],
    ['chunked, gzip', 400, 'bad-request'],
  ])('is refused with the Transfer-Encoding %o', async (coding, status, code) => {
    const bytes = chunkedWebhook('1.1', HOST, `Transfer-Encoding: ${coding}`);
    expect(await problemFor('intake', bytes)).toMatchObject({ status, code });
  });

  it('is refused if HTTP/1.0 has a Transfer-Encoding', async () => {
    const bytes = chunkedWebhook('1.0', HOST, 'Transfer-Encoding: chunked');
    expect(await problemFor('intake', bytes)).toMatchObject({ status: 400, code: 'bad-request' });
  });

  it.each([
    ['Chunked', chunkedWebhook('1.1', HOST, 'Transfer-Encoding: Chunked', 'Connection: close')],
    ['an empty Host', chunkedWebhook('1.1', 'Host:', 'Transfer-Encoding: chunked', 'Connection: close')],
    [
      'HTTP/1.0 without Host',
      `POST /webhooks/acme HTTP/1.0\r\nX-Relay-Key: ${KEY}\r\nContent-Length: 2\r\n\r\n{}`,
    ],
    [
      '100-continue',
      chunkedWebhook('1.1', HOST, 'Expect: 100-Continue', 'Transfer-Encoding: chunked', 'Connection: close'),
    ],
    [
      'an expectation of HTTP/1.0',
      `POST /webhooks/acme HTTP/1.0\r\nX-Relay-Key: ${KEY}\r\nExpect: x\r\nContent-Length: 2\r\n\r\n{}`,
    ],
  ])('is read with %s', async (_what, bytes) => {
    const text = await sendBytes(urlOf('intake'), bytes);
    // Read and verified, but `{}` is not an event.
    expect(statusesIn(text).at(-1)).toBe(400);
    expect(text).toContain('"code":"not-an-event"');
  });
});
