import type { Percentiles } from '../statistics.ts';

/** Instructions for a sender. */
export interface SendJob {
  /** URL of the webhook. */
  readonly url: string;
  readonly connections: number;
  readonly events: EventSpec;
  /** How the sender authenticates: a header with the secret, or with an HMAC of the body. */
  readonly proof: { readonly type: 'header' | 'hmac'; readonly header: string; readonly secret: string };
  /**
   * Events per second, each sent when it is due; absent: each connection sends after each response.
   */
  readonly rate?: number;
  /** Requests may fail; a broken connection is opened again. Otherwise any failure ends the run. */
  readonly isPatient?: boolean;
}

export interface EventSpec {
  readonly count: number;
  /**
   * `mixed`: the 14 documented events in rotation, about 1 KB each. A number: `pointsIssued` events
   * with a body of this many bytes.
   */
  readonly body: 'mixed' | number;
  /**
   * Number of customers, chosen at random for each event; `hot`: all events are of one separate
   * customer.
   */
  readonly customers: number | 'hot';
  /** Jobs with different seeds have different events. */
  readonly seed: number;
}

/** Result of a job. */
export interface SendResult {
  readonly sent: number;
  /** Status 0: the connection was refused, or broke before the response. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Longest time without a response of status 200, ms. */
  readonly longestGapMs: number;
  /** From the first request to the last response. */
  readonly tookMs: number;
  /** From the time when a request was due until its response, ms. */
  readonly times: Percentiles;
}
