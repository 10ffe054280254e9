import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { startBalancer } from '../../src/simulator/balancer.ts';
import { freePort } from '../../src/simulator/free-port.ts';

const servers: Server[] = [];

/** A server that answers with its name and the body. @param breaks closes the connection instead */
async function backend(name: string, { breaks = false } = {}): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    let text = '';
    incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
    incoming.on('end', () => {
      if (breaks) incoming.socket.destroy();
      else outgoing.writeHead(200, { 'x-name': name }).end(`${name} ${incoming.url} ${text}`);
    });
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function post(
  url: string,
  body: string,
): Promise<{ status: number; text: string; name: string | null }> {
  const answer = await fetch(`${url}/webhooks/acme?a=1`, { method: 'POST', body });
  return { status: answer.status, text: await answer.text(), name: answer.headers.get('x-name') };
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

it('spreads requests over the servers, and passes over one that accepts no connection', async () => {
  const [a, b] = [await backend('a'), await backend('b')];
  const away = `http://127.0.0.1:${await freePort()}`;
  const balancer = await startBalancer([a, away, b]);
  const answers = [];
  for (let n = 0; n < 6; n += 1) answers.push(await post(balancer.url, `${n}`));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
  expect(answers[0]).toEqual({ status: 200, text: 'a /webhooks/acme?a=1 0', name: 'a' });
  expect(balancer.accepted(a) + balancer.accepted(b)).toBe(6);
  expect(balancer.accepted(a)).toBeGreaterThan(1);
  expect(balancer.accepted(b)).toBeGreaterThan(1);
  expect(balancer.accepted(away)).toBe(0);
  await balancer.close();
});

it('answers 502 if the connection breaks, because the request may have been executed', async () => {
  const broken = await backend('broken', { breaks: true });
  const balancer = await startBalancer([broken]);
  expect((await post(balancer.url, 'x')).status).toBe(502);
  expect(balancer.accepted(broken)).toBe(0);
  await balancer.close();
});

it('answers 502 if no server accepts connections', async () => {
  const balancer = await startBalancer([`http://127.0.0.1:${await freePort()}`]);
  expect((await post(balancer.url, 'x')).status).toBe(502);
  await balancer.close();
});
