import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WebhookReport } from './observer.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What is known so far for the report of this webhook. */
    facts: Partial<WebhookReport> | undefined;
  }
}

/** Adds to what the report of a request will tell. */
export function note(request: FastifyRequest, more: Partial<WebhookReport>): void {
  request.facts = request.facts === undefined ? more : { ...request.facts, ...more };
}

/** What is told of an answered webhook. The names are in the order in which the log line has them. */
export function reportOf(request: FastifyRequest, reply: FastifyReply, source: string): WebhookReport {
  const { facts } = request;
  return {
    outcome: facts?.outcome ?? 'not-found',
    bytes: Number(request.headers['content-length'] ?? 0),
    receipt: facts?.receipt,
    verifiedBy: facts?.verifiedBy,
    reasons: facts?.reasons,
    evicted: facts?.evicted,
    eventName: facts?.eventName,
    eventId: facts?.eventId,
    source,
    status: reply.statusCode,
    durationMs: reply.elapsedTime,
  };
}
