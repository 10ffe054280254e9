import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { isJsonObject } from '../../capillary/json.ts';
import { createRandom } from '../random.ts';
import type { GeneratedEvent } from './capillary-events.ts';
import { type PlannedSend, planSends } from './send-plan.ts';
import { createTally, type SendReport, type SendTally } from './send-report.ts';

/** One answer, or the lack of one, as it happened. */
export interface SendAnswer {
  readonly send: PlannedSend;
  /** Absent when nothing came back. */
  readonly status?: number;
  readonly detail?: string;
  readonly durationMs: number;
  /** From 1. */
  readonly attempt: number;
  /** ms until the same event is sent again; absent when this was the end of it. */
  readonly retryInMs?: number;
}

export interface SendOptions {
  /** The webhook, e.g. `http://127.0.0.1:8080/webhooks/acme`. */
  readonly url: string;
  readonly events: Iterable<GeneratedEvent>;
  /** How many events there are; may be left out for an array. */
  readonly count?: number;
  /** Events a second; default as fast as they are answered. */
  readonly rate?: number;
  /** Share of events sent a second time; default 0. */
  readonly duplicates?: number;
  /** Share of events overtaken by later ones of the same customer; default 0. */
  readonly disorder?: number;
  /** Calls at once: Capillary's maxAllowedConnections; default 10. */
  readonly concurrency?: number;
  readonly seed?: number;
  /** Headers that prove the sender, made anew for each request; default none. */
  readonly sign?: (body: string, now: number) => Readonly<Record<string, string>>;
  /** First and longest wait before the same event is sent again; default 1 s and 60 s, as Capillary's log shows. */
  readonly minDelayMs?: number;
  readonly maxDelayMs?: number;
  /** ms from an event's first request after which it is given up; default 5 min, again by Capillary's log. */
  readonly patienceMs?: number;
  readonly onAnswer?: (answer: SendAnswer) => void;
  /** Ends the run; what is under way counts as given up. */
  readonly signal?: AbortSignal;
}

interface Run {
  readonly options: SendOptions;
  readonly poster: WebhookPost;
  readonly tally: SendTally;
  readonly signal: AbortSignal;
}

/** 2xx is success; 429, 5xx and silence are sent again, every other answer is final (reference: capillary.md §3). */
function isWorthRepeating(answer: WebhookAnswer): boolean {
  return answer.kind === 'failure' || answer.status === 429 || answer.status >= 500;
}

function isGood(answer: WebhookAnswer): boolean {
  return answer.kind === 'answer' && answer.status >= 200 && answer.status < 300;
}

function delayOf(answer: WebhookAnswer, attempt: number, options: SendOptions): number {
  const { minDelayMs = 1_000, maxDelayMs = 60_000 } = options;
  const doubled = Math.min(minDelayMs * 2 ** (attempt - 1), maxDelayMs);
  return answer.kind === 'answer' ? (answer.retryAfterMs ?? doubled) : doubled;
}

function end(answer: WebhookAnswer, tally: SendTally): void {
  if (answer.kind === 'failure') tally.ended('givenUp');
  else if (isGood(answer)) tally.ended(answer.isDuplicate ? 'duplicate' : 'accepted');
  else tally.ended(isWorthRepeating(answer) ? 'givenUp' : 'refused', answer.status);
}

/** Sends one event until it is settled; the events behind it wait, as in Capillary's queue. */
async function deliver(send: PlannedSend, { options, poster, tally, signal }: Run): Promise<void> {
  const { body } = send.event;
  const givesUpAt = performance.now() + (options.patienceMs ?? 300_000);
  for (let attempt = 1; ; attempt += 1) {
    const answer = await poster.post(body, options.sign?.(body, Date.now()) ?? {}, signal);
    tally.attempted(answer.durationMs, isGood(answer));
    const delay = delayOf(answer, attempt, options);
    const retries = isWorthRepeating(answer) && performance.now() + delay < givesUpAt;
    options.onAnswer?.({
      send,
      attempt,
      durationMs: answer.durationMs,
      ...(answer.kind === 'answer' ? { status: answer.status } : { detail: answer.detail }),
      ...(retries ? { retryInMs: delay } : {}),
    });
    if (!retries) {
      end(answer, tally);
      return;
    }
    tally.retried(answer.kind === 'answer' ? String(answer.status) : 'network');
    await sleep(delay, undefined, { signal });
  }
}

