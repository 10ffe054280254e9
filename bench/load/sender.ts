import { setTimeout as sleep } from 'node:timers/promises';
import { type HttpConnection, openConnection } from './http-connection.ts';
import type { SendJob, SendResult } from './job.ts';
import { percentiles } from '../statistics.ts';
import { bodiesOf, requestOf } from './requests.ts';

/*
 * The sender, a process of its own. Told a job, it makes ready what can be made before (`ready`), sends when told `go`, and answers with
 * what came of it.
 */

/** Requests that are made before the sending begins; of longer jobs each is made when it is sent. */
const MADE_BEFORE = 50_000;

interface Tally {
  readonly times: Float64Array;
  readonly statuses: Map<number, number>;
  done: number;
}

function resultOf({ times, statuses, done }: Tally, tookMs: number): SendResult {
  return {
    sent: done,
    statuses: Object.fromEntries(statuses),
    tookMs,
    times: percentiles(times),
  };
}

function take(tally: Tally, begun: number, status: number): void {
  tally.times[tally.done] = performance.now() - begun;
  tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
  tally.done += 1;
}

/** Each connection sends its next request when the one before is answered. */
function asFastAsAnswered(
  connections: readonly HttpConnection[],
  { count, request }: { readonly count: number; readonly request: (index: number) => Buffer },
  tally: Tally,
): Promise<void> {
  return new Promise((resolve) => {
    let next = 0;
    const go = (connection: HttpConnection): void => {
      if (next === count) return;
      const bytes = request(next);
      next += 1;
      const begun = performance.now();
      connection.post(bytes, (status) => {
        take(tally, begun, status);
        if (tally.done === count) resolve();
        else go(connection);
      });
    };
    connections.forEach(go);
  });
}

/** Requests go out when they are due; what finds no free connection waits, and its time runs from when it was due. */
async function atRate(
  connections: readonly HttpConnection[],
  { job, make }: { readonly job: SendJob; readonly make: (createdAt: number) => Buffer },
  tally: Tally,
): Promise<void> {
  const { count } = job.events;
  const rate = job.rate ?? 1;
  const free = [...connections];
  const waiting: { request: Buffer; due: number }[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const go = (connection: HttpConnection, { request, due }: { request: Buffer; due: number }): void =>
    connection.post(request, (status) => {
      take(tally, due, status);
      const next = waiting.shift();
      if (next === undefined) free.push(connection);
      else go(connection, next);
      if (tally.done === count) resolve();
    });
  const begun = performance.now();
  const epoch = Date.now() - begun;
  for (let sent = 0; sent < count; ) {
    const due = begun + (sent * 1_000) / rate;
    const wait = due - performance.now();
    // Timers are good to a millisecond: what is due within one goes now.
    if (wait > 1) {
      await sleep(wait);
      continue;
    }
    const one = { request: make(Math.round(epoch + due)), due };
    // In turn: the relay closes a connection that says nothing for its first ten seconds.
    const connection = free.shift();
    if (connection === undefined) waiting.push(one);
    else go(connection, one);
    sent += 1;
  }
  await promise;
}

function failed(error: Error): never {
  throw error;
}

async function run(job: SendJob, go: Promise<void>): Promise<SendResult> {
  const { count } = job.events;
  const body = bodiesOf(job.events);
  const request = requestOf(job);
  const make = (createdAt: number): Buffer => request(body(createdAt));
  const isMade = job.rate === undefined && count <= MADE_BEFORE;
  const made = isMade ? Array.from({ length: count }, (_, index) => make(Date.now() + index)) : [];
  const connections = await Promise.all(
    Array.from({ length: job.connections }, () => openConnection(new URL(job.url), failed)),
  );
  const tally: Tally = { times: new Float64Array(count), statuses: new Map(), done: 0 };
  process.send?.({ type: 'ready' });
  await go;
  const begun = performance.now();
  if (job.rate === undefined) {
    const requests = { count, request: (index: number) => made[index] ?? make(Date.now()) };
    await asFastAsAnswered(connections, requests, tally);
  } else await atRate(connections, { job, make }, tally);
  const result = resultOf(tally, performance.now() - begun);
  for (const connection of connections) connection.close();
  return result;
}

let start: (() => void) | undefined;
process.on('message', (message: { type: 'job'; job: SendJob } | { type: 'go' }) => {
  if (message.type === 'go') {
    start?.();
    return;
  }
  const go = new Promise<void>((resolve) => (start = resolve));
  void run(message.job, go).then((result) => process.send?.({ type: 'result', result }));
});
