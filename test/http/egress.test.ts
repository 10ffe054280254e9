import { describe, expect, it, onTestFinished } from 'vitest';
import { type EgressConfig, egressSchema } from '../../src/config/egress-config.ts';
import { createEgress, type ReloadableEgress } from '../../src/http/egress.ts';
import { failureOf } from '../../src/http/failure.ts';
import { type OutboundPool, type OutboundResult, send } from '../../src/http/outbound.ts';
import { type ScriptedServer, type Script, startServer } from '../adobe/scripted-server.ts';
import { ConnectProxy, type ConnectProxyOptions, type ProxyAnswer } from '../helpers/connect-proxy.ts';
import { createPrivateCa, type PrivateCa } from '../helpers/private-ca.ts';
import { startTlsFront, type TlsFront } from '../helpers/tls-front.ts';
import { until } from '../helpers/until.ts';

const HOST = 'dcs.adobedc.net';
const ORIGIN = `https://${HOST}`;
const never = new AbortController().signal;

interface Setup {
  readonly ca: PrivateCa;
  readonly server: ScriptedServer;
  readonly front: TlsFront;
  readonly proxy: ConnectProxy;
  readonly egress: ReloadableEgress;
  readonly pool: OutboundPool;
  readonly config: (values: Partial<EgressConfig>) => EgressConfig;
}

const ok: Script = (_request, response) => void response.end('of Adobe');

/** A server of Adobe's name behind a proxy, with a certificate of a private CA. */
async function setUp(
  options: {
    readonly script?: Script;
    readonly proxy?: (ca: PrivateCa) => Partial<ConnectProxyOptions>;
    readonly names?: readonly string[];
    readonly values?: (proxy: ConnectProxy, ca: PrivateCa) => Partial<EgressConfig>;
    readonly env?: (proxy: ConnectProxy) => Record<string, string>;
    readonly origin?: string;
    readonly connections?: number;
    readonly timeoutMs?: number;
  } = {},
): Promise<Setup> {
  const { script = ok, names = [HOST], origin = ORIGIN, connections = 2, timeoutMs = 5_000 } = options;
  const ca = createPrivateCa();
  const server = await startServer(script);
  const plain = Number(new URL(server.origin).port);
  const front = await startTlsFront(ca.issue(...names), plain);
  const hosts = { [`${HOST}:443`]: front.port, [`${HOST}:80`]: plain };
  const proxy = await ConnectProxy.start({ hosts, ...options.proxy?.(ca) });
  const values = options.values ?? (() => ({ proxy: proxy.url, ca: ca.pem }));
  const config = (given: Partial<EgressConfig>): EgressConfig => egressSchema.parse(given);
  const egress = createEgress(config(values(proxy, ca)), options.env?.(proxy) ?? {});
  const pool = egress.pool(origin, { connections, timeoutMs });
  onTestFinished(() => pool.destroy());
  return { ca, server, front, proxy, egress, pool, config };
}

function post(pool: OutboundPool, timeoutMs = 5_000): Promise<OutboundResult> {
  const headers = { authorization: 'Bearer token' };
  return send(
    pool,
    { method: 'POST', path: '/collection/x?a=b', headers, body: '{}', timeoutMs, maxBytes: 1_000 },
    never,
  );
}

const DELIVERED = { kind: 'response', status: 200, body: 'of Adobe' };

