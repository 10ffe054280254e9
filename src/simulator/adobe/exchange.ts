import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { FaultAction } from './fault-script.ts';

/** The two ways one request can end, as the platform would have it; a fault chooses between them and bends the answer. */
export interface Exchange {
  /** The answer of success; with `lands` the work is done too, without it the answer is a lie. */
  readonly produce: (lands: boolean) => Answer;
  /** The platform's own answer with a failing status. */
  readonly refuse: (status: number) => Answer;
  /** Told once how it ended: a status, `hang`, `reset` or `gone` (the client left during a delay). */
  readonly ended: (how: string) => void;
}

function isFailure(then: FaultAction): boolean {
  return then.hang === true || then.reset !== undefined || (then.status ?? 200) >= 400;
}

function retryAfterOf(then: FaultAction): Record<string, string> {
  return then.retryAfter === undefined ? {} : { 'retry-after': String(then.retryAfter) };
}

function bend(answer: Answer, then: FaultAction): Answer {
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

function answerOf(exchange: Exchange, then: FaultAction): Answer {
  const lands = then.landed ?? !isFailure(then);
  const refused = then.status !== undefined && then.status >= 400 ? then.status : undefined;
  if (refused === undefined) return bend(exchange.produce(lands), then);
  if (lands) exchange.produce(true);
  return bend(exchange.refuse(refused), then);
}

async function closed(reply: FastifyReply): Promise<void> {
  if (!reply.raw.destroyed) await once(reply.raw, 'close');
}

/** Waits; false when the client went away meanwhile. */
async function waited(reply: FastifyReply, ms: number): Promise<boolean> {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  reply.raw.once('close', leave);
  try {
    await sleep(ms, undefined, { signal: gone.signal });
    return true;
  } catch {
    return false;
  } finally {
    reply.raw.off('close', leave);
  }
}

async function cutOff(reply: FastifyReply, answer: Answer): Promise<void> {
  const body = Buffer.from(answer.body);
  reply.raw.writeHead(answer.status, { ...answer.headers, 'content-length': String(body.length + 2) });
  // More is promised than comes, even for an empty body, and what comes has left before the cut: the client must see the head.
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
 * Ends a request, with the fault that hit it if one did. The work comes before any delay: a slow Adobe has the messages
 * while the client still waits, which is what makes its time-outs dangerous. Resolves when the answer is handed over.
 */
export async function conclude(
  reply: FastifyReply,
  exchange: Exchange,
  then: FaultAction | undefined,
): Promise<void> {
  const answer = then === undefined ? exchange.produce(true) : answerOf(exchange, then);
  if (then?.delayMs !== undefined && !(await waited(reply, then.delayMs))) {
    exchange.ended('gone');
    reply.hijack();
  } else if (then?.hang) {
    exchange.ended('hang');
    reply.hijack();
    await closed(reply);
  } else if (then?.reset) {
    exchange.ended('reset');
    reply.hijack();
    if (then.reset === 'mid-body') await cutOff(reply, answer);
    else reply.raw.socket?.resetAndDestroy();
  } else {
    exchange.ended(String(answer.status));
    send(reply, answer);
  }
}

/** An answer before it goes on the wire. Header names in lower case. */
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
