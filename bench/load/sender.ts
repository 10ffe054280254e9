import { setTimeout as sleep } from 'node:timers/promises';
import { type HttpConnection, openConnection } from './http-connection.ts';
import type { SendJob, SendResult } from './job.ts';
import { percentiles } from '../statistics.ts';
import { reconnecting } from './reconnecting.ts';
import { createBodyGenerator, createRequestEncoder } from './requests.ts';

/*
 * The sender, in its own process. It receives a job, prepares its requests and reports `ready`; at
 * `go` it sends them and reports the result.
 */

/**
 * Requests of jobs up to this size are prepared before sending; those of larger jobs while sending.
 */
const MAX_PREPARED_REQUESTS = 50_000;

interface Tally {
  readonly times: Float64Array;
  readonly statuses: Map<number, number>;
  done: number;
  acceptedAt: number;
  longestGapMs: number;
}

function resultOf({ times, statuses, done, acceptedAt, longestGapMs }: Tally, started: number): SendResult {
  const at = performance.now();
  return {
    sent: done,
    statuses: Object.fromEntries(statuses),
    longestGapMs: Math.max(longestGapMs, at - acceptedAt),
    tookMs: at - started,
    times: percentiles(times),
  };
}

function record(tally: Tally, started: number, status: number): void {
  const at = performance.now();
  tally.times[tally.done] = at - started;
  tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
  tally.done += 1;
  if (status !== 200) return;
  tally.longestGapMs = Math.max(tally.longestGapMs, at - tally.acceptedAt);
  tally.acceptedAt = at;
}

/** Each connection sends its next request after the response to the previous one. */
function sendAsFastAsPossible(
  connections: readonly HttpConnection[],
  { count, request }: { readonly count: number; readonly request: (index: number) => Buffer },
  tally: Tally,
): Promise<void> {
  return new Promise((resolve) => {
    let next = 0;
    const sendNext = (connection: HttpConnection): void => {
      if (next === count) return;
      const bytes = request(next);
      next += 1;
      const started = performance.now();
      connection.post(bytes, (status) => {
        record(tally, started, status);
        if (tally.done === count) resolve();
        else sendNext(connection);
      });
    };
    connections.forEach(sendNext);
  });
}

/**
 * Sends each request when it is due. A request without a free connection waits, but its response
 * time is measured from the time it was due.
 */
async function sendAtRate(
  connections: readonly HttpConnection[],
  { job, createRequest }: { readonly job: SendJob; readonly createRequest: (createdAt: number) => Buffer },
  tally: Tally,
): Promise<void> {
  const { count } = job.events;
  const rate = job.rate ?? 1;
  const free = [...connections];
  const waiting: { request: Buffer; due: number }[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const post = (connection: HttpConnection, { request, due }: { request: Buffer; due: number }): void =>
    connection.post(request, (status) => {
      record(tally, due, status);
      const next = waiting.shift();
      if (next === undefined) free.push(connection);
      else post(connection, next);
      if (tally.done === count) resolve();
    });
  const started = performance.now();
  const epochMs = Date.now() - started;
  for (let sent = 0; sent < count; ) {
    const due = started + (sent * 1_000) / rate;
    const wait = due - performance.now();
    // Timers have a resolution of one millisecond: send now what is due within one.
    if (wait > 1) {
      await sleep(wait);
      continue;
    }
    const next = { request: createRequest(Math.round(epochMs + due)), due };
    // Round-robin: the relay closes a connection without a request in its first ten seconds.
    const connection = free.shift();
    if (connection === undefined) waiting.push(next);
    else post(connection, next);
    sent += 1;
  }
  await promise;
}

function throwError(error: Error): never {
  throw error;
}

async function run(job: SendJob, go: Promise<void>): Promise<SendResult> {
  const { count } = job.events;
  const body = createBodyGenerator(job.events);
  const encode = createRequestEncoder(job);
  const createRequest = (createdAt: number): Buffer => encode(body(createdAt));
  const isPrepared = job.rate === undefined && count <= MAX_PREPARED_REQUESTS;
  const prepared = isPrepared
    ? Array.from({ length: count }, (_, index) => createRequest(Date.now() + index))
    : [];
  const url = new URL(job.url);
  const connect = async (): Promise<HttpConnection> =>
    job.isPatient === true ? reconnecting(url) : openConnection(url, throwError);
  const connections = await Promise.all(Array.from({ length: job.connections }, connect));
  process.send?.({ type: 'ready' });
  await go;
  const started = performance.now();
  const tally: Tally = {
    times: new Float64Array(count),
    statuses: new Map(),
    done: 0,
    acceptedAt: started,
    longestGapMs: 0,
  };
  if (job.rate === undefined) {
    const requests = { count, request: (index: number) => prepared[index] ?? createRequest(Date.now()) };
    await sendAsFastAsPossible(connections, requests, tally);
  } else await sendAtRate(connections, { job, createRequest }, tally);
  const result = resultOf(tally, started);
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
