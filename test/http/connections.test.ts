import { once } from 'node:events';
import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { manageConnections } from '../../src/http/connections.ts';
import { type AdminRig, KEY, startAdminRig } from '../admin/admin-rig.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { until } from '../helpers/until.ts';
import { connectTo, readUntilClosed, sendBytes, statusesIn } from '../system/tcp-client.ts';

/** More than the buffers of a connection hold. */
const LARGE_BYTES = 16 * 1_048_576;

describe('a server with room for three connections', () => {
  let server: Server;
  let url: string;
  /** Requests that are not answered yet. */
  let held: (() => void)[];
  beforeEach(async () => {
    held = [];
    server = createServer((incoming, response) => {
      if (incoming.url === '/held') held.push(() => response.end('held'));
      else if (incoming.url === '/large') response.end(Buffer.alloc(LARGE_BYTES));
      else incoming.resume().on('end', () => response.end('done'));
    });
    manageConnections(server, { maxConnections: 3, isDraining: () => false, stallTimeoutMs: 1_500 });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  /** Opens a connection and waits until the server has it. */
  async function open(bytes = ''): Promise<Socket> {
    const accepted = once(server, 'connection');
    const socket = await connectTo(url);
    await accepted;
    socket.resume().write(bytes);
    return socket;
  }
  async function ask(socket: Socket, path = '/'): Promise<void> {
    const answered = path === '/held' ? until(() => held.length > 0) : once(socket, 'data');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await answered;
  }

  it('closes the one that has been idle longest for a new one, which is answered', async () => {
    const [first, second, third] = [await open(), await open(), await open()];
    await ask(first);
    const fourth = await open();
    await until(() => second.closed);
    await ask(fourth);
    await ask(third);
    const fifth = await open();
    await until(() => first.closed);
    await ask(fifth);
    expect([third.closed, fourth.closed]).toEqual([false, false]);
  });

  it('closes one whose request does not arrive completely', async () => {
    const arrived = once(server, 'request');
    const slowBody = await open('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1');
    await arrived;
    const slowHead = await open('GET / HTTP/1.1\r\nHo');
    await open();
    await open();
    await open();
    await until(() => slowBody.closed && slowHead.closed);
    expect(held).toEqual([]);
  });

  it('never closes one whose request is being processed, and then refuses the new one', async () => {
    const busy = [await open(), await open(), await open()];
    for (const [index, socket] of busy.entries()) {
      socket.write('GET /held HTTP/1.1\r\nHost: a\r\n\r\n');
      await until(() => held.length > index);
    }
    const refused = await open();
    await until(() => refused.closed);
    const answers = Promise.all(busy.map((socket) => once(socket, 'data')));
    for (const answer of held) answer();
    expect(String(await answers)).toMatch(/held.*held.*held/s);
    const accepted = await open();
    await ask(accepted);
  });

  /** Asks for a large answer and reads nothing of it. @returns both ends of the connection */
  async function stall(): Promise<[Socket, Socket]> {
    const accepted = once(server, 'connection');
    const client = await connectTo(url);
    const [socket] = (await accepted) as [Socket];
    client.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    await until(() => socket.writableLength > 0);
    return [client, socket];
  }

  it('closes one that does not read its answers for a new one', async () => {
    const [[, first]] = [await stall(), await stall(), await stall()];
    const fourth = await open();
    await until(() => first.destroyed);
    await ask(fourth);
    expect(fourth.closed).toBe(false);
  });

  it('closes one that does not read its answers after a time, but none that waits for one', async () => {
    const waiting = await open('GET /held HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => held.length > 0);
    const [, stalled] = await stall();
    await until(() => stalled.destroyed);
    const answered = once(waiting, 'data');
    held[0]?.();
    expect(String(await answered)).toContain('held');
  });

  it('does not close one that reads its answer slowly', async () => {
    const [client, socket] = await stall();
    let bytes = 0;
    client.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      client.pause();
      setTimeout(() => client.resume(), 1 + (3_000 * chunk.length) / LARGE_BYTES);
    });
    await until(() => bytes > LARGE_BYTES || socket.destroyed);
    expect(socket.destroyed).toBe(false);
  });
});

describe('the connections of the relay', () => {
  let rig: AdminRig;
  beforeAll(async () => {
    rig = await startAdminRig();
  });
  afterAll(() => rig.close());

  function webhook(number: number, ...lines: string[]): string {
    const body = JSON.stringify(transactionAdded(number));
    const head = [
      'POST /webhooks/acme HTTP/1.1',
      'Host: relay',
      `X-Relay-Key: ${KEY}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...lines,
    ];
    return [...head, '', body].join('\r\n');
  }

  it.each([
    ['bytes that are not HTTP', 'BROKEN\r\n\r\n'],
    ['headers over 16 KiB', `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`],
    [
      'a body with invalid chunks',
      'POST /webhooks/acme HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz',
    ],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('answer pipelined requests and then close without another answer: %s', async (_what, broken) => {
    const requests = [1, 2, 3].map((number) => webhook(number)).join('');
    const text = await sendBytes(rig.intake.listeningOrigin, requests + broken);
    expect(statusesIn(text)).toEqual([200, 200, 200]);
  });

  it('answer what is broken if nothing is outstanding', async () => {
    const socket = await connectTo(rig.intake.listeningOrigin);
    const received = readUntilClosed(socket);
    socket.write(webhook(4));
    await once(socket, 'data');
    socket.write('BROKEN\r\n\r\n');
    expect(statusesIn(await received)).toEqual([200, 400]);
  });

  it('do not answer a second time if the body of an answered request is broken', async () => {
    const head = 'POST /webhooks/nobody HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    const socket = await connectTo(rig.intake.listeningOrigin);
    const received = readUntilClosed(socket);
    socket.write(head);
    await once(socket, 'data');
    socket.write('zz\r\n');
    expect(statusesIn(await received)).toEqual([404]);
  });

  it('get the answer after they have ended their side', async () => {
    const socket = await connectTo(rig.intake.listeningOrigin);
    const received = readUntilClosed(socket);
    socket.end(webhook(5) + webhook(6));
    expect(statusesIn(await received)).toEqual([200, 200]);
  });

  it.each([
    ['intake', 'nothing', ''],
    ['intake', 'a webhook', webhook(7)],
    ['admin', 'nothing', ''],
  ] as const)('of the %s port may be reset after %s and CONNECT', async (port, _what, before) => {
    const { server, listeningOrigin } = rig[port];
    let resets = 0;
    for (let round = 0; round < 20; round += 1) {
      const socket = await connectTo(listeningOrigin);
      const closed = new Promise((resolve) => {
        server.prependOnceListener('connect', (_request, accepted) => {
          accepted.once('close', resolve);
          socket.resetAndDestroy();
        });
      });
      socket.write(`${before}CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nmore`);
      // Without a listener for errors, the write that fails would be an uncaught exception.
      await closed;
      resets += 1;
    }
    expect(resets).toBe(20);
  });

  it('of the admin port are closed with the next answer while the relay is draining', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async () => {
      const call = request(`${rig.admin.listeningOrigin}/livez`, { agent }).end();
      const [answer] = await once(call, 'response');
      await once(answer.resume(), 'end');
      return answer.headers.connection as string;
    };
    expect(await ask()).toBe('keep-alive');
    rig.state.draining = true;
    expect(await ask()).toBe('close');
    rig.state.draining = false;
    agent.destroy();
  });
});
