import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { type ProblemCode, PROBLEMS, problem } from './problems.ts';

/** Time for all headers to arrive; it also applies to a new connection that sends nothing. */
const HEADERS_TIMEOUT_MS = 10_000;
/**
 * Time for the whole request to arrive. Capillary waits 30 s for a response
 * (docs/platforms/capillary.md#response-time), so a slower request could not be answered anyway.
 */
const REQUEST_TIMEOUT_MS = 30_000;
/** How often connections are checked against these timeouts. Node's default is 30 s. */
const CHECK_INTERVAL_MS = 2_000;
/**
 * Above the idle timeout of common load balancers (60 s), so that they close idle connections
 * first.
 */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
const MAX_HEADER_BYTES = 16_384;
/** Then the connection is closed, so that a load balancer can redistribute long-lived ones. */
const MAX_REQUESTS_PER_CONNECTION = 10_000;

function problemCodeOf(code: string | undefined): ProblemCode {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request-timeout';
  return code === 'HPE_HEADER_OVERFLOW' ? 'headers-too-large' : 'bad-request';
}

/**
 * Answers an invalid or incomplete HTTP request with a problem document and closes the connection,
 * because the start of the next request is unknown.
 */
function answerClientError(error: { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const code = problemCodeOf(error.code);
  const body = JSON.stringify(
    problem(code, code === 'bad-request' ? 'the request is not valid HTTP/1.1' : undefined),
  );
  const head = [
    `HTTP/1.1 ${PROBLEMS[code].status} ${PROBLEMS[code].title}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}

/** Limits of both ports on connections, time and headers. */
export const serverLimits = {
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  http: {
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  },
  clientErrorHandler: answerClientError,
} as const satisfies FastifyServerOptions & { readonly http: object };

/**
 * Closes each connection after MAX_REQUESTS_PER_CONNECTION responses, announced by `connection:
 * close`. Node's own `maxRequestsPerSocket` leaves the connection open and answers further requests
 * with a 503 that bypasses log and metrics. Register this before any hook that can refuse a
 * request.
 */
export function closeLongLived(app: FastifyInstance): void {
  const requests = new WeakMap<Socket, number>();
  app.addHook('onRequest', ({ socket }, reply, done) => {
    const count = (requests.get(socket) ?? 0) + 1;
    requests.set(socket, count);
    if (count === MAX_REQUESTS_PER_CONNECTION) void reply.header('connection', 'close');
    done();
  });
}
