import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manageConnections } from '../../src/http/connections.ts';
import { ListenError, listen } from '../../src/http/listen.ts';
import { sendProblem } from '../../src/http/problems.ts';
import { checkRequests } from '../../src/http/request-checks.ts';
import { serverLimits } from '../../src/http/server-limits.ts';
import { connectTo, readUntilClosed, sendBytes, statusesIn } from '../system/tcp-client.ts';

const resolve = async () => ['127.0.0.1', '127.0.0.2', '127.0.0.2'].map((address) => ({ address }));
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n';

describe('a server on localhost with two addresses', () => {
  let app: FastifyInstance;
  let isDraining: boolean;
  beforeEach(() => {
    isDraining = false;
    app = fastify({ ...serverLimits, return503OnClosing: false });
    manageConnections(app.server, { maxConnections: 2, isDraining: () => isDraining });
    checkRequests(app);
    app.setErrorHandler((error: Error, _request, reply) => void sendProblem(error, reply));
    app.get('/', async () => 'done');
  });
  afterEach(async () => {
    app.server.closeAllConnections();
    await app.close();
  });

  async function start(): Promise<string[]> {
    const url = await listen(app, 'server', { host: 'localhost', port: 0 }, resolve);
    return [url, url.replace('127.0.0.1', '127.0.0.2')];
  }

  it('has the same checks and rules on both', async () => {
    const urls = await start();
    for (const url of urls) {
      expect(statusesIn(await sendBytes(url, `${GET}Host: a\r\n\r\n`))).toEqual([400]);
      expect(statusesIn(await sendBytes(url, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'))).toEqual([400]);
    }
    isDraining = true;
    for (const url of urls) expect(await sendBytes(url, `${GET}\r\n`)).toMatch(/^connection: close/im);
  });

  it('has one limit of connections for both', async () => {
    const [first = '', second = ''] = await start();
    const open = async (url: string): Promise<Socket> => {
      const accepted = once(app.server, 'connection');
      const socket = await connectTo(url);
      await accepted;
      return socket.resume();
    };
    const oldest = await open(first);
    const closed = once(oldest, 'close');
    const others = [await open(second), await open(second)];
    await closed;
    expect(others.map((socket) => socket.closed)).toEqual([false, false]);
  });

  it('closes both, after the answer to a request that is being processed', async () => {
    const [, second = ''] = await start();
    const socket = await connectTo(second);
    const received = readUntilClosed(socket);
    const processed = once(app.server, 'request');
    socket.write(`${GET}\r\n`);
    await processed;
    await app.close();
    expect(statusesIn(await received)).toEqual([200]);
    await expect(connectTo(second)).rejects.toThrow('ECONNREFUSED');
  });

  it('does not listen if the port is in use at one of them', async () => {
    const other = createServer().listen(0, '127.0.0.2');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(listen(app, 'server', { host: 'localhost', port }, resolve)).rejects.toThrow(ListenError);
    other.close();
  });
});
