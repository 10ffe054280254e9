/** An event that this process has claimed. */
export interface HeldClaim {
  readonly token: string;
  readonly receipt: string;
  readonly destination: string;
  readonly source: string;
  readonly isReplay: boolean;
  /** With `pos`: the entry of the queue. An event that was queued again has another entry. */
  readonly stream: number;
  readonly pos: number;
  readonly seq: number;
  readonly day: number;
  readonly lane: string | null;
  readonly laneKey: number;
  /** Of the slot when the event was claimed. */
  readonly epoch: number;
}

/** What became of a claim in the database. */
export type ClaimEnd =
  /** Its entry has left the queue: the next one of the lane follows. */
  | { readonly kind: 'left' }
  /** It stays in the queue and is due at this time of the engine's clock, in epoch ms. */
  | { readonly kind: 'waiting'; readonly dueAt: number }
  /** Its entry is as before and can be claimed again. */
  | { readonly kind: 'released' }
  /** Its entry is gone or its slot lost: whoever has it now goes on. */
  | { readonly kind: 'lost' };

/** The claims of this process. */
export interface HeldClaims {
  /** Undefined if the event is not claimed under this token. */
  find(token: string, receipt: string): HeldClaim | undefined;
  /**
   * Ends claims after their transaction was committed. Resolves when the next events of their lanes
   * can be claimed, and has called the listeners of `onClaimable`.
   */
  end(ends: readonly { readonly claim: HeldClaim; readonly end: ClaimEnd }[]): Promise<void>;
  /**
   * This process has taken pending entries of the destination out of the queue other than by `end`:
   * they were moved by an alias or rerouted. Call it after the commit, for the destination and the
   * one to which they were rerouted.
   */
  lanesMoved(destination: string): void;
  /**
   * The head of a lane's queue, if this process has claimed it: a rerouted event does not overtake
   * it.
   */
  claimedHead(queue: LaneQueueKey): ClaimedHead | undefined;
}

export interface LaneQueueKey {
  readonly destination: string;
  readonly lane: string;
  readonly isReplay: boolean;
}

/** Its entry in the queue. */
export type ClaimedHead = Pick<HeldClaim, 'stream' | 'pos' | 'seq'>;
