import { BlockList, isIP } from 'node:net';
import { getCACertificates } from 'node:tls';
import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { EgressConfig } from '../config/egress-config.ts';
import type { OutboundPool } from './outbound.ts';

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
      /** `egress.proxy`, `HTTPS_PROXY` or `HTTP_PROXY`. */
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
  /** The trusted certificates: those of the system and `egress.ca`; undefined for the default. */
  readonly ca: readonly string[] | undefined;
}

interface ProxyChoice {
  readonly url: URL;
  readonly because: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** As curl does: names in lower case come first, and empty ones count as absent. */
function variable(env: Environment, name: string): string | undefined {
  return env[name.toLowerCase()] || env[name] || undefined;
}

function fromEnvironment(env: Environment, secure: boolean): ProxyChoice | undefined {
  const name = secure ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const text = variable(env, name);
  if (text === undefined) return undefined;
  const withScheme = text.includes('://') ? text : `http://${text}`;
  return URL.canParse(withScheme) ? { url: new URL(withScheme), because: name } : undefined;
}

/** The host of a URL without the brackets of an IPv6 address. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '').toLowerCase();
}

function isInRange(host: string, range: string): boolean {
  const [address = '', prefix] = range.split('/');
  const version = isIP(address);
  if (version === 0 || isIP(host) === 0 || prefix === undefined) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(prefix), version === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Whether an entry of `noProxy` names the URL: a host with its subdomains, `.domain` or `*.domain`
 * for those alone, `*`, an address, an address range, each with a port or without.
 */
function matchesEntry(url: URL, entry: string): boolean {
  const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? '' : entry) ?? [];
  const text = (isIP(entry) === 6 ? entry : name).toLowerCase();
  const isPort = port === undefined || isIP(entry) === 6 || port === portOf(url);
  if (!isPort) return false;
  const host = hostOf(url);
  if (text === '*' || host === text || isInRange(host, entry)) return true;
  if (text.startsWith('*.')) return host.endsWith(text.slice(1));
  if (text.startsWith('.')) return host.endsWith(text);
  return isIP(text) === 0 && text !== '' && host.endsWith(`.${text}`);
}

function portOf({ port, protocol }: URL): string {
  return port === '' ? (protocol === 'https:' ? '443' : '80') : port;
}

/** @param env as `process.env`; read once */
export function createEgress(config: EgressConfig | undefined, env: Environment): Egress {
  const fromVariable = variable(env, 'NO_PROXY')?.split(/[\s,]+/) ?? [];
  const exceptions = [
    ...(config?.noProxy ?? []).map((entry) => ({ entry, because: 'egress.noProxy' })),
    ...fromVariable.filter((entry) => entry !== '').map((entry) => ({ entry, because: 'NO_PROXY' })),
  ];
  const ca = config?.ca === undefined ? undefined : [...getCACertificates('default'), config.ca];
  const trusted = ca === undefined ? {} : { ca };

  const proxyFor = (url: URL): ProxyChoice | { readonly url?: undefined; readonly because?: string } => {
    const chosen =
      config?.proxy === undefined
        ? fromEnvironment(env, url.protocol === 'https:')
        : { url: new URL(config.proxy), because: 'egress.proxy' };
    if (chosen === undefined) return {};
    const exception = exceptions.find(({ entry }) => matchesEntry(url, entry));
    return exception === undefined ? chosen : { because: exception.because };
  };

  return {
    ca,
    routeTo(url) {
      const { url: proxy, because } = proxyFor(url);
      if (proxy === undefined) return { via: 'direct', ...(because === undefined ? {} : { because }) };
      return { via: 'proxy', proxy: proxy.origin, because: because ?? '' };
    },
    pool(origin, { connections, timeoutMs }) {
      const timeout = Math.min(CONNECT_TIMEOUT_MS, timeoutMs);
      const options = {
        connections,
        pipelining: 1,
        allowH2: false,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        keepAliveTimeout: KEEP_ALIVE_MS,
        keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
      };
      const { url: proxy } = proxyFor(new URL(origin));
      if (proxy === undefined) return new Pool(origin, { ...options, connect: { timeout, ...trusted } });
      const agent: Dispatcher = new ProxyAgent({
        ...options,
        uri: proxy.href,
        proxyTls: { timeout, ...trusted },
        requestTls: { timeout, ...trusted },
      });
      return {
        request: (request) => agent.request({ ...request, origin }),
        destroy: () => agent.destroy(),
      };
    },
  };
}

/** Without proxy and further certificates. */
export const DIRECT_EGRESS: Egress = createEgress(undefined, {});
