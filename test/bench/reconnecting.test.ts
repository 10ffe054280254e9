import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { reconnecting } from '../../bench/load/reconnecting.ts';
import { freePort } from '../../src/simulator/free-port.ts';

const REQUEST = Buffer.from('POST / HTTP/1.1\r\nhost: bench\r\ncontent-length: 0\r\n\r\n');
let server: Server | undefined;

async function listen(port: number, isAnswering: boolean): Promise<void> {
  server = createServer((request, response) => {
    if (isAnswering) response.writeHead(200, { 'content-length': 0 }).end();
    else request.socket.destroy();
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
}

async function close(): Promise<void> {
  if (server === undefined) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  server = undefined;
  await closed;
}

describe('a connection of a patient sender', () => {
  afterEach(close);

  it('answers 0 while the server is away or hangs up, and connects again', async () => {
    const port = await freePort();
    const connection = reconnecting(new URL(`http://127.0.0.1:${port}`));
    const post = () => new Promise<number>((resolve) => connection.post(REQUEST, resolve));
    expect(await post()).toBe(0);
    await listen(port, true);
    expect([await post(), await post()]).toEqual([200, 200]);
    await close();
    expect(await post()).toBe(0);
    await listen(port, false);
    expect(await post()).toBe(0);
    await close();
    await listen(port, true);
    expect(await post()).toBe(200);
    connection.close();
  });
});
