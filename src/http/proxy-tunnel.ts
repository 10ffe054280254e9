import { request } from 'node:http';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { buildConnector } from 'undici';
import { truncateUtf8 } from '../telemetry/truncate.ts';
import { failureOf, ProxyError } from './failure.ts';
import { hostOf, portOf } from './no-proxy.ts';

/** A proxy, and the setting that names it. */
export interface Proxy {
  readonly url: URL;
  /** `egress.proxy`, or a variable such as HTTPS_PROXY. */
  readonly because: string;
}

export interface ConnectLimits {
  /** For each step: the connection, the proxy's answer, the TLS handshake. */
  readonly timeoutMs: number;
  /** What is trusted; undefined for what Node trusts by default. */
  readonly secureContext: SecureContext | undefined;
}

/** The proxy without user name and password, and where it is set. */
function nameOfProxy({ url, because }: Proxy): string {
  return `${url.origin} (${because})`;
}

/** What is not percent-encoded is not decoded. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The header with which the relay authenticates at the proxy; none without a user name. */
export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const credentials = `${decode(username)}:${decode(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/** TLS is verified against the host; without HTTP/2, as all requests of the relay. */
export function createConnector({ timeoutMs, secureContext }: ConnectLimits): buildConnector.connector {
  return buildConnector({
    timeout: timeoutMs,
    allowH2: false,
    ...(secureContext === undefined ? {} : { secureContext }),
  });
}

/** Connects to the proxy itself, whatever the host. Fails with a ProxyError. */
export function createProxyConnector(proxy: Proxy, limits: ConnectLimits): buildConnector.connector {
  const connect = createConnector(limits);
  const { protocol, host } = proxy.url;
  const address = { protocol, host, hostname: hostOf(proxy.url), port: String(portOf(proxy.url)) };
  return (_options, callback) => {
    connect(address, (error, socket) => {
      if (error === null) callback(null, socket);
      else callback(unreachable(proxy, error), null);
    });
  };
}

function unreachable(proxy: Proxy, error: unknown): ProxyError {
  const { code, detail } = failureOf(error);
  return new ProxyError(
    'proxy-failing',
    `the proxy ${nameOfProxy(proxy)} cannot be reached: ${code}: ${detail}`,
  );
}

/** Statuses of a 4xx that pass by themselves. */
const TEMPORARY_STATUSES = new Set([408, 425, 429]);

/** What a person can do about a refusal. */
const MEANINGS: Readonly<Record<number, string>> = {
  403: 'it does not allow this host',
  407: 'it wants a user name and a password, or refuses the ones that it was sent',
};

/** Why the proxy does not pass requests on, by the status of its own answer. */
export function refusalOf(proxy: Proxy, status: number, what: string): ProxyError {
  // An informational answer to CONNECT ends it for Node's client, and says nothing of the tunnel.
  const isTemporary = status < 200 || status >= 500 || TEMPORARY_STATUSES.has(status);
  const meaning = MEANINGS[status];
  return new ProxyError(
    isTemporary ? 'proxy-failing' : 'proxy-refused',
    `the proxy ${nameOfProxy(proxy)} answered ${status} to ${what}${meaning === undefined ? '' : `: ${meaning}`}`,
  );
}

/** Host and port of a URL, as CONNECT names them. */
function authorityOf(url: URL): string {
  const host = hostOf(url);
  return `${host.includes(':') ? `[${host}]` : host}:${portOf(url)}`;
}

/** Sends CONNECT and reads the status of the answer. */
function requestTunnel(proxy: Proxy, socket: Socket, target: URL, timeoutMs: number): Promise<number> {
  const authority = authorityOf(target);
  return new Promise((resolve, reject) => {
    const asked = request({
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...proxyAuthorization(proxy.url) },
      setHost: false,
      createConnection: () => socket,
    });
    const timer = setTimeout(() => {
      const detail = `did not answer CONNECT ${authority} within ${timeoutMs / 1_000} s`;
      asked.destroy(new ProxyError('proxy-failing', `the proxy ${nameOfProxy(proxy)} ${detail}`));
    }, timeoutMs);
    asked.once('close', () => clearTimeout(timer));
    asked.once('error', reject);
    asked.once('connect', ({ statusCode = 0 }, _socket, head: Buffer) => {
      clearTimeout(timer);
      if (head.length > 0) socket.unshift(head);
      resolve(statusCode);
    });
    asked.end();
  });
}

/** Has the proxy connect to the host of a URL. @throws ProxyError */
async function openTunnel(proxy: Proxy, socket: Socket, target: URL, timeoutMs: number): Promise<void> {
  const what = `CONNECT ${authorityOf(target)}`;
  try {
    const status = await requestTunnel(proxy, socket, target, timeoutMs);
    if (status < 200 || status > 299) throw refusalOf(proxy, status, what);
  } catch (error) {
    // Without a listener, a late error of the connection would end the process.
    socket.on('error', () => undefined).destroy();
    if (error instanceof ProxyError) throw error;
    const { code, detail } = failureOf(error);
    const text = `ended the connection instead of answering ${what}: ${code}: ${detail}`;
    throw new ProxyError('proxy-failing', `the proxy ${nameOfProxy(proxy)} ${text}`, { cause: error });
  }
}

/**
 * An error of the handshake in the tunnel, before anything was sent. A certificate that is refused
 * may be that of a proxy which decrypts what passes; anything else is the tunnel's end.
 */
function handshakeError(proxy: Proxy, target: URL, error: Error): Error {
  const { code, detail } = failureOf(error);
  const isCertificate = code === 'tls' && !/^(EPROTO|ERR_(SSL|OSSL))/.test(detail);
  if (isCertificate) {
    const message = `${truncateUtf8(error.message, 200)} (through the proxy ${nameOfProxy(proxy)})`;
    return Object.assign(new Error(message, { cause: error }), {
      code: (error as NodeJS.ErrnoException).code,
    });
  }
  const text = `failed before the TLS handshake with ${authorityOf(target)} was done: ${code}: ${detail}`;
  return new ProxyError('proxy-failing', `the tunnel of the proxy ${nameOfProxy(proxy)} ${text}`);
}

/**
 * Connects to the host of a URL through a tunnel of the proxy (CONNECT). The host is looked up by
 * the proxy, and TLS goes through the tunnel to the host itself.
 */
export function createTunnelConnector(
  proxy: Proxy,
  target: URL,
  limits: ConnectLimits,
): buildConnector.connector {
  const connectToProxy = createProxyConnector(proxy, limits);
  const secure = createConnector(limits);
  const finish = async (
    socket: Socket,
    options: buildConnector.Options,
    callback: buildConnector.Callback,
  ): Promise<void> => {
    try {
      await openTunnel(proxy, socket, target, limits.timeoutMs);
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    secure({ ...options, httpSocket: socket }, (error, secured) => {
      if (error === null) callback(null, secured);
      else callback(handshakeError(proxy, target, error), null);
    });
  };
  return (options, callback) => {
    connectToProxy(options, (error, socket) => {
      if (error === null) void finish(socket, options, callback);
      else callback(error, null);
    });
  };
}
