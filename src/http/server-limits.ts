import type { Socket } from 'node:net';
import type { FastifyServerOptions } from 'fastify';
import { adoptConnection, mayAnswerLast } from './connections.ts';
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

function problemCodeOf(code: string | undefined): ProblemCode {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request-timeout';
  return code === 'HPE_HEADER_OVERFLOW' ? 'headers-too-large' : 'bad-request';
}

/** Writes a problem document to a connection that has no request, and closes it. */
function endWithProblem(socket: Socket, code: ProblemCode, detail?: string): void {
  const body = JSON.stringify(problem(code, detail));
  const head = [
    `HTTP/1.1 ${PROBLEMS[code].status} ${PROBLEMS[code].title}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}

/**
 * Answers an invalid or incomplete HTTP request with a problem document and closes the connection,
 * because the start of the next request is unknown. Requests before it get their answers first, and
 * then this one gets none.
 */
function answerClientError(error: { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !mayAnswerLast(socket)) return;
  const code = problemCodeOf(error.code);
  endWithProblem(socket, code, code === 'bad-request' ? 'the request is not valid HTTP/1.1' : undefined);
}

/** Answers a CONNECT request, which Node hands over as a bare connection. */
export function refuseTunnel(socket: Socket): void {
  adoptConnection(socket);
  if (mayAnswerLast(socket)) endWithProblem(socket, 'bad-request', 'CONNECT is not supported');
}

/** Limits of both ports on time and headers. */
export const serverLimits = {
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  http: {
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Also if NODE_OPTIONS says otherwise.
    insecureHTTPParser: false,
    // Node would answer without a body; request-checks.ts answers with a problem document.
    requireHostHeader: false,
  },
  clientErrorHandler: answerClientError,
} as const satisfies FastifyServerOptions & { readonly http: object };
