import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Then the connection is closed, so that a load balancer can redistribute long-lived ones. */
const MAX_REQUESTS_PER_CONNECTION = 10_000;
/** Connections that are looked at to find one that can be closed. */
const MAX_CANDIDATES = 64;
/** A peer that reads nothing of its answers for this time is disconnected. */
const STALL_TIMEOUT_MS = 30_000;
/** Stalled connections are looked for this often in the time of such a timeout. */
const CHECKS_PER_TIMEOUT = 6;
/** Time for a peer to close a connection that is closed here. */
const LINGER_MS = 2_000;

interface Connection {
  /** Requests so far. */
  requests: number;
  /** Requests whose answer is not sent completely. With pipelining there can be several. */
  readonly unanswered: Map<IncomingMessage, ServerResponse>;
  /** The request that was received last. */
  last?: IncomingMessage;
  /** True if no further request is processed, because the connection is about to be closed. */
  isClosing: boolean;
  /** True if nothing more can be read: it is closed once all complete requests are answered. */
  isEnding: boolean;
}

const connections = new WeakMap<Socket, Connection>();

export interface ConnectionOptions {
  /** Concurrent connections. Above it, the one that has been idle longest is closed. */
  readonly maxConnections: number;
  /** True while the relay shuts down: each answer then announces that its connection is closed. */
  readonly isDraining: () => boolean;
  readonly stallTimeoutMs?: number;
}

/**
 * True while a request is being processed: it has arrived completely, and its answer is not
 * written. What the peer does not read of written answers does not count.
 */
function isProcessing({ unanswered }: Connection): boolean {
  for (const [{ complete }, { writableEnded }] of unanswered) if (complete && !writableEnded) return true;
  return false;
}

/** True while a complete request has not been sent its whole answer. */
function owesAnswer({ unanswered }: Connection): boolean {
  for (const { complete } of unanswered.keys()) if (complete) return true;
  return false;
}

/** Drops what arrives. Node's parser gives a connection up that somebody else reads. */
function discardInput(socket: Socket): void {
  socket
    .removeAllListeners('data')
    .on('data', () => undefined)
    .resume();
}

/**
 * Closes a connection after all that is written, and drops what arrives until the peer has closed
 * it too: unread bytes would make this a reset, which can cost the peer answers on their way.
 */
function closeAfterPeer(this: Socket): void {
  if (this.writableEnded || this.destroyed) return;
  discardInput(this);
  this.once('finish', () => {
    const timer = setTimeout(() => this.destroy(), LINGER_MS);
    this.once('close', () => clearTimeout(timer));
  });
  this.end();
}

/** Node closes a connection with `destroySoon`, after the answer that announces it. */
function processNoMore(socket: Socket, connection: Connection): void {
  connection.isClosing = true;
  socket.destroySoon = closeAfterPeer;
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
 *
 * Call this after the listener for requests has been added: it is called from here.
 */
export function manageConnections(
  server: Server,
  { maxConnections, isDraining, stallTimeoutMs = STALL_TIMEOUT_MS }: ConnectionOptions,
): void {
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

  // Else Node ends a connection as soon as its peer has, and its requests get no answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  closeStalled(server, open, stallTimeoutMs);

  server.on('connection', (socket) => {
    connections.set(socket, { requests: 0, unanswered: new Map(), isClosing: false, isEnding: false });
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (open.size <= maxConnections) return;
    const replaced = findReplaceable(socket);
    open.delete(replaced);
    replaced.destroy();
  });

  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request').on('request', (request, response) => {
    const { socket } = request;
    const connection = connections.get(socket);
    if (connection === undefined) return;
    // Its answer could not be sent, so it is left to the sender to repeat it elsewhere.
    if (connection.isClosing) return discardInput(socket);
    connection.requests += 1;
    connection.last = request;
    connection.unanswered.set(request, response);
    touch(socket);
    if (connection.requests === MAX_REQUESTS_PER_CONNECTION || isDraining()) closeAfter(request, response);
    response.once('close', () => {
      connection.unanswered.delete(request);
      touch(socket);
      if (connection.isEnding && !owesAnswer(connection)) socket.destroySoon();
    });
    for (const listener of listeners) listener(request, response);
  });
}

/**
 * Closes connections whose peer does not read its answers, which stay in memory. Node's timeout of
 * a socket knows about the progress of a write, but would cost each request a timer; so only those
 * get one that have unsent bytes when they are looked at.
 */
function closeStalled(server: Server, open: ReadonlySet<Socket>, timeoutMs: number): void {
  const check = setInterval(() => {
    for (const socket of open) if (socket.writableLength > 0 && !socket.timeout) socket.setTimeout(timeoutMs);
  }, timeoutMs / CHECKS_PER_TIMEOUT).unref();
  server.once('close', () => clearInterval(check));
  // It is also the timeout of idle connections. Others wait for the relay, or for the rest of a
  // request, which has a time limit of its own.
  server.on('timeout', (socket) => {
    if (socket.writableLength > 0 || !connections.get(socket)?.unanswered.size) socket.destroy();
  });
}

/**
 * Closes the connection after the answer to this request, which announces it. Requests behind it
 * are not processed. Without effect if one of them is already: then this one was read completely.
 */
export function closeAfter(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  const connection = connections.get(socket);
  if (connection?.last !== request) return;
  response.setHeader('connection', 'close');
  processNoMore(socket, connection);
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
  const { last, unanswered, isClosing, isEnding } = connection;
  if (isEnding) return false;
  connection.isEnding = true;
  processNoMore(socket, connection);
  if (owesAnswer(connection)) return false;
  const isAnswered = last?.complete === false ? unanswered.get(last)?.headersSent !== false : isClosing;
  if (isAnswered) socket.destroySoon();
  return !isAnswered;
}

/**
 * For a connection that Node hands over as a bare one, after it has removed its own listeners:
 * without one for errors, a reset by the peer would end the process.
 */
export function adoptConnection(socket: Socket): void {
  socket.on('error', () => undefined).on('timeout', () => socket.destroy());
  discardInput(socket);
}
