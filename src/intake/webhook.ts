import type { FastifyReply, FastifyRequest } from 'fastify';
import { clientAddress } from '../http/client-address.ts';
import { closeAfter } from '../http/connections.ts';
import { ProblemError } from '../http/problems.ts';
import type { Journal } from '../journal/journal.ts';
import type { ConfiguredSource } from '../sources/source-table.ts';
import type { ReceivedRequest } from '../sources/verifier.ts';
import { type Acceptance, accept } from './accept.ts';
import type { AcceptParts } from './accept-array.ts';
import { storeMalformed } from './new-event.ts';
import type { OversizedBody, RequestBody } from './request-body.ts';
import { truncationDetail } from './truncated-body.ts';
import { addToReport } from './webhook-report.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The Content-Type header as it was received. */
    sentContentType: string | undefined;
  }
}

export interface WebhookParts extends AcceptParts {
  readonly journal: AcceptParts['journal'] & Pick<Journal, 'quarantine'>;
  readonly now: () => number;
}

/** The request as verifiers see it; `body` is all of it or, over the limit, its beginning. */
export function receivedRequest(request: FastifyRequest, body: Buffer, receivedAt: number): ReceivedRequest {
  const { headers } = request;
  headers['content-type'] = request.sentContentType;
  return { body, headers, rawHeaders: request.raw.rawHeaders, ip: clientAddress(request.ip), receivedAt };
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

/**
 * Refuses a body over the limit, after storing its beginning and its hash if the sender is
 * verified by something other than the body: then Capillary's log can be searched for the event.
 */
async function refuseOversized(
  { journal, now }: WebhookParts,
  { config, verifier }: ConfiguredSource,
  request: FastifyRequest,
  oversized: OversizedBody,
): Promise<never> {
  const verdict = verifier.verifyWithoutBody(receivedRequest(request, oversized.head, now()));
  if (!verdict.ok || oversized.bytes === 0) throw new ProblemError('body-too-large');
  const { body, verifiedBy } = verdict.request;
  const detail = truncationDetail(oversized);
  const receipt = await storeMalformed(journal, config, verdict.request, { body, detail });
  addToReport(request, { receipt, verifiedBy, outcome: 'oversized' });
  throw new ProblemError('body-too-large', `the first ${body.length} bytes are kept as ${receipt}`);
}

function answerAccepted(
  request: FastifyRequest,
  reply: FastifyReply,
  verifiedBy: string,
  result: Exclude<Acceptance, { status: 'malformed' }>,
): void {
  if (result.status === 'array') {
    const { receipts, accepted, duplicates, malformed } = result;
    const events = [...accepted.values()].reduce((sum, count) => sum + count, 0);
    const outcome = events === 0 ? 'duplicate' : 'accepted';
    addToReport(request, {
      verifiedBy,
      outcome: malformed.length === 0 ? outcome : 'partly-malformed',
      acceptedNames: accepted,
      duplicates,
      array: { events, duplicates: receipts.length - events, malformed: malformed.length },
    });
    const answer = { status: 'accepted', receipts, ...(malformed.length === 0 ? {} : { malformed }) };
    void reply.code(200).send(answer);
    return;
  }
  const { status, receipt, event } = result;
  const { eventName, eventId } = event;
  addToReport(request, { receipt, verifiedBy, eventName, eventId, outcome: status });
  if (result.status === 'duplicate') addToReport(request, { differs: result.differs });
  // Not returned: the reply has been sent, and it is a thenable that would be awaited.
  void reply.code(200).send({ status, receipt });
}

/** Verifies, journals and answers one webhook. Every refusal is thrown as a ProblemError. */
export async function handleWebhook(
  parts: WebhookParts,
  source: ConfiguredSource,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const body = request.body as RequestBody;
  if (!Buffer.isBuffer(body)) {
    // More of the body may be on its way.
    closeAfter(request.raw, reply.raw);
    return refuseOversized(parts, source, request, body);
  }
  const received = receivedRequest(request, body, parts.now());
  const verdict = source.verifier.verify(received);
  if (!verdict.ok) return refuse(parts, source, request, received, verdict.reasons);

  const { verifiedBy } = verdict.request;
  const result = await accept(parts, source.config, verdict.request);
  if (result.status !== 'malformed') return answerAccepted(request, reply, verifiedBy, result);
  const { code, receipt, detail } = result;
  addToReport(request, { receipt, verifiedBy, outcome: code === 'body-too-large' ? 'oversized' : code });
  throw new ProblemError(code, `${detail}; kept as ${receipt}`);
}
