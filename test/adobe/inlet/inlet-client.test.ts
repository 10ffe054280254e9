import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Inlet } from '../../../src/adobe/ports.ts';
import { createInlet, type InletOptions } from '../../../src/adobe/inlet/inlet-client.ts';
import { sendJson, startServer } from '../scripted-server.ts';

const FLOW = { flowId: 'flow-1' };
const never = new AbortController().signal;

function openInlet(origin: string, options: Partial<InletOptions> = {}): Inlet {
  const inlet = createInlet({
    inletUrl: `${origin}/collection/inlet-1`,
    sandbox: 'prod',
    connections: 2,
    ...options,
  });
  onTestFinished(() => inlet.close());
  return inlet;
}

/** A server that accepts connections and handles them without HTTP. */
async function rawServer(handle: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    handle(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a request', () => {
  test('of a batch goes to the batch endpoint with all headers', async () => {
    const server = await startServer((_, response) => sendJson(response, 207, { responses: [] }));
    const inlet = openInlet(server.origin);
    const answer = await inlet.sendBatch(FLOW, ['{"a":1}', '{"b":"é"}'], 'tok', never);
    expect(answer).toMatchObject({ kind: 'response', status: 207, body: '{"responses":[]}' });
    expect(answer).not.toHaveProperty('retryAfterMs');
    expect(answer.durationMs).toBeGreaterThanOrEqual(0);
    const [request] = server.requests;
    expect(request).toMatchObject({
      method: 'POST',
      url: '/collection/batch/inlet-1',
      body: '{"messages":[{"a":1},{"b":"é"}]}',
    });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      authorization: 'Bearer tok',
      'x-sandbox-name': 'prod',
      'x-adobe-flow-id': 'flow-1',
      'user-agent': expect.stringMatching(/^capillary-aep-relay\/\d/),
    });
    expect(request?.headers).not.toHaveProperty('x-gw-ims-org-id');
  });

  test('of one message goes to the single endpoint, without a token if there is none', async () => {
    const server = await startServer((_, response) => sendJson(response, 200, { xactionId: '1:2:3' }));
    const inlet = openInlet(server.origin, { imsOrgId: 'A@AdobeOrg' });
    expect(await inlet.sendSingle(FLOW, '{"a":1}', undefined, never)).toMatchObject({ status: 200 });
    expect(server.requests[0]).toMatchObject({ url: '/collection/inlet-1', body: '{"a":1}' });
    expect(server.requests[0]?.headers).not.toHaveProperty('authorization');
    expect(server.requests[0]?.headers['x-gw-ims-org-id']).toBe('A@AdobeOrg');
  });

  test('runs in parallel with as many others as there are connections', async () => {
    const gate = Promise.withResolvers<void>();
    const server = await startServer(async (_, response) => {
      await gate.promise;
      sendJson(response, 200, {});
    });
    const inlet = openInlet(server.origin, { connections: 3 });
    const sent = ['1', '2', '3'].map((message) => inlet.sendSingle(FLOW, message, undefined, never));
    await server.received(3);
    gate.resolve();
    const answers = await Promise.all(sent);
    expect(answers.map(({ kind }) => kind)).toEqual(['response', 'response', 'response']);
  });
});

describe('an answer', () => {
  test('that redirects is not followed', async () => {
    const server = await startServer(
      (_, response) => void response.writeHead(307, { location: '/collection/other' }).end(),
    );
    expect(await openInlet(server.origin).sendSingle(FLOW, '1', 'tok', never)).toMatchObject({ status: 307 });
    expect(server.requests).toHaveLength(1);
  });

  test('that reports an error is not requested again', async () => {
    const server = await startServer(
      (_, response) => void response.writeHead(503, { 'retry-after': '12' }).end('busy'),
    );
    const answer = await openInlet(server.origin).sendBatch(FLOW, ['1'], 'tok', never);
    expect(answer).toMatchObject({ kind: 'response', status: 503, retryAfterMs: 12_000, body: 'busy' });
    expect(server.requests).toHaveLength(1);
  });

  test('may have a date as its Retry-After', async () => {
    const now = 1_764_000_000_000;
    const date = new Date(now + 5_000).toUTCString();
    const server = await startServer(
      (_, response) => void response.writeHead(429, { 'retry-after': date }).end(),
    );
    const inlet = openInlet(server.origin, { now: () => now });
    expect(await inlet.sendBatch(FLOW, ['1'], 'tok', never)).toMatchObject({ retryAfterMs: 5_000 });
  });

  test('is read up to 1 MiB, and the next request still works', async () => {
    const server = await startServer(
      (_, response) => void response.writeHead(400).end('x'.repeat(3_000_000)),
    );
    const inlet = openInlet(server.origin, { connections: 1 });
    for (const message of ['1', '2']) {
      const answer = await inlet.sendSingle(FLOW, message, 'tok', never);
      expect(answer).toMatchObject({ kind: 'response', status: 400 });
      expect(answer.kind === 'response' && answer.body.length).toBe(1_048_576);
    }
  });
});

test('an endless answer is abandoned at 1 MiB', async () => {
  const server = await startServer((_, response) => {
    response.writeHead(400);
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  });
  const answer = await openInlet(server.origin).sendSingle(FLOW, '1', 'tok', never);
  expect(answer).toMatchObject({ kind: 'response', status: 400 });
});

