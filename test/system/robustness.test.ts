import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { KEY, type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { reportSkip } from '../helpers/report-skip.ts';
import { until } from '../helpers/until.ts';
import { connectTo, sendBytes, readUntilClosed, statusesIn } from './tcp-client.ts';

const MIB = 1_048_576;
/** Limit for the whole file: bodies of up to 1 MiB and thousands of connections. */
const MAX_MEMORY_BYTES = 600 * MIB;

let simulator: Simulator;
let folder: ReturnType<typeof relayFolder>;
let relay: RelayProcess;
let sent = 100;

beforeAll(async () => {
  simulator = await startSimulator({});
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl('inlet') });
  folder = relayFolder(config);
  relay = await folder.start();
});

afterAll(async () => {
  await folder.remove();
  await simulator.close();
});

function head(...lines: string[]): string {
  return ['POST /webhooks/acme HTTP/1.1', 'Host: relay', `X-Relay-Key: ${KEY}`, ...lines, '', ''].join(
    '\r\n',
  );
}

const canMeasureMemory = existsSync('/proc/self/status');
if (!canMeasureMemory) reportSkip('peak memory of the relay', 'this system has no /proc');

/** Peak resident memory of the relay in bytes; 0 where it cannot be measured. */
function peakMemory(): number {
  if (!canMeasureMemory) return 0;
  const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${relay.pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1_024;
}

/** Number of requests stored so far, in any form. */
async function storedCounts() {
  const { accepted, malformed, quarantined } = (await relay.admin('/admin/v1/ledger')).body;
  return { accepted, malformed, quarantined };
}

async function expectHealthy(): Promise<void> {
  sent += 1;
  const answer = await relay.post(transactionAdded(sent));
  expect(await answer.json()).toMatchObject({ status: 'accepted' });
  expect((await relay.admin('/readyz')).status).toBe(200);
  expect(peakMemory()).toBeLessThan(MAX_MEMORY_BYTES);
}

afterEach(expectHealthy);

describe('input that is not valid HTTP', () => {
  it.each<[string, string, number]>([
    ['garbage', '\0\x01\x02 nothing\r\n\r\n', 400],
    ['a bad request line', 'POST\r\n\r\n', 400],
    ['an unknown protocol', 'POST / HTTP/9.9\r\nHost: a\r\n\r\n', 400],
    ['a TLS ClientHello', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 400],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['a header line without a colon', head('Content-Length 2'), 400],
    ['a space before the colon', head('Content-Length : 2'), 400],
    ['a folded header', `${head('X-A: b').slice(0, -2)} c\r\n\r\n`, 400],
    ['a header with a bare line feed in its name', head('X-A\n: b'), 400],
    ['two lengths', `${head('Content-Length: 2', 'Content-Length: 3')}{}`, 400],
    ['a negative length', `${head('Content-Length: -1')}{}`, 400],
    ['a length that is not a number', `${head('Content-Length: 0x2')}{}`, 400],
    [
      'a length and chunked encoding (request smuggling)',
      `${head('Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\nGET /livez HTTP/1.1\r\n\r\n`,
      400,
    ],
    ['invalid chunks', `${head('Transfer-Encoding: chunked')}zz\r\n{}\r\n0\r\n\r\n`, 400],
    ['a chunk of an absurd size', `${head('Transfer-Encoding: chunked')}ffffffffffffffffff\r\n{}`, 400],
    ['an encoding after chunked', `${head('Transfer-Encoding: chunked, gzip')}0\r\n\r\n`, 400],
    ['a request without Host', `POST /webhooks/acme HTTP/1.1\r\nX-Relay-Key: ${KEY}\r\n\r\n`, 400],
    ['two Host headers', head('Host: other'), 400],
    ['an unknown expectation', head('Expect: nonsense'), 417],
    ['another encoding before chunked', `${head('Transfer-Encoding: gzip, chunked')}0\r\n\r\n`, 501],
    ['headers over 16 KiB', head(`X-Large: ${'a'.repeat(20_000)}`), 431],
    ['a URL over 16 KiB', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
  ])('%s gets a problem response, and the connection is closed', async (_what, bytes, status) => {
    const before = await storedCounts();
    const text = await sendBytes(relay.intakeUrl, Buffer.from(bytes, 'latin1'));
    expect(statusesIn(text)).toEqual([status]);
    expect(text).toContain('application/problem+json');
    const [, body = ''] = text.split('\r\n\r\n');
    expect(JSON.parse(body)).toMatchObject({ status });
    expect(await storedCounts()).toEqual(before);
  });

  it('does not end the process if the peer resets the connection after CONNECT', async () => {
    for (const url of [relay.intakeUrl, relay.adminUrl]) {
      for (let number = 0; number < 100; number += 1) {
        const socket = await connectTo(url);
        socket.write('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', () => socket.resetAndDestroy());
        await once(socket, 'close');
      }
      expect(statusesIn(await sendBytes(url, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'))).toEqual([400]);
    }
  });

  it('is rejected by the admin port in the same way', async () => {
    expect(statusesIn(await sendBytes(relay.adminUrl, 'POST\r\n\r\n'))).toEqual([400]);
  });
});

describe('unusual requests', () => {
  it('are processed in order when they are pipelined', async () => {
    const body = JSON.stringify(transactionAdded(1));
    const length = `Content-Length: ${Buffer.byteLength(body)}`;
    const text = await sendBytes(
      relay.intakeUrl,
      head(length) + body + head(length, 'Connection: close') + body,
    );
    expect(statusesIn(text)).toEqual([200, 200]);
    expect(text.indexOf('"accepted"')).toBeLessThan(text.indexOf('"duplicate"'));
  });

  it('are answered when a malformed one follows them, which is not', async () => {
    const body = JSON.stringify(transactionAdded(2));
    const valid = `${head(`Content-Length: ${Buffer.byteLength(body)}`)}${body}`;
    expect(statusesIn(await sendBytes(relay.intakeUrl, `${valid}${valid}BROKEN\r\n\r\n`))).toEqual([
      200, 200,
    ]);
  });

  it('never become larger than the limit: a gzip bomb needs no more memory than that', async () => {
    const bomb = gzipSync(Buffer.alloc(500 * MIB));
    expect(bomb.length).toBeLessThan(MIB);
    const before = peakMemory();
    const answer = await fetch(`${relay.intakeUrl}/webhooks/acme`, {
      method: 'POST',
      headers: { 'x-relay-key': KEY, 'content-encoding': 'gzip' },
      body: bomb as NonNullable<RequestInit['body']>,
    });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ code: 'body-too-large' });
    expect(peakMemory() - before).toBeLessThan(100 * MIB);
  });

  it('get 413 for a body over the limit, with a Content-Length and without', async () => {
    expect(statusesIn(await sendBytes(relay.intakeUrl, head('Content-Length: 5000000')))).toEqual([413]);
    const chunk = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`;
    const chunked = `${head('Transfer-Encoding: chunked')}${chunk.repeat(32)}0\r\n\r\n`;
    expect(statusesIn(await sendBytes(relay.intakeUrl, chunked))).toEqual([413]);
  });

  it.each([
    ['nested 400,000 levels deep', '['.repeat(400_000) + ']'.repeat(400_000)],
    ['with a number of a million digits', `{"eventName":"a","orgId":100458,"n":${'9'.repeat(1_000_000)}}`],
    ['with a number that is out of range', '{"eventName":"a","orgId":1e999999}'],
    ['with 100,000 keys', `{${Array.from({ length: 100_000 }, (_, n) => `"${n}":1`).join(',')}}`],
  ])('get a response for JSON %s', async (_what, body) => {
    expect([200, 400]).toContain((await relay.post(body)).status);
  });
});

describe('slow clients', () => {
  it('are disconnected: without headers after 10 s, without a body after 30 s', async () => {
    const [silent, slowHead, slowBody] = await Promise.all([
      connectTo(relay.intakeUrl),
      connectTo(relay.intakeUrl),
      connectTo(relay.intakeUrl),
    ]);
    const closed = async (socket: Socket) => {
      const from = performance.now();
      const text = await readUntilClosed(socket);
      return { statuses: statusesIn(text), seconds: (performance.now() - from) / 1_000 };
    };
    slowHead.write('POST /webhooks/acme HTTP/1.1\r\nHost: relay\r\n');
    slowBody.write(`${head('Content-Length: 1000')}{`);
    const drip = setInterval(() => {
      slowHead.write('X-A: b\r\n');
      slowBody.write(' ');
    }, 500);
    const [noRequest, headers, body] = await Promise.all([silent, slowHead, slowBody].map(closed));
    clearInterval(drip);
    expect(noRequest).toMatchObject({ statuses: [408] });
    expect(headers).toMatchObject({ statuses: [408] });
    expect(body).toMatchObject({ statuses: [408] });
    expect(headers!.seconds).toBeGreaterThan(8);
    expect(headers!.seconds).toBeLessThan(20);
    expect(body!.seconds).toBeGreaterThan(25);
    expect(body!.seconds).toBeLessThan(45);
  });

  it('do not block other clients, even thousands of them, and are all disconnected', async () => {
    // Each connection needs a file descriptor here and one in the relay.
    const maxFiles = Number(execFileSync('sh', ['-c', 'ulimit -Hn']).toString().trim()) || 65_536;
    const count = Math.min(9_500, maxFiles - 500);
    expect(count).toBeGreaterThanOrEqual(2_000);
    const sockets: Socket[] = [];
    let closed = 0;
    while (sockets.length < count) {
      const some = await Promise.all(Array.from({ length: 250 }, () => connectTo(relay.intakeUrl)));
      for (const socket of some) {
        socket.resume().once('close', () => (closed += 1));
        if (sockets.length % 2 === 0) socket.write('POST /webhooks/acme HTTP/1.1\r\n');
        sockets.push(socket);
      }
    }
    await expectHealthy();
    await until(() => closed === sockets.length);
  });

  it.each(['intakeUrl', 'adminUrl'] as const)(
    'do not lock out others when there are more of them than connections at %s',
    async (url) => {
      const count = url === 'adminUrl' ? 1_500 : 10_500;
      const maxFiles = Number(execFileSync('sh', ['-c', 'ulimit -Hn']).toString().trim()) || 65_536;
      if (count + 500 > maxFiles)
        return reportSkip(`${count} connections`, `only ${maxFiles} files can be open`);
      const sockets: Socket[] = [];
      while (sockets.length < count) {
        const some = await Promise.all(Array.from({ length: 250 }, () => connectTo(relay[url])));
        sockets.push(...some.map((socket) => socket.resume()));
      }
      for (let times = 0; times < 5; times += 1) await expectHealthy();
      for (const socket of sockets) socket.destroy();
      await until(() => sockets.every((socket) => socket.closed));
    },
  );
});
