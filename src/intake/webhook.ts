import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../http/problems.ts';
import type { Journal } from '../journal/journal.ts';
import type { ReceivedRequest } from '../sources/verifier.ts';
import { accept } from './accept.ts';
import type { WebhookReport } from './observer.ts';
import type { IntakeSource } from '../sources/source-table.ts';

type Facts = Omit<WebhookReport, 'source' | 'outcome' | 'status' | 'durationMs' | 'bytes'>;

export interface WebhookParts {
  readonly journal: Pick<Journal, 'append' | 'appendMalformed' | 'quarantine'>;
  readonly now: () => number;
  /** Adds to the report of this request. */
  readonly note: (request: FastifyRequest, facts: Facts & { readonly outcome?: string }) => void;
}

/** Keeps what could not be verified, within the source's bounds, then refuses it (reference: capillary.md §1.5). */
async function refuse(
  { journal, note }: WebhookParts,
  { config }: IntakeSource,
  request: FastifyRequest,
  received: ReceivedRequest,
  reasons: readonly string[],
): Promise<never> {
  const { keep, ...bounds } = config.unverified;
  if (keep === 'quarantine') {
    const { body, rawHeaders, ip, receivedAt } = received;
    const entry = { source: config.name, receivedAt, ip, reasons, rawHeaders, body };
    const { receipt, evicted } = await journal.quarantine(entry, bounds);
    note(request, { receipt, reasons, evicted });
  } else note(request, { reasons });
  throw new ProblemError('not-verified', 'check the credential that the webhook sends for this source');
}

/** Verifies, journals and answers one webhook. Every refusal is thrown as a ProblemError. */
export async function handleWebhook(
  parts: WebhookParts,
  source: IntakeSource,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const received: ReceivedRequest = {
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    headers: request.headers,
    rawHeaders: request.raw.rawHeaders,
    ip: request.ip,
    receivedAt: parts.now(),
  };
  const verdict = source.verifier.verify(received);
  if (!verdict.ok) return refuse(parts, source, request, received, verdict.reasons);

  const result = await accept(parts.journal, source.config, verdict.request);
  const { verifiedBy } = verdict.request;
  if (result.status === 'malformed') {
    parts.note(request, { receipt: result.receipt, verifiedBy });
    throw new ProblemError(result.code, `${result.detail}; kept as ${result.receipt}`);
  }
  const { status, receipt, event } = result;
  const { eventName, eventId } = event;
  parts.note(request, { receipt, verifiedBy, eventName, eventId, outcome: status });
  // Not returned: it has been sent, and a reply is a thenable that would be waited for.
  void reply.code(200).send({ status, receipt });
}