/** Gives each caller its turn so that no more than `rate` begin in a second. */
function createPace(rate: number | undefined, signal: AbortSignal): () => Promise<void> {
  const startedAt = performance.now();
  let turns = 0;
  return async () => {
    if (rate === undefined) return;
    const wait = startedAt + (turns * 1_000) / rate - performance.now();
    turns += 1;
    if (wait > 1) await sleep(wait, undefined, { signal });
  };
}

async function work(plan: Iterator<PlannedSend>, turn: () => Promise<void>, run: Run): Promise<void> {
  for (let next = plan.next(); !next.done && !run.signal.aborted; next = plan.next()) {
    const send = next.value;
    run.tally.began(send.isDuplicate, send.isLate);
    try {
      await turn();
      await deliver(send, run);
    } catch (error) {
      if (!run.signal.aborted) throw error;
      run.tally.ended('aborted');
      return;
    }
  }
}

function countOf({ events, count }: SendOptions): number {
  const known = count ?? (Array.isArray(events) ? events.length : undefined);
  if (known === undefined) throw new TypeError('count is needed for events that are not an array');
  return known;
}

/** A Capillary: sends events over several connections and keeps at each until it is taken, refused or given up. */
export async function sendEvents(options: SendOptions): Promise<SendReport> {
  const { concurrency = 10, duplicates = 0, disorder = 0 } = options;
  const signal = options.signal ?? new AbortController().signal;
  const poster = createWebhookPost(options.url, concurrency);
  const tally = createTally(() => performance.now());
  const random = createRandom(options.seed ?? 1);
  const plan = planSends(options.events, { count: countOf(options), duplicates, disorder, random });
  const turn = createPace(options.rate, signal);
  const run: Run = { options, poster, tally, signal };
  try {
    await Promise.all(Array.from({ length: concurrency }, () => work(plan, turn, run)));
  } finally {
    await poster.close();
  }
  return tally.report();
}

/** What came back from one POST. */
export type WebhookAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      /** ms, from Retry-After. */
      readonly retryAfterMs?: number;
      /** The relay says that it knows the event. */
      readonly isDuplicate: boolean;
      readonly durationMs: number;
    }
  | { readonly kind: 'failure'; readonly detail: string; readonly durationMs: number };

/** Posts bodies to one URL the way Capillary's router does. */
export interface WebhookPost {
  /** Never throws but for an aborted signal. */
  post(body: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<WebhookAnswer>;
  close(): Promise<void>;
}

/** Capillary gives an answer 30 s (reference: capillary.md §3). */
const TIMEOUT_MS = 30_000;

/** The headers of the one request that Capillary published (reference: capillary.md §1.3). */
const HEADERS = {
  'content-type': 'application/json',
  accept: 'text/plain, application/json, */*',
  'user-agent': 'Java/1.8.0_352',
};

function retryAfterMs(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  const at = /^\d+$/.test(header) ? Date.now() + Number(header) * 1_000 : Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

function saysDuplicate(text: string): boolean {
  try {
    const body: unknown = JSON.parse(text);
    return isJsonObject(body) && body.status === 'duplicate';
  } catch {
    return false;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? `${String(error.code)}: ${error.message}` : error.message;
}

export function createWebhookPost(url: string, connections: number): WebhookPost {
  const dispatcher = new Agent({
    connections,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: TIMEOUT_MS },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  return {
    post: async (body, headers, signal) => {
      const startedAt = performance.now();
      const durationMs = (): number => performance.now() - startedAt;
      try {
        const answer = await request(url, {
          method: 'POST',
          headers: { ...HEADERS, ...headers },
          body,
          dispatcher,
          signal,
        });
        const text = await answer.body.text();
        const waitMs = retryAfterMs(answer.headers['retry-after']);
        return {
          kind: 'answer',
          status: answer.statusCode,
          isDuplicate: saysDuplicate(text),
          durationMs: durationMs(),
          ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
        };
      } catch (error) {
        signal.throwIfAborted();
        return { kind: 'failure', detail: describe(error), durationMs: durationMs() };
      }
    },
    close: () => dispatcher.destroy(),
  };
}
