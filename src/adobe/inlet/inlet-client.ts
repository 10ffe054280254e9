import { DIRECT_EGRESS, type Egress } from '../../http/egress.ts';
import { type OutboundResult, send as sendRequest, USER_AGENT } from '../../http/outbound.ts';
import { parseRetryAfter } from '../../http/retry-after.ts';
import type { Inlet, InletResult, InletFlow } from '../ports.ts';

/**
 * Adobe's responses are small; even a problem document for a whole batch is far smaller than this.
 */
const MAX_RESPONSE_BYTES = 1_048_576;

export interface InletOptions {
  /** As shown in AEP, in single or batch form. */
  readonly inletUrl: string;
  readonly sandbox: string;
  /**
   * Sent as `x-gw-ims-org-id` if given; the inlet does not need it.
   * Source: docs/platforms/adobe.md#inlet-headers
   */
  readonly imsOrgId?: string;
  /** For one request, from waiting for a connection to the last byte of the response. */
  readonly requestTimeoutMs?: number;
  /** Maximum number of requests in flight. */
  readonly connections: number;
  /** Default: without a proxy. */
  readonly egress?: Egress;
  /** Epoch ms; for Retry-After dates. */
  readonly now?: () => number;
}

const CLOSED: InletResult = {
  kind: 'failure',
  code: 'network',
  detail: 'The inlet client is closed',
  durationMs: 0,
};

function toInletResult(response: OutboundResult, now: number): InletResult {
  if (response.kind === 'failure') return response;
  const { status, headers, body, truncated, durationMs } = response;
  const retryAfterMs = parseRetryAfter(headers['retry-after'], now);
  return {
    kind: 'response',
    status,
    body,
    durationMs,
    ...(truncated && { isTruncated: true }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

const BATCH_START = Buffer.from('{"messages":[');
const BATCH_END = Buffer.from(']}');

/**
 * `{"messages":[…]}` as bytes. Joining the messages to one string first would copy them once more,
 * which takes several times as long.
 */
function batchBody(messages: readonly string[]): Buffer {
  const parts = [BATCH_START];
  for (const [index, message] of messages.entries()) {
    parts.push(Buffer.from(index === 0 ? message : `,${message}`));
  }
  parts.push(BATCH_END);
  return Buffer.concat(parts);
}

/**
 * An inlet with its own connection pool. Requests are never retried here and redirects never
 * followed.
 * @throws TypeError if the URL is not an inlet URL
 */
export function createInlet(options: InletOptions): Inlet {
  const { sandbox, imsOrgId, requestTimeoutMs = 30_000, connections, now = Date.now } = options;
  const { egress = DIRECT_EGRESS } = options;
  const urls = inletUrls(options.inletUrl);
  const pool = egress.pool(urls.origin, { connections, timeoutMs: requestTimeoutMs });
  const inFlight = new Set<Promise<OutboundResult>>();
  let closing: Promise<void> | undefined;

  // The flow id is both here and in the envelope: an inlet that several flows share can lose
  // messages without it. Source: docs/platforms/adobe.md#inlet-headers
  const headersFor = (flow: InletFlow, token: string | undefined): Record<string, string> => ({
    'content-type': 'application/json',
    'user-agent': USER_AGENT,
    'x-sandbox-name': sandbox,
    'x-adobe-flow-id': flow.flowId,
    ...(imsOrgId !== undefined && { 'x-gw-ims-org-id': imsOrgId }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  });

  const send = async (
    path: string,
    flow: InletFlow,
    body: string | Buffer,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<InletResult> => {
    if (closing !== undefined) return CLOSED;
    const limits = { timeoutMs: requestTimeoutMs, maxBytes: MAX_RESPONSE_BYTES };
    const sent = sendRequest(
      pool,
      { method: 'POST', path, headers: headersFor(flow, token), body, ...limits },
      signal,
    );
    inFlight.add(sent);
    try {
      return toInletResult(await sent, now());
    } finally {
      inFlight.delete(sent);
    }
  };

  // The pool's own close() would wait for connection attempts that no request needs any more.
  const finish = async (): Promise<void> => {
    await Promise.allSettled(inFlight);
    await pool.destroy();
  };

  return {
    sendBatch: (flow, messages, token, signal) => send(urls.batch, flow, batchBody(messages), token, signal),
    sendSingle: (flow, message, token, signal) => send(urls.single, flow, message, token, signal),
    close: () => (closing ??= finish()),
  };
}

export interface InletUrls {
  readonly origin: string;
  /** Path and query of the single endpoint. */
  readonly single: string;
  /** Path and query of the batch endpoint. */
  readonly batch: string;
}

const COLLECTION = /\/collection\/(?:batch\/)?/;

/**
 * Both endpoints of an inlet, from the URL of either; the query is kept. AEP shows only the single
 * form; the batch form has `/collection/batch/` instead of `/collection/`.
 * Source: docs/platforms/adobe.md#inlet-urls
 * @throws TypeError if it is not an inlet URL
 */
export function inletUrls(inletUrl: string): InletUrls {
  const { origin, pathname, search } = new URL(inletUrl);
  if (!COLLECTION.test(pathname)) throw new TypeError('An inlet URL must contain /collection/<inletId>');
  const path = (base: string) => pathname.replace(COLLECTION, base) + search;
  return { origin, single: path('/collection/'), batch: path('/collection/batch/') };
}
