import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { FaultAction, ForeignAnswer } from './fault-script.ts';

/** Header names are in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function jsonAnswer(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json;charset=utf-8', ...headers },
    body: JSON.stringify(body),
  };
}

/** The platform's own answers to one request. A fault selects one and can override parts of it. */
export interface Exchange {
  /**
   * The success answer. It takes effect only if `lands` is true: a fault can report a false
   * success.
   */
  readonly produce: (lands: boolean) => Answer;
  /** The platform's own answer with a failing status, and with this text if there is one. */
  readonly refuse: (status: number, text?: string) => Answer;
  /** Called once with the outcome: a status, `hang`, `reset` or `gone` (closed by the client). */
  readonly onEnd: (outcome: string) => void;
}

function isFailure(then: FaultAction): boolean {
  const isForeign = then.foreign !== undefined;
  return isForeign || then.hang === true || then.reset !== undefined || (then.status ?? 200) >= 400;
}

const HTML = 'text/html; charset=utf-8';
const FOREIGN: Readonly<Record<ForeignAnswer, readonly [contentType: string | undefined, body: string]>> = {
  html: [HTML, '<html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>'],
  text: ['text/plain', 'upstream connect error or disconnect/reset before headers'],
  empty: [undefined, ''],
  object: ['application/json', '{}'],
  error: ['application/json', '{"error":"the request was blocked"}'],
};

/** What a proxy or a gateway answers in Adobe's place. */
function foreignAnswer(form: ForeignAnswer, status: number): Answer {
  const [contentType, body] = FOREIGN[form];
  return { status, headers: contentType === undefined ? {} : { 'content-type': contentType }, body };
}

function retryAfterOf(then: FaultAction): Record<string, string> {
  return then.retryAfter === undefined ? {} : { 'retry-after': String(then.retryAfter) };
}

function withOverrides(answer: Answer, then: FaultAction): Answer {
  return {
    status: then.status ?? answer.status,
    headers: {
      ...answer.headers,
      ...retryAfterOf(then),
      ...Object.fromEntries(
        Object.entries(then.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
      ),
    },
    body:
      then.body === undefined
        ? answer.body
        : typeof then.body === 'string'
          ? then.body
          : JSON.stringify(then.body),
  };
}

function faultyAnswer(exchange: Exchange, then: FaultAction): Answer {
  const lands = then.landed ?? !isFailure(then);
  const failureStatus = then.status !== undefined && then.status >= 400 ? then.status : undefined;
  if (then.foreign !== undefined) {
    if (lands) exchange.produce(true);
    return withOverrides(foreignAnswer(then.foreign, then.status ?? 200), then);
  }
  if (failureStatus === undefined) return withOverrides(exchange.produce(lands), then);
  if (lands) exchange.produce(true);
  return withOverrides(exchange.refuse(failureStatus, then.problem), then);
}

async function whenClosed(reply: FastifyReply): Promise<void> {
  if (!reply.raw.destroyed) await once(reply.raw, 'close');
}

/** False if the client closed the connection meanwhile. */
async function waitUnlessClosed(reply: FastifyReply, ms: number): Promise<boolean> {
  const closed = new AbortController();
  const abort = (): void => closed.abort();
  reply.raw.once('close', abort);
  try {
    await sleep(ms, undefined, { signal: closed.signal });
    return true;
  } catch {
    return false;
  } finally {
    reply.raw.off('close', abort);
  }
}

async function sendHalf(reply: FastifyReply, answer: Answer): Promise<void> {
  const body = Buffer.from(answer.body);
  reply.raw.writeHead(answer.status, { ...answer.headers, 'content-length': String(body.length + 2) });
  // The content-length is too large even for an empty body. The write must have been flushed before
  // the connection is destroyed, so that the client sees the head.
  const half = body.subarray(0, Math.floor(body.length / 2));
  await new Promise<void>((resolve) => {
    reply.raw.write(half.length > 0 ? half : ' ', () => resolve());
  });
  reply.raw.destroy();
}

function send(reply: FastifyReply, answer: Answer): void {
  void reply.code(answer.status).headers(answer.headers).send(answer.body);
}

/**
 * Answers a request, applying its fault if there is one. The messages land before any delay: a slow
 * Adobe already has them when the client times out. Resolves when the answer is written.
 */
export async function respond(
  reply: FastifyReply,
  exchange: Exchange,
  then: FaultAction | undefined,
): Promise<void> {
  const answer = then === undefined ? exchange.produce(true) : faultyAnswer(exchange, then);
  if (then?.delayMs !== undefined && !(await waitUnlessClosed(reply, then.delayMs))) {
    exchange.onEnd('gone');
    reply.hijack();
  } else if (then?.hang) {
    exchange.onEnd('hang');
    reply.hijack();
    await whenClosed(reply);
  } else if (then?.reset) {
    exchange.onEnd('reset');
    reply.hijack();
    if (then.reset === 'mid-body') await sendHalf(reply, answer);
    else reply.raw.socket?.resetAndDestroy();
  } else {
    exchange.onEnd(String(answer.status));
    send(reply, answer);
  }
}
