import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { type GeneratedEvent, makeEvents } from '../../../src/simulator/capillary/capillary-events.ts';
import { type SendAnswer, sendEvents } from '../../../src/simulator/capillary/webhook-sender.ts';

interface ReceivedRequest {
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

type Answer = (response: ServerResponse, body: string) => void;

const running: Server[] = [];
afterEach(() => {
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function relay(answer: Answer) {
  const seen: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    const { headers } = request;
    void text(request).then((body) => {
      seen.push({ body, headers });
      return answer(response, body);
    });
  });
  running.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/acme`, seen };
}

function end(response: ServerResponse, status: number, body = '{}', headers: Record<string, string> = {}) {
  response.writeHead(status, headers).end(body);
}

/** Answers like a relay: accepted the first time, then duplicate. */
function deduping(): Answer {
  const known = new Set<string>();
  return (response, body) => {
    const status = known.has(body) ? 'duplicate' : 'accepted';
    known.add(body);
    end(response, 200, JSON.stringify({ status, receipt: 'r' }));
  };
}

const sixty = makeEvents({ count: 60, awkward: 0 });
const quick = { minDelayMs: 1, maxDelayMs: 4 };

describe('sendEvents', () => {
  it('sends every event, some twice, some reordered, and counts the answers', async () => {
    const { url, seen } = await relay(deduping());
    const report = await sendEvents({ url, events: sixty, duplicates: 0.25, disorder: 0.1 });
    expect(report).toMatchObject({
      sent: 75,
      resent: 15,
      accepted: 60,
      duplicate: 15,
      refused: {},
      givenUp: 0,
      attempts: 75,
      retries: {},
    });
    expect(report.late).toBeGreaterThan(0);
    expect(report.p50Ms).toBeLessThanOrEqual(report.p95Ms ?? 0);
    expect(new Set(seen.map(({ body }) => body)).size).toBe(60);
    expect(seen[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': /^Java/ });
  });

  it('signs each request', async () => {
    const { url, seen } = await relay(deduping());
    await sendEvents({
      url,
      events: sixty.slice(0, 3),
      sign: (body) => ({ 'x-length': String(body.length) }),
    });
    for (const { body, headers } of seen) expect(headers['x-length']).toBe(String(body.length));
  });

  it('repeats the same event after 429, 5xx and no answer, before any other one', async () => {
    const faults: Answer[] = [
      (response) => end(response, 429),
      (response) => end(response, 503),
      (response) => response.destroy(),
    ];
    const accept = deduping();
    const { url, seen } = await relay((response, body) => (faults.shift() ?? accept)(response, body));
    const report = await sendEvents({ url, events: sixty.slice(0, 2), concurrency: 1, ...quick });
    expect(seen.map(({ body }) => body)).toEqual([...Array(4).fill(sixty[0]?.body), sixty[1]?.body]);
    expect(report).toMatchObject({
      sent: 2,
      accepted: 2,
      attempts: 5,
      retries: { 429: 1, 503: 1, network: 1 },
    });
  });

  it('doubles its own delay, whatever less Retry-After asks for', async () => {
    const faults: Answer[] = [
      (response) => end(response, 429, '{}', { 'retry-after': '0' }),
      (response) => end(response, 500),
      (response) => end(response, 500),
      (response) => end(response, 500),
      (response) => end(response, 429, '{}', { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }),
    ];
    const accept = deduping();
    const { url } = await relay((response, body) => (faults.shift() ?? accept)(response, body));
    const answers: SendAnswer[] = [];
    await sendEvents({
      url,
      events: sixty.slice(0, 1),
      ...quick,
      onAnswer: (answer) => answers.push(answer),
    });
    expect(answers.map(({ retryInMs }) => retryInMs)).toEqual([1, 2, 4, 4, 4, undefined]);
    expect(answers.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('gives up immediately after any other 4xx', async () => {
    const statuses = [400, 401, 404];
    const { url } = await relay((response) => end(response, statuses.shift() ?? 200));
    const report = await sendEvents({ url, events: sixty.slice(0, 4), concurrency: 1 });
    expect(report).toMatchObject({
      accepted: 1,
      givenUp: 3,
      attempts: 4,
      refused: { 400: 1, 401: 1, 404: 1 },
    });
  });

  it('gives up when its patience is exceeded', async () => {
    const { url } = await relay((response) => end(response, 503, '{}', { 'retry-after': '60' }));
    const report = await sendEvents({ url, events: sixty.slice(0, 1), patienceMs: 1_000 });
    expect(report).toMatchObject({ givenUp: 1, attempts: 1, refused: {}, retries: {} });
  });

  it('limits its parallel requests', async () => {
    let open = 0;
    let maxOpen = 0;
    const { url } = await relay((response) => {
      open += 1;
      maxOpen = Math.max(maxOpen, open);
      setImmediate(() => {
        open -= 1;
        end(response, 200);
      });
    });
    await sendEvents({ url, events: sixty, concurrency: 4 });
    expect(maxOpen).toBeLessThanOrEqual(4);
    expect(maxOpen).toBeGreaterThan(1);
  });

  it('limits its rate', async () => {
    const { url } = await relay(deduping());
    const report = await sendEvents({ url, events: sixty.slice(0, 11), rate: 100 });
    expect(report.durationMs).toBeGreaterThanOrEqual(95);
  });

  it('ends when its signal aborts and reports what was given up', async () => {
    const stop = new AbortController();
    const { url, seen } = await relay(() => stop.abort());
    const report = await sendEvents({ url, events: sixty, concurrency: 1, signal: stop.signal });
    expect(seen).toHaveLength(1);
    expect(report).toMatchObject({ sent: 1, givenUp: 1, accepted: 0 });
  });

  it('requires the number of events of a generator', async () => {
    const events = new Set<GeneratedEvent>();
    await expect(sendEvents({ url: 'http://127.0.0.1:9', events })).rejects.toThrow('count is required');
  });
});
