import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A port cannot be opened; the message says why, without a stack. */
export class ListenError extends Error {
  override name = 'ListenError';
  readonly fix: string;

  constructor(message: string, fix: string, cause: unknown) {
    super(message, { cause });
    this.fix = fix;
  }
}

type ServerKey = 'server' | 'admin';

/** Explains why a server cannot listen. @param code of the system, such as EADDRINUSE */
export function listenProblem(
  key: ServerKey,
  { host, port }: ListenAddress,
  code: string,
): { readonly message: string; readonly fix: string } {
  const message = `cannot listen on ${host}:${port} (${code})`;
  switch (code) {
    case 'EADDRINUSE':
      return {
        message,
        fix: `stop the process that uses the port (ss -ltnp shows it), or set ${key}.port to another one`,
      };
    case 'EACCES':
      return { message, fix: `set ${key}.port to 1024 or higher, or grant CAP_NET_BIND_SERVICE` };
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return { message, fix: `set ${key}.host to an address of this machine, or to 0.0.0.0 for all` };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { message, fix: `set ${key}.host to an IP address of this machine, or to 0.0.0.0 for all` };
    default:
      return { message, fix: `check ${key}.host and ${key}.port` };
  }
}

function urlOf(app: FastifyInstance): string {
  const address = app.server.address() as AddressInfo;
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

function listenError(key: ServerKey, address: ListenAddress, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  // Fastify's own codes are no matter of the address.
  if (code === undefined || code.startsWith('FST_')) return error;
  const { message, fix } = listenProblem(key, address, code);
  return new ListenError(message, fix, error);
}

/** Listens on an address and stops at once. @throws the error of the system */
export async function tryPort({ host, port }: ListenAddress): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  server.listen({ host, port, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

/** Finds out whether the port of a server can be opened. @throws ListenError */
export async function requireFreePort(key: ServerKey, address: ListenAddress): Promise<void> {
  try {
    await tryPort(address);
  } catch (error) {
    throw listenError(key, address, error);
  }
}

/** The addresses of a host name. */
type Resolve = (host: string) => Promise<readonly { readonly address: string }[]>;

function resolveHost(host: string): ReturnType<Resolve> {
  return lookup(host, { all: true, order: 'ipv4first' });
}

/** The addresses to listen on: several for `localhost`, IPv4 first. */
async function addressesOf(host: string, resolve: Resolve): Promise<readonly string[]> {
  if (host !== 'localhost') return [host];
  return [...new Set((await resolve(host)).map(({ address }) => address))];
}

/**
 * Hands its connections to the server of the app. Fastify would give each further address of
 * `localhost` an HTTP server of its own, without the limits and rules of the first.
 */
function createFurtherListener(app: FastifyInstance): Server {
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    app.server.emit('connection', socket);
  });
  // Not once the server is closed: that does not wait for these connections.
  app.addHook('preClose', async () => {
    if (!listener.listening) return;
    const closed = once(listener, 'close');
    listener.close();
    app.server.closeIdleConnections();
    await closed;
  });
  return listener;
}

/** Listens on a further address of `localhost`, unless the system does not use its family. */
async function listenToo(listener: Server, host: string, port: number): Promise<void> {
  try {
    await once(listener.listen({ host, port }), 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT') throw error;
  }
}

/** Opens the port of a server. @returns its base URL @throws ListenError */
export async function listen(
  app: FastifyInstance,
  key: ServerKey,
  address: ListenAddress,
  resolve: Resolve = resolveHost,
): Promise<string> {
  try {
    const [first = address.host, ...others] = await addressesOf(address.host, resolve);
    const further = others.map((host) => ({ host, listener: createFurtherListener(app) }));
    await app.listen({ host: first, port: address.port });
    const { port } = app.server.address() as AddressInfo;
    for (const { host, listener } of further) await listenToo(listener, host, port);
  } catch (error) {
    throw listenError(key, address, error);
  }
  return urlOf(app);
}

/**
 * A slow request body or a replay of millions must not delay the shutdown: Capillary retries the
 * request, and the replay continues after the restart.
 */
export async function closeWithin(app: FastifyInstance, ms: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), ms);
  await app.close();
  clearTimeout(timer);
}
