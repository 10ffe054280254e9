import type { EnrichRequest } from '../capillary/enricher.ts';
import type { EnrichConfig } from '../config/enrich-config.ts';
import { PRIORITY, type Priority } from './api-call-queue.ts';
import type { Waiter } from './shared-fetch.ts';
import type { StageClock } from './stage-clock.ts';

/** When an event wants its answer; monotonic ms. */
export interface EventTimes extends Pick<Waiter<never>, 'due' | 'servedFrom' | 'deadline' | 'priority'> {
  /** A call that can only start later is not worth waiting for. */
  readonly lastStart: number;
  /** Counts to the share of batch jobs. */
  readonly isFlood: boolean;
}

/**
 * So much of `coalesce` after the event Capillary has booked what belongs to it. Less than all, so
 * that the later events of a purchase are served by the call of the first.
 */
const SERVED_SHARE = 1 / 3;
/** An answer takes some time too. */
const MAX_ANSWER_TIME_MS = 5_000;
const ANSWER_TIME_SHARE = 1 / 10;

function priorityOf(purpose: EnrichRequest['purpose'], isFlood: boolean): Priority {
  if (purpose !== 'live') return PRIORITY[purpose];
  return isFlood ? PRIORITY.flood : PRIORITY.live;
}

/** The longest wait begins with the claim: events of a backlog have been waiting for others. */
export function timesOf(
  { receivedAt, purpose }: Pick<EnrichRequest, 'receivedAt' | 'purpose'>,
  isFlood: boolean,
  { coalesce, maxDelay }: Pick<EnrichConfig, 'coalesce' | 'maxDelay'>,
  clock: Pick<StageClock, 'now' | 'monotonic'>,
): EventTimes {
  const now = clock.monotonic();
  const received = now - Math.max(0, clock.now() - receivedAt);
  // Waiting for the rest of a purchase may not use up the longest wait.
  const gathering = Math.min(coalesce, maxDelay / 2);
  const deadline = now + maxDelay;
  return {
    due: received + gathering,
    servedFrom: received + gathering * SERVED_SHARE,
    deadline,
    lastStart: deadline - Math.min(MAX_ANSWER_TIME_MS, maxDelay * ANSWER_TIME_SHARE),
    priority: priorityOf(purpose, isFlood),
    isFlood: isFlood && purpose === 'live',
  };
}
