import { setTimeout as sleep } from 'node:timers/promises';
import { isJsonObject } from '../../capillary/json.ts';
import { createRandom } from '../random.ts';
import type { GeneratedEvent } from './capillary-events.ts';
import { type PlannedSend, planSends } from './send-plan.ts';
import { createTally, type SendReport, type SendTally } from './send-report.ts';
import {
  BACK_OFF_MS,
  backOffMs,
  createWebhookClient,
  isRetryable,
  isSuccess,
  type WebhookAnswer,
  type WebhookClient,
} from './webhook-client.ts';

/** The result of one request. */
export interface SendAnswer {
  readonly send: PlannedSend;
  /** Absent if there was no answer. */
  readonly status?: number;
  readonly detail?: string;
  /** Why there was no answer, in words: `connection refused`. */
  readonly failure?: string;
  readonly durationMs: number;
  /** From 1. */
  readonly attempt: number;
  /** Time until the same event is sent again; absent if this was the last request. */
  readonly retryInMs?: number;
}

export interface SendOptions {
  /** The webhook, such as `http://127.0.0.1:8080/webhooks/acme`. */
  readonly url: string;
  readonly events: Iterable<GeneratedEvent>;
  /** Number of events; required unless `events` is an array. */
  readonly count?: number;
  /** Events per second; by default as fast as they are answered. */
  readonly rate?: number;
  /** Share of events sent a second time; default 0. */
  readonly duplicates?: number;
  /** Share of events sent after later ones of the same customer; default 0. */
  readonly disorder?: number;
  /** Parallel requests, Capillary's `maxAllowedConnections`; default 10. */
  readonly concurrency?: number;
  readonly seed?: number;
  /** Creates the authentication headers of each request; default none. */
  readonly sign?: (body: string, now: number) => Readonly<Record<string, string>>;
  /**
   * First and longest delay before a repeat; default 1 s and 60 s
   * (docs/platforms/capillary.md#patience).
   */
  readonly minDelayMs?: number;
  readonly maxDelayMs?: number;
  /** Time after an event's first request when it is given up; default 5 min. */
  readonly patienceMs?: number;
  readonly onAnswer?: (answer: SendAnswer) => void;
  /** Ends the run; sends in progress count as given up. */
  readonly signal?: AbortSignal;
}

interface Run {
  readonly options: SendOptions;
  readonly client: WebhookClient;
  readonly tally: SendTally;
  readonly signal: AbortSignal;
}

function delayOf(answer: WebhookAnswer, attempt: number, options: SendOptions): number {
  const { minDelayMs: min = BACK_OFF_MS.min, maxDelayMs: max = BACK_OFF_MS.max } = options;
  const retryAfterMs = answer.kind === 'answer' ? (answer.retryAfterMs ?? 0) : 0;
  return Math.max(backOffMs(attempt, { min, max }), retryAfterMs);
}

function isDuplicateAnswer(answer: WebhookAnswer): boolean {
  if (answer.kind === 'failure') return false;
  try {
    const body: unknown = JSON.parse(answer.text);
    return isJsonObject(body) && body.status === 'duplicate';
  } catch {
    return false;
  }
}

function recordOutcome(answer: WebhookAnswer, tally: SendTally): void {
  if (answer.kind === 'failure') tally.recordFinish('givenUp');
  else if (isSuccess(answer)) tally.recordFinish(isDuplicateAnswer(answer) ? 'duplicate' : 'accepted');
  else tally.recordFinish(isRetryable(answer) ? 'givenUp' : 'refused', answer.status);
}

/**
 * Repeats one event until it is settled; later events wait
 * (docs/platforms/capillary.md#queue-blocking).
 */
async function sendUntilSettled(send: PlannedSend, { options, client, tally, signal }: Run): Promise<void> {
  const { body } = send.event;
  const deadline = performance.now() + (options.patienceMs ?? 300_000);
  for (let attempt = 1; ; attempt += 1) {
    const headers = options.sign?.(body, Date.now()) ?? {};
    const answer = await client.send({ url: options.url, headers, body }, signal);
    tally.recordAttempt(answer.durationMs, isSuccess(answer));
    const delay = delayOf(answer, attempt, options);
    const retries = isRetryable(answer) && performance.now() + delay < deadline;
    options.onAnswer?.({
      send,
      attempt,
      durationMs: answer.durationMs,
      ...(answer.kind === 'answer'
        ? { status: answer.status }
        : { detail: answer.detail, failure: answer.failure }),
      ...(retries ? { retryInMs: delay } : {}),
    });
    if (!retries) {
      recordOutcome(answer, tally);
      return;
    }
    tally.recordRetry(answer.kind === 'answer' ? String(answer.status) : 'network');
    await sleep(delay, undefined, { signal });
  }
}

/**
 * Returns a function that delays its callers, so that at most `rate` of them continue per second.
 */
function createPace(rate: number | undefined, signal: AbortSignal): () => Promise<void> {
  const startedAt = performance.now();
  let count = 0;
  return async () => {
    if (rate === undefined) return;
    const wait = startedAt + (count * 1_000) / rate - performance.now();
    count += 1;
    if (wait > 1) await sleep(wait, undefined, { signal });
  };
}

async function runConnection(
  plan: Iterator<PlannedSend>,
  pace: () => Promise<void>,
  run: Run,
): Promise<void> {
  for (let next = plan.next(); !next.done && !run.signal.aborted; next = plan.next()) {
    const send = next.value;
    run.tally.recordStart(send.isDuplicate, send.isReordered);
    try {
      await pace();
      await sendUntilSettled(send, run);
    } catch (error) {
      if (!run.signal.aborted) throw error;
      run.tally.recordFinish('aborted');
      return;
    }
  }
}

function countOf({ events, count }: SendOptions): number {
  const known = count ?? (Array.isArray(events) ? events.length : undefined);
  if (known === undefined) throw new TypeError('count is required unless events is an array');
  return known;
}

/**
 * Sends events as Capillary does, over several connections. Each event is repeated until it is
 * accepted, refused or given up.
 */
export async function sendEvents(options: SendOptions): Promise<SendReport> {
  const { concurrency = 10, duplicates = 0, disorder = 0 } = options;
  const signal = options.signal ?? new AbortController().signal;
  const client = createWebhookClient(concurrency);
  const tally = createTally(() => performance.now());
  const random = createRandom(options.seed ?? 1);
  const plan = planSends(options.events, { count: countOf(options), duplicates, disorder, random });
  const pace = createPace(options.rate, signal);
  const run: Run = { options, client, tally, signal };
  try {
    await Promise.all(Array.from({ length: concurrency }, () => runConnection(plan, pace, run)));
  } finally {
    await client.close();
  }
  return tally.report();
}
