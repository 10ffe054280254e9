import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../src/simulator/random.ts';

export interface SlowNetwork {
  readonly url: string;
  close(): Promise<void>;
}

const SLOW_SHARE = 0.2;
const MAX_DELAY_MS = 800;
/** Share of requests that arrive, but whose answer is lost: they are sent again. */
const LOST_SHARE = 0.03;

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Passes webhooks on; some come late, so that later ones overtake them, and some come twice. */
export async function slowNetwork(target: string, seed: number): Promise<SlowNetwork> {
  const random = createRandom(seed);
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    if (random() < SLOW_SHARE) await sleep(random() * MAX_DELAY_MS);
    const answer = await fetch(`${target}${request.url ?? ''}`, {
      method: 'POST',
      headers: Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
        name === 'content-type' || name.startsWith('x-') ? [[name, String(value)]] : [],
      ),
      body: new Uint8Array(body),
    });
    const text = await answer.text();
    response.writeHead(random() < LOST_SHARE ? 502 : answer.status).end(text);
  };
  const server = createServer((request, response) => {
    forward(request, response).catch(() => response.writeHead(502).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
