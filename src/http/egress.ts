import { isDeepStrictEqual } from 'node:util';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { Pool } from 'undici';
import { isLoopback } from '../config/address-checks.ts';
import type { EgressConfig } from '../config/egress-config.ts';
import { type ProxyVariables, readProxyVariables } from '../config/proxy-variables.ts';
import { hostOf, matchesNoProxy } from './no-proxy.ts';
import type { OutboundPool } from './outbound.ts';
import {
  type ConnectLimits,
  createConnector,
  createProxyConnector,
  createTunnelConnector,
  type Proxy,
  proxyAuthorization,
  refusalOf,
} from './proxy-tunnel.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** Keeps connections open in the pauses between batches, to save handshakes. */
const KEEP_ALIVE_MS = 10_000;
/** Upper limit for the keep-alive hint of a server. */
const MAX_KEEP_ALIVE_MS = 60_000;

export interface PoolOptions {
  readonly connections: number;
  /** Limit for headers and body, in addition to the limit of each request. */
  readonly timeoutMs: number;
}

/** How a host is reached, and which setting says so. */
export type EgressRoute =
  | { readonly via: 'direct'; readonly because?: string }
  | {
      readonly via: 'proxy';
      /** Origin of the proxy, without user name and password. */
      readonly proxy: string;
      /** `egress.proxy`, or a variable such as `HTTPS_PROXY`. */
      readonly because: string;
    };

/** The way from the relay to Adobe and Capillary. */
export interface Egress {
  /**
   * Connections to one origin, through the proxy if there is one for it. HTTP/1.1 without
   * pipelining: with one request per connection, a broken connection never leaves the outcome of
   * several requests unknown.
   */
  pool(origin: string, options: PoolOptions): OutboundPool;
  routeTo(url: URL): EgressRoute;
  /**
   * Connects to the server of a URL as a request would, with the TLS handshake for https, and ends
   * the connection. Of an http URL behind a proxy, only the proxy is reached.
   * @throws Error for failureOf
   */
  tryConnect(url: URL, timeoutMs: number): Promise<void>;
  /** `egress.ca`: certificates in PEM form that are trusted in addition to Node's. */
  readonly ca: string | undefined;
}

/** The egress of a relay that reads its configuration again. */
export interface ReloadableEgress extends Egress {
  /**
   * Puts another configuration into use: for each request that begins from now on, while those in
   * flight end as they began.
   */
  set(config: EgressConfig | undefined): void;
}

/** Everything that follows from one configuration. */
interface Ways {
  readonly proxyFor: (url: URL) => { readonly proxy?: Proxy; readonly because?: string };
  readonly ca: string | undefined;
  /** Made once: reading the certificates for each connection would take milliseconds. */
  readonly secureContext: SecureContext | undefined;
}

function waysOf(config: EgressConfig | undefined, variables: ProxyVariables): Ways {
  const exceptions = [
    ...(config?.noProxy ?? []).map((entry) => ({ entry, because: 'egress.noProxy' })),
    ...variables.noProxy.map((entry) => ({ entry, because: 'NO_PROXY' })),
  ];
  const choose = (url: URL): Proxy | undefined => {
    if (config?.proxy !== undefined) return { url: new URL(config.proxy), because: 'egress.proxy' };
    const variable = url.protocol === 'https:' ? variables.secure : variables.plain;
    return variable && { url: variable.url, because: variable.name };
  };
  const ca = config?.ca;
  return {
    proxyFor(url) {
      const proxy = choose(url);
      if (proxy === undefined) return {};
      // A proxy would look for it on its own machine.
      if (isLoopback(hostOf(url))) return { because: 'loopback' };
      const exception = exceptions.find(({ entry }) => matchesNoProxy(url, entry));
      return exception === undefined ? { proxy } : { because: exception.because };
    },
    ca,
    secureContext:
      ca === undefined ? undefined : createSecureContext({ ca: [...getCACertificates('default'), ca] }),
  };
}

type Request = Parameters<OutboundPool['request']>[0];

/** A pool that can also be ended after the requests that it has. */
interface EndingPool extends OutboundPool {
  close(): Promise<void>;
}

