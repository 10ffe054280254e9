import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { createArrivals } from './arrivals.ts';

/*
 * The simulated Adobe of this bench, in its own process: issues tokens, accepts batches and counts
 * what landed. The relay's simulator also validates every message against XDM, which takes as much
 * CPU time as the relay needs to create it and would distort the measurement.
 */
const { values } = parseArgs({
  options: { port: { type: 'string' }, latency: { type: 'string', default: '0' } },
});
const latencyMs = Number(values.latency);

interface Batch {
  readonly messages: readonly unknown[];
}

const arrivals = createArrivals();

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function tokenResponse(): string {
  return JSON.stringify({ access_token: 'token-of-the-bench', token_type: 'bearer', expires_in: 86_399 });
}

async function batchResponse(request: IncomingMessage): Promise<string> {
  const { messages } = JSON.parse(await bodyOf(request)) as Batch;
  const receivedAt = Date.now();
  // Network latency delays the response only: the messages land when they arrive.
  if (latencyMs > 0) await sleep(latencyMs);
  for (const message of messages) arrivals.add(message, receivedAt);
  const responses = messages.map((_, index) => ({ xactionId: `${receivedAt}:2153:240-${index}` }));
  return JSON.stringify({
    inletId: 'inlet',
    batchId: `${receivedAt}:1750:244`,
    receivedTimeMs: receivedAt,
    responses,
  });
}

async function handle(request: IncomingMessage): Promise<readonly [number, string]> {
  const { url = '' } = request;
  if (url.startsWith('/ims')) return [200, tokenResponse()];
  if (url.startsWith('/collection/batch')) return [207, await batchResponse(request)];
  if (url === '/counts') return [200, JSON.stringify(arrivals.counts())];
  if (url === '/times') return [200, JSON.stringify(arrivals.times())];
  if (url === '/reset') {
    arrivals.reset();
    return [200, '{}'];
  }
  return [404, '{}'];
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [status, body] = await handle(request);
  const length = Buffer.byteLength(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length }).end(body);
}

createServer((request, response) => void respond(request, response)).listen(Number(values.port), '127.0.0.1');
