import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { type ProblemCode, PROBLEMS, problem } from './problems.ts';

/** ms for the headers to arrive, also on a connection that says nothing at first, and for the request to arrive whole. */
const HEADERS_TIMEOUT = 10_000;
/** Capillary gives a webhook 30 s (reference: capillary.md §3), so nothing that takes longer can still be answered. */
const REQUEST_TIMEOUT = 30_000;
/** ms between looks for connections that are over those times; Node's own 30 s would let each have half a minute more. */
const CHECKING_INTERVAL = 2_000;
/** ms; above the idle time of common load balancers (60 s), so that they and not we close idle connections. */
const KEEP_ALIVE_TIMEOUT = 72_000;
/** Bytes of all headers together. */
const MAX_HEADERS = 16_384;
/** Requests after which a connection is closed, so that a load balancer spreads long-lived ones anew. */
const MAX_REQUESTS = 10_000;

function codeOf(code: string | undefined): ProblemCode {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request-timeout';
  return code === 'HPE_HEADER_OVERFLOW' ? 'headers-too-large' : 'bad-request';
}

/** Answers what is no HTTP request, or none that ends, as a problem, and closes the connection: where the next would begin is unknown. */
function answerClientError(error: { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const code = codeOf(error.code);
  const body = JSON.stringify(
    problem(code, code === 'bad-request' ? 'it cannot be read as HTTP/1.1' : undefined),
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

/** Bounds of both ports on what a client may take of connections, time and headers. */
export const serverLimits = {
  requestTimeout: REQUEST_TIMEOUT,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
  http: {
    headersTimeout: HEADERS_TIMEOUT,
    connectionsCheckingInterval: CHECKING_INTERVAL,
    maxHeaderSize: MAX_HEADERS,
  },
  clientErrorHandler: answerClientError,
} as const satisfies FastifyServerOptions & { readonly http: object };

/**
 * Closes each connection after its ten-thousandth answer, which says so. Node's own bound (`maxRequestsPerSocket`) says so too, but leaves the
 * connection open and answers whoever goes on with 503, past log and metrics. Hooks are called in order: this one comes before any that refuses.
 */
export function closeLongLived(app: FastifyInstance): void {
  const requests = new WeakMap<Socket, number>();
  app.addHook('onRequest', ({ socket }, reply, done) => {
    const count = (requests.get(socket) ?? 0) + 1;
    requests.set(socket, count);
    if (count === MAX_REQUESTS) void reply.header('connection', 'close');
    done();
  });
}
