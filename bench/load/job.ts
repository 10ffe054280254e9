import type { Percentiles } from '../statistics.ts';

/** What a sender is to send. */
export interface SendJob {
  /** The webhook. */
  readonly url: string;
  readonly connections: number;
  readonly events: EventsWanted;
  /** Proof of the sender: a header of its own, or an HMAC of the body in it. */
  readonly proof: { readonly type: 'header' | 'hmac'; readonly header: string; readonly secret: string };
  /** Events a second, each sent when it is due whatever became of those before; absent: as fast as they are answered. */
  readonly rate?: number;
}

export interface EventsWanted {
  readonly count: number;
  /**
   * `mixed`: the 14 documented events in turn, about 1 KB each. A number: one event of points issued in a body of so many bytes.
   */
  readonly body: 'mixed' | number;
  /** Different customers, dealt at random; `hot`: all of one, who is none of the others. */
  readonly customers: number | 'hot';
  /** Events of two jobs with different seeds are different ones. */
  readonly seed: number;
}

/** What came of it. Times in ms. */
export interface SendResult {
  readonly sent: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** From the first request to the last answer. */
  readonly tookMs: number;
  /** From when a request was due until its answer, ms. */
  readonly times: Percentiles;
}
