import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../http/problems.ts';
import type { Journal } from '../journal/journal.ts';
import type { ConfiguredSource } from '../sources/source-table.ts';
import type { ReceivedRequest } from '../sources/verifier.ts';
import { accept } from './accept.ts';
import type { DuplicateJournal } from './duplicates.ts';
import { addToReport } from './webhook-report.ts';

export interface WebhookParts {
  readonly journal: Pick<Journal, 'append' | 'appendMalformed' | 'quarantine'> & DuplicateJournal;
  readonly now: () => number;
}

/**
 * Refuses an unverified request, after storing a copy within the source's bounds: Capillary
 * probably never repeats it (docs/platforms/capillary.md#answers-and-repeats).
 */
async function refuse(
  { journal }: WebhookParts,
  { config }: ConfiguredSource,
  request: FastifyRequest,
  received: ReceivedRequest,
  reasons: readonly string[],
): Promise<never> {
  const { keep, ...bounds } = config.unverified;
  if (keep === 'quarantine') {
    const { body, rawHeaders, ip, receivedAt } = received;
    const entry = { source: config.name, receivedAt, ip, reasons, rawHeaders, body };
    const { receipt, evicted } = await journal.quarantine(entry, bounds);
    addToReport(request, { receipt, reasons, evicted });
  } else addToReport(request, { reasons });
  throw new ProblemError('not-verified', 'check the credential that the webhook sends for this source');
}

/** Verifies, journals and answers one webhook. Every refusal is thrown as a ProblemError. */
export async function handleWebhook(
  parts: WebhookParts,
  source: ConfiguredSource,
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
    addToReport(request, { receipt: result.receipt, verifiedBy });
    throw new ProblemError(result.code, `${result.detail}; kept as ${result.receipt}`);
  }
  const { status, receipt, event } = result;
  const { eventName, eventId } = event;
  addToReport(request, { receipt, verifiedBy, eventName, eventId, outcome: status });
  if (result.status === 'duplicate') addToReport(request, { differs: result.differs });
  // Not returned: the reply has been sent, and it is a thenable that would be awaited.
  void reply.code(200).send({ status, receipt });
}
