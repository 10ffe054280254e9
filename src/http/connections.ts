import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Then the connection is closed, so that a load balancer can redistribute long-lived ones. */
const MAX_REQUESTS_PER_CONNECTION = 10_000;
/** Connections that are looked at to find one that can be closed. */
const MAX_CANDIDATES = 64;

interface Connection {
  /** Requests so far. */
  requests: number;
  /** Requests whose answer is not sent completely. With pipelining there can be several. */
  readonly unanswered: Map<IncomingMessage, ServerResponse>;
  /** The request that was received last. */
  last?: IncomingMessage;
  /** True if the connection is closed once all requests are answered. */
  isEnding: boolean;
}

const connections = new WeakMap<Socket, Connection>();

export interface ConnectionOptions {
  /** Concurrent connections. Above it, the one that has been idle longest is closed. */
  readonly maxConnections: number;
  /** True while the relay shuts down: each answer then announces that its connection is closed. */
  readonly isDraining: () => boolean;
}

/** True while a request is being processed: it has arrived completely and is not answered yet. */
function isProcessing({ unanswered }: Connection): boolean {
  for (const { complete } of unanswered.keys()) if (complete) return true;
  return false;
}

/**
 * Limits the connections of a server. At the limit, a new connection takes the place of the one
 * with the longest time since its last request or answer that has no request in processing, so
 * idle or slow clients cannot lock out others. Without such a one it is closed itself. Node's own
 * limit (`maxConnections`) would drop every new connection.
 *
 * A connection is also closed, announced by `connection: close`, after MAX_REQUESTS_PER_CONNECTION
 * answers and while the relay is draining. Node's `maxRequestsPerSocket` would answer further
 * requests with a 503 that bypasses log and metrics.
 */
export function manageConnections(server: Server, { maxConnections, isDraining }: ConnectionOptions): void {
  /** In the order of their last activity. */
  const open = new Set<Socket>();
  const touch = (socket: Socket): void => {
    if (open.delete(socket)) open.add(socket);
  };

  const findReplaceable = (newest: Socket): Socket => {
    let candidates = 0;
    for (const socket of open) {
      if (socket === newest || candidates === MAX_CANDIDATES) break;
      candidates += 1;
      const connection = connections.get(socket);
      if (connection === undefined || !isProcessing(connection)) return socket;
      touch(socket);
    }
    return newest;
  };

  server.on('connection', (socket) => {
    connections.set(socket, { requests: 0, unanswered: new Map(), isEnding: false });
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (open.size <= maxConnections) return;
    const replaced = findReplaceable(socket);
    open.delete(replaced);
    replaced.destroy();
  });

  // Before the listener that processes the request, which may answer it at once.
  server.prependListener('request', (request, response) => {
    const { socket } = request;
    const connection = connections.get(socket);
    if (connection === undefined) return;
    connection.requests += 1;
    connection.last = request;
    connection.unanswered.set(request, response);
    touch(socket);
    if (connection.requests === MAX_REQUESTS_PER_CONNECTION || isDraining())
      response.setHeader('connection', 'close');
    response.once('close', () => {
      connection.unanswered.delete(request);
      touch(socket);
      if (connection.isEnding && !isProcessing(connection)) socket.destroySoon();
    });
  });
}

/**
 * Whether a connection that cannot be read any further may be sent an answer to what was read
 * last. If not, this closes it: once the earlier requests have their answers, or at once if that
 * answer has been sent or begun. A client would take one more answer for that of an earlier
 * request.
 */
export function mayAnswerLast(socket: Socket): boolean {
  const connection = connections.get(socket);
  if (connection === undefined) return true;
  if (isProcessing(connection)) {
    connection.isEnding = true;
    return false;
  }
  const { last, unanswered } = connection;
  const isAnswered = last?.complete === false && unanswered.get(last)?.headersSent !== false;
  if (isAnswered) socket.destroySoon();
  return !isAnswered;
}
