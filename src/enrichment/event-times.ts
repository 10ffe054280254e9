import type { EnrichRequest } from '../capillary/enricher.ts';
import type { EnrichConfig } from '../config/enrich-config.ts';
import { PRIORITY, type Priority } from './api-call-queue.ts';
import type { Waiter } from './shared-fetch.ts';
import type { StageClock } from './stage-clock.ts';

/** When an event wants its answer; monotonic ms. */
export interface EventTimes extends Pick<Waiter<never>, 'due' | 'servedFrom' | 'deadline' | 'priority'> {
  readonly received: number;
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
/**
 * A live event is let wait only if its call can start in this share of the longest wait. Under a
 * load that lasts the queue stays as long as it may be: a longer one completes no more events, and
 * each of them waits for it.
 */
const LIVE_QUEUE_SHARE = 1 / 4;
/** The others have time. The rest of the longest wait is for the answer. */
const QUEUE_SHARE = 3 / 4;

function priorityOf(purpose: EnrichRequest['purpose'], isFlood: boolean): Priority {
  if (purpose !== 'live') return PRIORITY[purpose];
  return isFlood ? PRIORITY.flood : PRIORITY.live;
}

/**
 * The longest wait begins with the claim: events of a backlog have been waiting for others. Those
 * that waited behind an event of their customer whose wait was lost wait less: see LostWaits.
 */
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
  const queueShare = purpose === 'live' ? LIVE_QUEUE_SHARE : QUEUE_SHARE;
  return {
    due: received + gathering,
    servedFrom: received + gathering * SERVED_SHARE,
    deadline: now + maxDelay,
    received,
    lastStart: Math.min(now + maxDelay, Math.max(now, received + gathering) + maxDelay * queueShare),
    priority: priorityOf(purpose, isFlood),
    isFlood: isFlood && purpose === 'live',
  };
}
