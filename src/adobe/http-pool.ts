import { Pool } from 'undici';

const CONNECT_TIMEOUT_MS = 10_000;
/** An idle connection is kept this long, so that quiet times between batches cost no handshake. */
const KEEP_ALIVE_MS = 10_000;
/** Bound on what a server's own keep-alive hint may ask for. */
const KEEP_ALIVE_MAX_MS = 60_000;

/**
 * Connections to one origin. HTTP/1.1 without pipelining: one request per connection, so that a broken connection never leaves the
 * outcome of several requests open. Proxies named in the environment are not used.
 * @param timeoutMs bound on headers and body, behind the limit that each request has of its own
 */
export function createPool(origin: string, connections: number, timeoutMs: number): Pool {
  return new Pool(origin, {
    connections,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: Math.min(CONNECT_TIMEOUT_MS, timeoutMs) },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
  });
}
