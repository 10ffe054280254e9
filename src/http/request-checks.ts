import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { closeAfter } from './connections.ts';
import { ProblemError } from './problems.ts';
import { refuseTunnel } from './server-limits.ts';

/**
 * Refuses what Node's parser accepts, or answers without a body, although RFC 9110 and RFC 9112
 * refuse it: such requests can mean one thing here and another to a proxy. Register this before any
 * other hook, and let none wait before it. The connection is closed, and what follows on it is not
 * processed, because it is unknown where the next request begins.
 */
export function checkRequests(app: FastifyInstance): void {
  // Node's own answer to an unknown expectation has no body.
  app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
    app.server.emit('request', request, response),
  );
  app.server.on('connect', (_request, socket) => refuseTunnel(socket as Socket));
  app.addHook('onRequest', ({ raw }, reply, done) => {
    const fault = faultOf(raw);
    if (fault !== undefined) closeAfter(raw, reply.raw);
    done(fault);
  });
}

/** Done without allocations, because it runs for every webhook. */
function faultOf({
  headers,
  rawHeaders,
  httpVersionMajor,
  httpVersionMinor,
}: IncomingMessage): ProblemError | undefined {
  const hosts = countHosts(rawHeaders);
  if (hosts > 1) return new ProblemError('bad-request', 'there is more than one Host header');
  const coding = headers['transfer-encoding'];
  if (httpVersionMajor === 1 && httpVersionMinor === 0) {
    return coding === undefined
      ? undefined
      : new ProblemError('bad-request', 'HTTP/1.0 has no Transfer-Encoding');
  }
  if (hosts === 0) return new ProblemError('bad-request', 'there is no Host header');
  if (coding !== undefined && !/^\s*chunked\s*$/i.test(coding)) {
    return /\bchunked\s*$/i.test(coding)
      ? new ProblemError('unknown-transfer-coding', 'only chunked is supported')
      : new ProblemError('bad-request', 'the last Transfer-Encoding must be chunked');
  }
  const { expect } = headers;
  return expect === undefined || /(?:^|\W)100-continue(?:$|\W)/i.test(expect)
    ? undefined
    : new ProblemError('expectation-failed', 'only 100-continue is supported');
}

/** Names and values alternate in `rawHeaders`; `headers` has the first Host only. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}
