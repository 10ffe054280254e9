/** Times in ms; tests shorten them. */
export interface FleetTiming {
  /** Between two heartbeats. */
  readonly beat: number;
  /** A replica whose last heartbeat is older is dead by the database's clock. */
  readonly lease: number;
  /** So long before the end of its lease a replica stops to trust it. */
  readonly margin: number;
  /**
   * So long after an outage nobody takes slots from a replica that seems to be dead: it may only
   * not be connected again yet. Longer than a connection waits for its next attempt.
   */
  readonly grace: number;
  /** Longest wait until the claims of a slot that is to be given back have ended. */
  readonly drain: number;
  /** How often it is looked whether they have. */
  readonly drainCheck: number;
  /** Between two notifications of one replica. */
  readonly notify: number;
  /** Silence after which the row of a replica is removed. */
  readonly forget: number;
}

export const FLEET_TIMING: FleetTiming = {
  beat: 1_000,
  lease: 5_000,
  margin: 1_000,
  grace: 4_000,
  drain: 15_000,
  drainCheck: 50,
  notify: 25,
  forget: 60_000,
};

/** Clocks of this machine in ms. */
export interface FleetClocks {
  readonly monotonic: () => number;
  /** Epoch ms. */
  readonly wall: () => number;
}

export const SYSTEM_CLOCKS: FleetClocks = { monotonic: () => performance.now(), wall: () => Date.now() };
