/** The slots that this process owns. */
export interface Leases {
  /**
   * Registers the interest in a destination. Resolves when its first share is known; later calls
   * resolve at once.
   */
  join(destination: string): Promise<void>;
  /**
   * The slots from which this process may claim now, with their epochs. Empty while the lease is
   * in doubt. Without those that are to be given back.
   */
  claimable(destination: string): ReadonlyMap<number, number>;
  /**
   * Calls the listener when slots were gained or lost, or when the server was restarted or another
   * one has taken over: then everything in memory about the queue has to be read again.
   */
  onChange(listener: (change: LeaseChange) => void): () => void;
  /** Tells the leases which slots still have claims: they are given back when they have none. */
  heldSlots(slots: (destination: string) => ReadonlySet<number>): void;
}

export interface LeaseChange {
  readonly destination: string;
  readonly gained: readonly number[];
  readonly lost: readonly number[];
  /** What was read from the queue may be wrong. */
  readonly isServerChanged: boolean;
}
