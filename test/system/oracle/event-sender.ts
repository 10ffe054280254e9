import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../src/simulator/random.ts';
import type { Expectations, ExpectedEvent } from './expectations.ts';
import type { Findings } from './findings.ts';

/** How a sender sends an event again. */
export interface RetryPolicy {
  /** ms until the next attempt. @param attempts those so far, at least 1 */
  delayMs(attempts: number): number;
  /** The sender waits so long for a response. */
  readonly responseTimeoutMs: number;
  /** Whether a response may be late now, since the relay that owes it was stopped. */
  mayBeLate(): boolean;
  readonly fetch: typeof fetch;
}

const SINGLE_RELAY: RetryPolicy = {
  delayMs: () => 25,
  responseTimeoutMs: 20_000,
  mayBeLate: () => false,
  fetch: (url, init) => fetch(url, init),
};

/** Share of events without a response that are sent again much later instead of at once. */
const POSTPONED_SHARE = 0.3;
/** Share of posts that repeat a postponed event, if there is one. */
const POSTPONED_RETRY_SHARE = 0.1;

export interface SendCounts {
  posts: number;
  duplicatesAnswered: number;
  /** POSTs without a response. */
  lost: number;
  /** Responses 429 and 503. */
  refused: number;
}

/**
 * Acts as Capillary, but retries every event until it gets a 200, and records what was
 * acknowledged.
 */
export interface EventSender {
  readonly counts: SendCounts;
  /** Posts one event until it gets a 200. */
  deliver(expected: ExpectedEvent): Promise<void>;
  /** Posts the bodies until the signal aborts, then everything that has no response yet. */
  run(bodies: Iterator<string>, signal: AbortSignal): Promise<void>;
}

export interface EventSenderOptions {
  readonly expectations: Expectations;
  readonly findings: Findings;
  /** Resolves with the URL of the webhook once a relay accepts events. */
  readonly webhook: () => Promise<string>;
  readonly headers: Readonly<Record<string, string>>;
  readonly random: Random;
  readonly postsPerSecond: number;
  readonly concurrency: number;
  readonly retry?: RetryPolicy;
}

export function createEventSender(options: EventSenderOptions): EventSender {
  const { expectations, findings, random, retry = SINGLE_RELAY } = options;
  const counts = { posts: 0, duplicatesAnswered: 0, lost: 0, refused: 0 };
  const postponed: ExpectedEvent[] = [];

  const acknowledge = (
    expected: ExpectedEvent,
    before: { readonly receipt: string | undefined; readonly isAcknowledged: boolean },
    text: string,
  ): void => {
    const { status, receipt } = JSON.parse(text) as { status: string; receipt: string };
    if (status === 'duplicate') counts.duplicatesAnswered += 1;
    if (before.isAcknowledged && status === 'accepted')
      findings.add(`${expected.id}: accepted a second time instead of being answered as a duplicate`);
    if (before.receipt !== undefined && before.receipt !== receipt)
      findings.add(`${expected.id}: receipt ${before.receipt} became ${receipt}`);
    expected.receipt = receipt;
  };

  /** @returns whether it got a 200 */
  const post = async (expected: ExpectedEvent, url: string): Promise<boolean> => {
    const before = { receipt: expected.receipt, isAcknowledged: expected.acknowledgedMs !== undefined };
    counts.posts += 1;
    expected.firstPostEpochMs ??= Date.now();
    expected.firstPostMs ??= performance.now();
    const response = await retry.fetch(url, {
      method: 'POST',
      headers: options.headers,
      body: expected.body,
      signal: AbortSignal.timeout(retry.responseTimeoutMs),
    });
    // The status alone is the acknowledgement, even if the rest of the response never arrives.
    if (response.status === 200) expected.acknowledgedMs ??= performance.now();
    const text = await response.text();
    if (response.status === 200) acknowledge(expected, before, text);
    else if (response.status === 429 || response.status === 503) counts.refused += 1;
    else findings.add(`${expected.id}: answered ${response.status} ${text.slice(0, 200)}`);
    return response.status === 200;
  };

  /** Retries until there is a 200, or postpones the event after a lost response. */
  const send = async (expected: ExpectedEvent, mayPostpone: boolean): Promise<void> => {
    for (let attempts = 1; ; attempts += 1) {
      const url = await options.webhook();
      try {
        if (await post(expected, url)) return;
      } catch (error) {
        counts.lost += 1;
        if (error instanceof Error && error.name === 'TimeoutError' && !retry.mayBeLate())
          findings.add(`${expected.id}: no response within ${retry.responseTimeoutMs / 1_000} s`);
        if (mayPostpone && random() < POSTPONED_SHARE) {
          postponed.push(expected);
          return;
        }
      }
      await sleep(retry.delayMs(attempts));
    }
  };

  const work = async (
    bodies: Iterator<string>,
    signal: AbortSignal,
    nextPost: () => Promise<void>,
  ): Promise<void> => {
    while (!signal.aborted) {
      await nextPost();
      const retried =
        postponed.length > 0 && random() < POSTPONED_RETRY_SHARE ? postponed.shift() : undefined;
      await send(retried ?? expectations.register(bodies.next().value as string), true);
    }
  };

  return {
    counts,
    deliver: (expected) => send(expected, false),
    async run(bodies, signal) {
      const started = performance.now();
      let posts = 0;
      const nextPost = async (): Promise<void> => {
        posts += 1;
        await sleep(Math.max(0, started + (posts * 1_000) / options.postsPerSecond - performance.now()));
      };
      await Promise.all(Array.from({ length: options.concurrency }, () => work(bodies, signal, nextPost)));
      await Promise.all(postponed.splice(0).map((expected) => send(expected, false)));
    },
  };
}
