import type { Claim, Claimant, ClaimLimits, Overdue } from '../../journal.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { slotOf } from '../engine/lane-keys.ts';
import type { Leases } from '../fleet/leases.ts';
import { ClaimBook } from './claim-book.ts';
import { DestinationQueue } from './destination-queue.ts';
import { EventHolds } from './event-holds.ts';
import type { ClaimEnd, HeldClaim, HeldClaims } from './held-claim.ts';
import type { LaneQueue } from './lane-heads.ts';
import type { LostEvent } from './payload-loss.ts';

/** Hands out the events in the slots that this process owns. */
export interface QueueOwner {
  claim(claimant: Claimant, limits: ClaimLimits): Promise<Claim>;
  release(token: string, receipts: readonly string[]): Promise<void>;
  /** See EventQueue. */
  holds(receipt: string): boolean;
  readonly claims: HeldClaims;
  /** See StoreStatus. Of the slots of this process. */
  overdue(): Promise<readonly Overdue[]>;
  /**
   * Everything but the claims has to be read again: another server answers, which may lack the
   * newest commits and may use their positions again.
   */
  restart(): void;
  /** The slots with claims that are not settled, or are being made. */
  heldSlots(destination: string): ReadonlySet<number>;
}

export interface QueueOwnerOptions {
  /** Called after the event has become a dead letter. */
  readonly onPayloadLost?: (lost: LostEvent) => void;
  /** ms by a clock that is never set. */
  readonly monotonic?: () => number;
}

export function createQueueOwner(
  engine: PostgresEngine,
  leases: Leases,
  { onPayloadLost = () => undefined, monotonic = () => performance.now() }: QueueOwnerOptions = {},
): QueueOwner {
  const parts = { engine, leases, holds: new EventHolds(), onPayloadLost, monotonic };
  const queues = new Map<string, DestinationQueue>();
  const book = new ClaimBook<DestinationQueue>();

  const queueOf = (destination: string): DestinationQueue => {
    let queue = queues.get(destination);
    if (queue === undefined) {
      queue = new DestinationQueue(destination, parts);
      queues.set(destination, queue);
    }
    return queue;
  };
  const heldSlots = (destination: string): ReadonlySet<number> =>
    new Set([...(queues.get(destination)?.table.claimed ?? [])].map(({ slot }) => slot));

  leases.heldSlots(heldSlots);
  leases.onChange(({ destination, lost, isServerChanged }) => {
    const queue = queues.get(destination);
    if (queue === undefined) return;
    book.removeHeads(new Set(queue.table.drop(new Set(lost), { claims: true })));
    if (isServerChanged) queue.upkeep.restart();
  });

  /** @param isAgain whether the listeners learn that the event itself can be claimed again */
  const endAll = async (
    ends: readonly { readonly claim: HeldClaim; readonly end: ClaimEnd }[],
    isAgain: boolean,
  ): Promise<void> => {
    const claimable = new Set<DestinationQueue>();
    const followed = new Map<DestinationQueue, LaneQueue[]>();
    for (const { claim, end } of ends) {
      const booked = book.remove(claim);
      if (booked === undefined) continue;
      const { head, queue } = booked;
      if (queue.hasWaiting(head) || (isAgain && (end.kind === 'released' || end.kind === 'lost')))
        claimable.add(queue);
      const of = head.lane?.queue(head.isReplay);
      if (of !== undefined) followed.set(queue, [...(followed.get(queue) ?? []), of]);
      if (end.kind === 'waiting') queue.table.release(head, end.dueAt);
      else if (end.kind === 'released') queue.table.release(head);
      else {
        // Its entry can still be there, if the lane became an alias while it was appended.
        if (end.kind === 'lost' && of !== undefined) of.hasMore = true;
        queue.table.leave(head);
      }
    }
    for (const [queue, lanes] of followed) {
      const loading = lanes.filter((of) => of.isLoading);
      if (loading.length === 0) continue;
      // If it fails, the next claim reads them.
      await queue.upkeep.load().catch(() => undefined);
      if (loading.some(({ head, lane }) => head !== undefined && lane.busy === undefined))
        claimable.add(queue);
    }
    for (const { destination } of claimable) engine.notifyClaimable(destination);
  };

  return {
    async claim(claimant, limits) {
      await leases.join(claimant.destination);
      const queue = queueOf(claimant.destination);
      return queue.claim(claimant, limits, ({ claim, head }) => book.add({ claim, head, queue }));
    },
    async release(token, receipts) {
      const held = receipts
        .map((receipt) => book.find(token, receipt))
        .filter((claim) => claim !== undefined);
      const end = { kind: 'released' } as const;
      await endAll(
        held.map((claim) => ({ claim, end })),
        false,
      );
    },
    holds(receipt) {
      const claim = book.of(receipt);
      return claim !== undefined && leases.isOwned(claim.destination, slotOf(claim.laneKey), claim.epoch);
    },
    claims: {
      find: (token, receipt) => book.find(token, receipt),
      end: (ends) => endAll(ends, true),
      lanesMoved: (destination) => queues.get(destination)?.upkeep.mustVerify(),
      claimedHead: ({ destination, lane, isReplay }) =>
        queues.get(destination)?.table.claimedHead(lane, isReplay),
    },
    async overdue() {
      const own = await Promise.all([...queues.values()].map((queue) => queue.overdue()));
      return own.flat();
    },
    restart() {
      for (const { upkeep } of queues.values()) upkeep.restart();
    },
    heldSlots,
  };
}