describe('no answer', () => {
  test('timeout: the inlet hangs', async () => {
    const server = await startServer(() => undefined);
    const inlet = openInlet(server.origin, { requestTimeoutMs: 50 });
    expect(await inlet.sendBatch(FLOW, ['1'], 'tok', never)).toMatchObject({
      kind: 'failure',
      code: 'timeout',
    });
    expect(server.requests).toHaveLength(1);
  });

  test('timeout: the inlet hangs in the middle of its answer', async () => {
    const server = await startServer(
      (_, response) => void response.writeHead(207, { 'content-length': '100' }).write('{"resp'),
    );
    const inlet = openInlet(server.origin, { requestTimeoutMs: 50 });
    expect(await inlet.sendBatch(FLOW, ['1'], 'tok', never)).toMatchObject({
      kind: 'failure',
      code: 'timeout',
    });
  });

  test('timeout: the handshake hangs', async () => {
    const host = await rawServer(() => undefined);
    const inlet = openInlet(`https://${host}`, { requestTimeoutMs: 50 });
    expect(await inlet.sendBatch(FLOW, ['1'], 'tok', never)).toMatchObject({
      kind: 'failure',
      code: 'timeout',
    });
  });

  test('reset: the connection breaks in the middle of the answer', async () => {
    const server = await startServer((_, response) => {
      response.writeHead(207, { 'content-length': '100' });
      response.write('{"resp', () => response.destroy());
    });
    expect(await openInlet(server.origin).sendBatch(FLOW, ['1'], 'tok', never)).toMatchObject({
      kind: 'failure',
      code: 'reset',
    });
    expect(server.requests).toHaveLength(1);
  });

  test('reset: the connection breaks before the answer', async () => {
    const server = await startServer((_, response) => void response.destroy());
    const answer = await openInlet(server.origin).sendBatch(FLOW, ['1'], 'tok', never);
    expect(answer).toMatchObject({ kind: 'failure', code: 'reset' });
    expect(server.requests).toHaveLength(1);
  });

  test('reset: every connection is closed as soon as it is made', async () => {
    const host = await rawServer((socket) => socket.destroy());
    const answer = await openInlet(`http://${host}`).sendBatch(FLOW, ['1'], 'tok', never);
    expect(answer).toMatchObject({ kind: 'failure', code: 'reset' });
  });

  test('refused: nothing listens on the port', async () => {
    const server = await startServer(() => undefined);
    await server.close();
    expect(await openInlet(server.origin).sendBatch(FLOW, ['1'], 'tok', never)).toMatchObject({
      kind: 'failure',
      code: 'refused',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('tls: the other side does not use TLS', async () => {
    const server = await startServer(() => undefined);
    const inlet = openInlet(server.origin.replace('http:', 'https:'));
    expect(await inlet.sendBatch(FLOW, ['1'], 'tok', never)).toMatchObject({ kind: 'failure', code: 'tls' });
  });

  test('any code: the other side does not use HTTP', async () => {
    const host = await rawServer((socket) => void socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    const answer = await openInlet(`http://${host}`).sendBatch(FLOW, ['1'], 'tok', never);
    expect(answer).toMatchObject({ kind: 'failure' });
  });

  test('network: a token that no header can contain; the token is not reported', async () => {
    const server = await startServer(() => undefined);
    const answer = await openInlet(server.origin).sendBatch(FLOW, ['1'], 'sec\nret', never);
    expect(answer).toMatchObject({ kind: 'failure', code: 'network' });
    expect(JSON.stringify(answer)).not.toContain('sec');
  });
});

describe('an aborted signal', () => {
  test('ends a request in flight with its reason', async () => {
    const server = await startServer(() => undefined);
    const controller = new AbortController();
    const sent = openInlet(server.origin).sendBatch(FLOW, ['1'], 'tok', controller.signal);
    await server.received(1);
    const reason = new Error('shutting down');
    controller.abort(reason);
    await expect(sent).rejects.toBe(reason);
  });

  test('ends a wait for a connection at once', async () => {
    const connected = Promise.withResolvers<void>();
    const host = await rawServer(() => connected.resolve());
    const controller = new AbortController();
    const sent = openInlet(`https://${host}`).sendBatch(FLOW, ['1'], 'tok', controller.signal);
    await connected.promise;
    const reason = new Error('shutting down');
    controller.abort(reason);
    await expect(sent).rejects.toBe(reason);
  });

  test('sends nothing if it is aborted already', async () => {
    const server = await startServer(() => undefined);
    const reason = new Error('too late');
    const sent = openInlet(server.origin).sendBatch(FLOW, ['1'], 'tok', AbortSignal.abort(reason));
    await expect(sent).rejects.toBe(reason);
    expect(server.requests).toHaveLength(0);
  });
});

describe('close', () => {
  test('lets requests in flight finish, and can be called twice', async () => {
    const gate = Promise.withResolvers<void>();
    const server = await startServer(async (_, response) => {
      await gate.promise;
      sendJson(response, 200, {});
    });
    const inlet = openInlet(server.origin);
    const sent = inlet.sendSingle(FLOW, '1', 'tok', never);
    await server.received(1);
    const closed = Promise.all([inlet.close(), inlet.close()]);
    const late = await inlet.sendSingle(FLOW, '2', 'tok', never);
    expect(late).toMatchObject({ kind: 'failure', detail: 'The inlet client is closed' });
    gate.resolve();
    expect(await sent).toMatchObject({ kind: 'response', status: 200 });
    await closed;
    expect(server.requests).toHaveLength(1);
  });
});
