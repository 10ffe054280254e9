import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { egressSchema } from '../../src/config/egress-config.ts';
import { createEgress } from '../../src/http/egress.ts';
import { type OutboundPool, type OutboundResult, send } from '../../src/http/outbound.ts';
import { startServer } from '../adobe/scripted-server.ts';
import { createPrivateCa } from '../helpers/private-ca.ts';
import { startTlsFront } from '../helpers/tls-front.ts';
import { until } from '../helpers/until.ts';

const HOST = 'dcs.adobedc.net';
const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';

/**
 * What the proxy does with a connection once CONNECT has arrived.
 * @param target port of the host
 */
type Behaviour = (socket: Socket, target: number) => void;

const passOn: Behaviour = (socket, target) => {
  const upstream = connect(target, '127.0.0.1');
  upstream.on('error', () => socket.destroy()).on('close', () => socket.destroy());
  socket.on('close', () => upstream.destroy());
  socket.pipe(upstream).pipe(socket);
};

function thenPass(answer: string): Behaviour {
  return (socket, target) => {
    socket.write(answer);
    passOn(socket, target);
  };
}

/** Writes without end, at most as fast as it is read. */
function endless(text: string, before = ''): Behaviour {
  return (socket) => {
    const write = (): void => {
      while (socket.writable && socket.write(text));
    };
    socket.on('drain', write);
    socket.write(before);
    write();
  };
}

/** A byte at a time, of which none is late. */
const slowly: Behaviour = (socket) => {
  const bytes = ESTABLISHED.split('');
  const timer = setInterval(() => socket.write(bytes.shift() ?? ' '), 30);
  socket.on('close', () => clearInterval(timer));
};

/** A proxy that speaks bytes and not HTTP. */
async function startProxy(target: number) {
  const sockets = new Set<Socket>();
  const state = { behave: thenPass(ESTABLISHED), asked: 0 };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    let head = '';
    const read = (bytes: Buffer): void => {
      head += bytes.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', read);
      state.asked += 1;
      state.behave(socket, target);
    };
    socket.on('data', read);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return { state, sockets, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function setUp(timeoutMs = 400, connections = 1) {
  const ca = createPrivateCa();
  const server = await startServer((_request, response) => void response.end('of Adobe'));
  const front = await startTlsFront(ca.issue(HOST), Number(new URL(server.origin).port));
  const proxy = await startProxy(front.port);
  const egress = createEgress(egressSchema.parse({ proxy: proxy.url, ca: ca.pem }), {});
  const pool = egress.pool(`https://${HOST}`, { connections, timeoutMs });
  onTestFinished(() => pool.destroy());
  return { ca, server, front, proxy, egress, pool };
}

function post(pool: OutboundPool, timeoutMs = 5_000): Promise<OutboundResult> {
  return send(
    pool,
    { method: 'POST', path: '/collection/x', headers: {}, body: '{}', timeoutMs, maxBytes: 1_000 },
    new AbortController().signal,
  );
}

const DELIVERED = { kind: 'response', status: 200, body: 'of Adobe' };

const PORTAL = 'HTTP/1.1 302 Found\r\nlocation: http://portal.corp/\r\ncontent-length: 0\r\n\r\n';

const HOSTILE: readonly (readonly [string, Behaviour])[] = [
  ['headers without end', endless(`x: ${'y'.repeat(1_000)}\r\n`, 'HTTP/1.1 200 OK\r\n')],
  ['one header without end', endless('y'.repeat(10_000), 'HTTP/1.1 200 OK\r\nx: ')],
  ['informational answers without end', endless('HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n')],
  ['a byte at a time', slowly],
  [
    '101',
    (s) => void s.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
  ],
  ['100 and silence', (s) => void s.write('HTTP/1.1 100 Continue\r\n\r\n')],
  ['100 before 200', (s) => void s.write(`HTTP/1.1 100 Continue\r\n\r\n${ESTABLISHED}`)],
  ['lines without CR', (s) => void s.write('HTTP/1.1 200 OK\n\n')],
  ['no HTTP', (s) => void s.write('SSH-2.0-OpenSSH_9.6\r\n')],
  ['HTTP/0.9', (s) => void s.end('<html>hello</html>')],
  ['status of four digits', (s) => void s.write('HTTP/1.1 2000 OK\r\n\r\n')],
  ['a close in the status line', (s) => void s.end('HTTP/1.1 20')],
  ['a close after the headers', (s) => void s.end(ESTABLISHED)],
  ['a reset after the headers', (s) => void s.write(ESTABLISHED, () => s.resetAndDestroy())],
  ['a redirect to the portal', (s) => void s.write(PORTAL)],
  [
    '200 with a body',
    (s) => void s.write('HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n<html>Sign in</html>'),
  ],
  [
    '200, chunked',
    (s) => void s.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n'),
  ],
  [
    'two answers at once',
    (s) => void s.write(`HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n${ESTABLISHED}`),
  ],
  ['bytes without end in the tunnel', endless('x'.repeat(10_000), ESTABLISHED)],
  ['half-open: reads nothing', (s) => void s.pause()],
  ['ends its half only', (s) => void s.end(ESTABLISHED).resume()],
];

describe('a hostile proxy', () => {
  it.each(HOSTILE)(
    '%s: the request fails in time by the name of the proxy, and leaves no connection',
    async (_name, behave) => {
      const { proxy, pool, server } = await setUp();
      proxy.state.behave = behave;
      const started = performance.now();
      const failed = await post(pool);
      expect(failed).toMatchObject({ kind: 'failure', code: expect.stringMatching(/^proxy-/) });
      expect(performance.now() - started).toBeLessThan(5_000);
      expect(failed).toMatchObject({ detail: expect.stringContaining(`${proxy.url} (egress.proxy)`) });
      await until(() => proxy.sockets.size === 0);
      expect(server.requests).toEqual([]);
      proxy.state.behave = thenPass(ESTABLISHED);
      expect(await post(pool)).toMatchObject(DELIVERED);
    },
  );

  it.each([
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\n'],
    ['200 that claims to close', 'HTTP/1.1 200 OK\r\nconnection: close\r\nproxy-connection: close\r\n\r\n'],
    [
      '200 with a length and without a body',
      'HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-type: text/html\r\n\r\n',
    ],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['no reason', 'HTTP/1.1 200\r\n\r\n'],
    ['many headers', `HTTP/1.1 200 OK\r\n${'set-cookie: a=b\r\n'.repeat(500)}\r\n`],
  ])('%s: is a tunnel all the same', async (_name, answer) => {
    const { proxy, pool } = await setUp();
    proxy.state.behave = thenPass(answer);
    expect(await post(pool)).toMatchObject(DELIVERED);
  });

  it('that only delays informational answers does not stop the destination for good', async () => {
    const { proxy, pool } = await setUp();
    proxy.state.behave = (socket) => void socket.write('HTTP/1.1 103 Early Hints\r\n\r\n');
    expect(await post(pool)).toMatchObject({ kind: 'failure', code: 'proxy-failing' });
  });
});
