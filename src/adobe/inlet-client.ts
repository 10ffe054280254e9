import type { Inlet, InletAnswer, InletFlow } from './answer.ts';
import { createPool } from './http-pool.ts';
import { type PostAnswer, post } from './http-post.ts';
import { inletUrls } from './inlet-url.ts';
import { parseRetryAfter } from './retry-after.ts';
import { USER_AGENT } from './user-agent.ts';

/** Adobe's answers are small; a problem document of a whole batch stays far below this. */
const MAX_ANSWER_BYTES = 1_048_576;

export interface InletOptions {
  /** As AEP gives it, single or batch form. */
  readonly inletUrl: string;
  readonly sandbox: string;
  /** Sent as `x-gw-ims-org-id` when given; the inlet does not need it (adobe.md §2.2). */
  readonly imsOrgId?: string;
  /** ms for one request, from asking for a connection to the last byte of the answer. */
  readonly requestTimeoutMs?: number;
  /** Requests under way at once. */
  readonly connections: number;
  /** Epoch ms; for Retry-After dates. */
  readonly now?: () => number;
}

const CLOSED: InletAnswer = {
  kind: 'failure',
  code: 'network',
  detail: 'The inlet client is closed',
  durationMs: 0,
};

function inletAnswer(answer: PostAnswer, now: number): InletAnswer {
  if (answer.kind === 'failure') return answer;
  const { status, headers, body, durationMs } = answer;
  const retryAfter = parseRetryAfter(headers['retry-after'], now);
  return { kind: 'answer', status, body, durationMs, ...(retryAfter !== undefined && { retryAfter }) };
}

const OPENING = Buffer.from('{"messages":[');
const CLOSING = Buffer.from(']}');

/** `{"messages":[…]}` as bytes. Joined to one text before, the messages would be copied once more, which takes several times as long. */
function batchBody(messages: readonly string[]): Buffer {
  const parts = [OPENING];
  for (const [index, message] of messages.entries()) {
    parts.push(Buffer.from(index === 0 ? message : `,${message}`));
  }
  parts.push(CLOSING);
  return Buffer.concat(parts);
}

/**
 * An inlet over a pool of its own. Requests are made once and never repeated here, redirects never followed.
 * @throws TypeError when the URL is no inlet's
 */
export function createInlet(options: InletOptions): Inlet {
  const { sandbox, imsOrgId, requestTimeoutMs = 30_000, connections, now = Date.now } = options;
  const urls = inletUrls(options.inletUrl);
  const pool = createPool(urls.origin, connections, requestTimeoutMs);
  const underWay = new Set<Promise<PostAnswer>>();
  let closing: Promise<void> | undefined;

  // The flow id goes into the header and into the envelope: inlets shared by flows lose data without it (adobe.md §2.2).
  const headers = (flow: InletFlow, token: string | undefined): Record<string, string> => ({
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
  ): Promise<InletAnswer> => {
    if (closing !== undefined) return CLOSED;
    const limits = { timeoutMs: requestTimeoutMs, maxBytes: MAX_ANSWER_BYTES };
    const sent = post(pool, { path, headers: headers(flow, token), body, ...limits }, signal);
    underWay.add(sent);
    try {
      return inletAnswer(await sent, now());
    } finally {
      underWay.delete(sent);
    }
  };

  // Not the pool's own close: that waits for connections being made, which nobody waits for any more.
  const finish = async (): Promise<void> => {
    await Promise.allSettled(underWay);
    await pool.destroy();
  };

  return {
    sendBatch: (flow, messages, token, signal) => send(urls.batch, flow, batchBody(messages), token, signal),
    sendSingle: (flow, message, token, signal) => send(urls.single, flow, message, token, signal),
    close: () => (closing ??= finish()),
  };
}