/** Passes requests to a proxy as they are, which is how http URLs go through one. */
function forwardingPool(pool: Pool, origin: string, proxy: Proxy): EndingPool {
  const added = { host: new URL(origin).host, ...proxyAuthorization(proxy.url) };
  return {
    async request({ path, headers, ...request }: Request) {
      const answer = await pool.request({
        ...request,
        path: `${origin}${path}`,
        headers: { ...(headers as Readonly<Record<string, string>>), ...added },
      });
      // No server but a proxy answers so.
      if (answer.statusCode !== 407) return answer;
      answer.body.on('error', () => undefined).destroy();
      throw refusalOf(proxy, answer.statusCode, `a request to ${origin}`);
    },
    close: () => pool.close(),
    destroy: () => pool.destroy(),
  };
}

/** Opens the connections to one origin as the configuration is now. */
function openPool({ proxyFor, secureContext }: Ways, origin: string, options: PoolOptions): EndingPool {
  const { connections, timeoutMs } = options;
  const common = {
    connections,
    pipelining: 1,
    allowH2: false,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
  };
  const target = new URL(origin);
  const { proxy } = proxyFor(target);
  // A proxy that says nothing must be named before the request's own limit ends it.
  const ownMs = proxy === undefined ? timeoutMs : timeoutMs / 2;
  const limits: ConnectLimits = { timeoutMs: Math.min(CONNECT_TIMEOUT_MS, ownMs), secureContext };
  if (proxy === undefined) return new Pool(origin, { ...common, connect: createConnector(limits) });
  if (target.protocol === 'https:')
    return new Pool(origin, { ...common, connect: createTunnelConnector(proxy, target, limits) });
  const connect = createProxyConnector(proxy, limits);
  return forwardingPool(new Pool(proxy.url.origin, { ...common, connect }), origin, proxy);
}

/** @param env as `process.env`; read once */
export function createEgress(
  config: EgressConfig | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ReloadableEgress {
  const variables = readProxyVariables(env);
  let used = config;
  let ways = waysOf(config, variables);
  /** Opens the connections of each pool again. */
  const renewals = new Set<() => void>();

  return {
    get ca() {
      return ways.ca;
    },
    routeTo(url) {
      const { proxy, because } = ways.proxyFor(url);
      if (proxy !== undefined) return { via: 'proxy', proxy: proxy.url.origin, because: proxy.because };
      return { via: 'direct', ...(because === undefined ? {} : { because }) };
    },
    async tryConnect(url, timeoutMs) {
      await tryConnect(ways, url, timeoutMs);
    },
    pool(origin, options) {
      let current = openPool(ways, origin, options);
      const ending = new Set<EndingPool>();
      const renew = (): void => {
        const before = current;
        current = openPool(ways, origin, options);
        ending.add(before);
        const forget = (): void => void ending.delete(before);
        before.close().then(forget, forget);
      };
      renewals.add(renew);
      return {
        request: (request) => current.request(request),
        async destroy() {
          renewals.delete(renew);
          await Promise.all([current, ...ending].map((pool) => pool.destroy()));
        },
      };
    },
    set(next) {
      if (isDeepStrictEqual(next, used)) return;
      used = next;
      ways = waysOf(next, variables);
      for (const renew of renewals) renew();
    },
  };
}

function tryConnect({ proxyFor, secureContext }: Ways, url: URL, timeoutMs: number): Promise<void> {
  const limits = { timeoutMs, secureContext };
  const { proxy } = proxyFor(url);
  const connect =
    proxy === undefined
      ? createConnector(limits)
      : url.protocol === 'https:'
        ? createTunnelConnector(proxy, url, limits)
        : createProxyConnector(proxy, limits);
  const { protocol, host, hostname, port } = url;
  return new Promise((resolve, reject) => {
    connect({ protocol, host, hostname: hostname.replace(/^\[|\]$/g, ''), port }, (error, socket) => {
      if (error !== null) return reject(error);
      socket.on('error', () => undefined).end(() => socket.destroy());
      resolve();
    });
  });
}

/** Without proxy and further certificates. */
export const DIRECT_EGRESS: Egress = createEgress(undefined, {});
