/** The slots that this process owns. */
export interface Leases {
  /**
   * Registers the interest in a destination. Resolves when its first share is known; later calls
   * resolve at once. Rejects with a StoreError if the database does not answer: then it can be
   * called again.
   */
  join(destination: string): Promise<void>;
  /**
   * The slots from which this process may claim now, with their epochs. Empty while the lease is
   * in doubt. Without those that are to be given back.
   */
  claimable(destination: string): ReadonlyMap<number, number>;
  /**
   * Whether a claim that was made under this epoch of the slot still belongs to this process, as
   * far as it knows: nobody else has taken the slot, and the lease is not in doubt.
   */
  isOwned(destination: string, slot: number, epoch: number): boolean;
  /**
   * Calls the listener when slots were gained or lost, or when the server was restarted or another
   * one has taken over: then everything in memory about the queue has to be read again. A slot
   * whose epoch has changed is in both lists.
   */
  onChange(listener: (change: LeaseChange) => void): () => void;
  /**
   * Tells the leases which slots still have claims: they are given back when they have none. A slot
   * counts as soon as an event of it is selected for a claim, before the event is read.
   */
  heldSlots(slots: (destination: string) => ReadonlySet<number>): void;
}

/** What has changed at one destination. */
export interface LeaseChange {
  readonly destination: string;
  readonly gained: readonly number[];
  readonly lost: readonly number[];
  /** What was read from the queue may be wrong. */
  readonly isServerChanged: boolean;
}

/** Work that one replica at a time carries out. */
export interface TaskLease {
  /**
   * While this process may work on the task: the epoch of its row in `tasks`. Who changes something
   * locks that row with this owner and this epoch FOR KEY SHARE in the same transaction, so that a
   * process that was stopped for a while changes nothing. Undefined while another one has the task
   * or the lease is in doubt.
   */
  epoch(): number | undefined;
  /** Calls the listener after this process has got or lost the task. */
  onChange(listener: () => void): () => void;
}

export interface Tasks {
  /** The lease of this task, which this process takes when nobody else has it. */
  lease(name: string): TaskLease;
}