describe('https through a proxy', () => {
  it('goes through a tunnel, with the host’s own TLS inside, and keeps it open', async () => {
    const { pool, proxy, front, server } = await setUp({ connections: 1 });
    expect(await post(pool)).toMatchObject(DELIVERED);
    expect(await post(pool)).toMatchObject(DELIVERED);
    expect(proxy.asked).toEqual([`${HOST}:443`]);
    expect(front.serverNames).toEqual([HOST]);
    expect(server.requests).toHaveLength(2);
    expect(server.requests[0]).toMatchObject({ url: '/collection/x?a=b', headers: { host: HOST } });
  });

  it('opens at most as many tunnels as connections are allowed', async () => {
    const { pool, proxy } = await setUp({ connections: 3 });
    const answers = await Promise.all(Array.from({ length: 12 }, () => post(pool)));
    expect(answers.every((answer) => answer.kind === 'response')).toBe(true);
    expect(proxy.asked.length).toBeLessThanOrEqual(3);
  });

  it('is found in the environment', async () => {
    const { pool, proxy } = await setUp({
      values: (_proxy, ca) => ({ ca: ca.pem }),
      env: ({ url }) => ({ HTTPS_PROXY: url }),
    });
    expect(await post(pool)).toMatchObject(DELIVERED);
    expect(proxy.asked).toHaveLength(1);
  });

  it.each([
    ['user and password', 'relay:geh%40im%2F', 'relay:geh@im/'],
    ['a user alone', 'relay', 'relay:'],
    ['a character that is not encoded', 'relay:100%', 'relay:100%'],
  ])('authenticates with %s', async (_what, given, credentials) => {
    const { pool, server } = await setUp({
      proxy: () => ({ credentials }),
      values: (proxy, ca) => ({ proxy: proxy.url.replace('//', `//${given}@`), ca: ca.pem }),
    });
    expect(await post(pool)).toMatchObject(DELIVERED);
    expect(server.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  it('can reach the proxy itself over TLS, whose name and certificate are verified', async () => {
    const { pool, proxy, ca, config, egress } = await setUp({
      proxy: (own) => ({ tls: own.issue('localhost') }),
      values: ({ port }, own) => ({ proxy: `https://localhost:${port}`, ca: own.pem }),
    });
    expect(await post(pool)).toMatchObject(DELIVERED);
    expect(proxy.serverNames).toEqual(['localhost']);
    egress.set(config({ proxy: proxy.url, ca: ca.pem }));
    const answer = await post(pool);
    expect(answer).toMatchObject({ kind: 'failure', code: 'proxy-failing' });
    expect(answer).toMatchObject({ detail: expect.stringMatching(/cannot be reached: tls: .*127\.0\.0\.1/) });
  });

  it('refuses a certificate of another host', async () => {
    const { pool } = await setUp({ names: ['other.example'] });
    const answer = await post(pool);
    expect(answer).toMatchObject({ kind: 'failure', code: 'tls' });
    expect(answer).toMatchObject({ detail: expect.stringMatching(/ALTNAME.*through the proxy http/) });
  });

  it('refuses a certificate of an unknown authority, such as of a proxy that decrypts', async () => {
    const { pool } = await setUp({ values: (proxy) => ({ proxy: proxy.url }) });
    const answer = await post(pool);
    expect(answer).toMatchObject({ kind: 'failure', code: 'tls' });
    expect(answer).toMatchObject({ detail: expect.stringContaining('(egress.proxy)') });
  });
});

describe('http through a proxy', () => {
  const plain = { origin: `http://${HOST}` };

  it('is passed on as it is', async () => {
    const { pool, proxy, server } = await setUp(plain);
    expect(await post(pool)).toMatchObject(DELIVERED);
    expect(proxy.forwarded).toEqual([`http://${HOST}/collection/x?a=b`]);
    expect(proxy.asked).toEqual([]);
    expect(server.requests[0]?.headers).toMatchObject({ host: HOST, authorization: 'Bearer token' });
  });

  it('authenticates, and names a refusal', async () => {
    const { pool, egress, config, proxy } = await setUp({
      ...plain,
      proxy: () => ({ credentials: 'relay:geheim' }),
      values: ({ url }) => ({ proxy: url.replace('//', '//relay:geheim@') }),
    });
    expect(await post(pool)).toMatchObject(DELIVERED);
    egress.set(config({ proxy: proxy.url.replace('//', '//relay:falsch@') }));
    const refused = await post(pool);
    expect(refused).toMatchObject({ kind: 'failure', code: 'proxy-refused' });
    expect(refused).toMatchObject({
      detail: expect.stringContaining(`${proxy.url} (egress.proxy) answered 407`),
    });
    expect(JSON.stringify(refused)).not.toContain('falsch');
  });

  it('fails by the name of the proxy when that is down', async () => {
    const { pool, proxy } = await setUp(plain);
    await proxy.close();
    expect(await post(pool)).toMatchObject({ kind: 'failure', code: 'proxy-failing' });
  });
});

describe('a proxy that does not pass a tunnel', () => {
  it.each<[ProxyAnswer, string, RegExp]>([
    [{ status: 407 }, 'proxy-refused', /answered 407 to CONNECT dcs\.adobedc\.net:443: it wants a user name/],
    [
      { status: 403, body: '<html>no</html>' },
      'proxy-refused',
      /answered 403 .*: it does not allow this host/,
    ],
    [{ status: 302 }, 'proxy-refused', /answered 302/],
    [{ status: 429 }, 'proxy-failing', /answered 429/],
    [{ status: 502, body: '<html>Bad Gateway</html>' }, 'proxy-failing', /answered 502/],
    [{ status: 503 }, 'proxy-failing', /answered 503/],
    [{ status: 200, body: '<html>Sign in</html>' }, 'proxy-failing', /before the TLS handshake with dcs/],
    ['hang up', 'proxy-failing', /ended the connection instead of answering CONNECT/],
    ['silent', 'proxy-failing', /did not answer CONNECT dcs\.adobedc\.net:443 within 0\.2 s/],
    ['stall', 'proxy-failing', /before the TLS handshake with dcs\.adobedc\.net:443 was done: timeout/],
  ])('%j: %s', async (answer, code, detail) => {
    const { pool, proxy, server } = await setUp({ timeoutMs: 400 });
    proxy.answer = answer;
    const failed = await post(pool);
    expect(failed).toMatchObject({ kind: 'failure', code });
    expect(failed).toMatchObject({ detail: expect.stringMatching(detail) });
    expect(failed).toMatchObject({ detail: expect.stringContaining(`${proxy.url} (egress.proxy)`) });
    expect(server.requests).toEqual([]);
    proxy.answer = 'pass';
    expect(await post(pool)).toMatchObject(DELIVERED);
  });

  it('is named before the limit of a request ends it', async () => {
    const { pool, proxy } = await setUp({ timeoutMs: 1_000 });
    proxy.answer = 'silent';
    expect(await post(pool, 1_000)).toMatchObject({ kind: 'failure', code: 'proxy-failing' });
  });

  it('fails every request that waits for the tunnel, and none of them for ever', async () => {
    const { pool, proxy } = await setUp({ timeoutMs: 400, connections: 1 });
    proxy.answer = 'silent';
    const failed = await Promise.all([post(pool), post(pool), post(pool)]);
    expect(failed.map((answer) => answer.kind === 'failure' && answer.code)).toEqual(
      Array.from({ length: 3 }, () => 'proxy-failing'),
    );
  });

  it('is down and comes back', async () => {
    const { pool, proxy } = await setUp();
    expect(await post(pool)).toMatchObject(DELIVERED);
    await proxy.close();
    const failed = await until(async () => {
      const answer = await post(pool);
      return answer.kind === 'failure' && answer.code === 'proxy-failing' && answer;
    });
    expect(failed.detail).toMatch(/cannot be reached: refused: .*ECONNREFUSED/);
    await proxy.listen();
    expect(await post(pool)).toMatchObject(DELIVERED);
  });

  it('ends a request that is in flight as any broken connection does', async () => {
    const { pool, proxy, server } = await setUp({ script: () => undefined });
    const pending = post(pool);
    await server.received(1);
    await proxy.close();
    expect(await pending).toMatchObject({ kind: 'failure', code: 'reset' });
  });

  it('does not keep a caller that gives up', async () => {
    const { pool, proxy } = await setUp({ timeoutMs: 60_000 });
    proxy.answer = 'silent';
    expect(await post(pool, 100)).toMatchObject({ kind: 'failure', code: 'timeout' });
  });
});

describe('egress.ca', () => {
  it('is read again without a restart: requests in flight end, new ones use it', async () => {
    let finish: (() => void) | undefined;
    const { egress, ca, front, config, pool, proxy, server } = await setUp({
      script: (_request, response, count) => {
        if (count === 1) finish = () => void response.end('slow');
        else response.end('of Adobe');
      },
    });
    const slow = post(pool);
    await server.received(1);
    const next = createPrivateCa('Next CA');
    front.present(next.issue(HOST));
    egress.set(config({ proxy: proxy.url, ca: `${ca.pem}${next.pem}` }));
    expect(await post(pool)).toMatchObject(DELIVERED);
    finish?.();
    expect(await slow).toMatchObject({ kind: 'response', body: 'slow' });
    egress.set(config({ proxy: proxy.url, ca: ca.pem }));
    expect(await post(pool)).toMatchObject({ kind: 'failure', code: 'tls' });
  });

  it('leaves connections alone when nothing changed', async () => {
    const { egress, ca, config, pool, proxy } = await setUp({ connections: 1 });
    await post(pool);
    egress.set(config({ proxy: proxy.url, ca: ca.pem }));
    await post(pool);
    expect(proxy.asked).toHaveLength(1);
  });

  it('is used without a proxy, too', async () => {
    const ca = createPrivateCa();
    const server = await startServer(ok);
    const front = await startTlsFront(ca.issue('localhost'), Number(new URL(server.origin).port));
    const origin = `https://localhost:${front.port}`;
    for (const [pem, code] of [
      [ca.pem, undefined],
      [createPrivateCa('Other CA').pem, 'tls'],
    ]) {
      const egress = createEgress(egressSchema.parse({ ca: pem }), {});
      const pool = egress.pool(origin, { connections: 1, timeoutMs: 5_000 });
      onTestFinished(() => pool.destroy());
      expect(await post(pool)).toMatchObject(code === undefined ? DELIVERED : { kind: 'failure', code });
    }
  });
});

describe('a trial connection', () => {
  it('goes the way of a request and sends nothing', async () => {
    const { egress, proxy, server, front } = await setUp();
    await egress.tryConnect(new URL(`${ORIGIN}/collection/x`), 5_000);
    expect(proxy.asked).toEqual([`${HOST}:443`]);
    await until(() => proxy.tunnels === 0);
    expect(front.serverNames).toEqual([HOST]);
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['403', { status: 403 }, 'proxy-refused'],
    ['silence', 'silent', 'proxy-failing'],
  ] as const)('fails as a request does: %s', async (_what, answer, code) => {
    const { egress, proxy } = await setUp();
    proxy.answer = answer;
    const failed = await egress.tryConnect(new URL(ORIGIN), 300).catch(failureOf);
    expect(failed).toMatchObject({ code });
  });

  it('of an http URL ends at the proxy', async () => {
    const { egress, proxy } = await setUp();
    await egress.tryConnect(new URL(`http://${HOST}`), 5_000);
    await proxy.close();
    const failed = await egress.tryConnect(new URL(`http://${HOST}`), 5_000).catch(failureOf);
    expect(failed).toMatchObject({ code: 'proxy-failing' });
  });
});
