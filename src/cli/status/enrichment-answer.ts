/** How the events of one source are completed from Capillary's API. */
export interface EnrichmentStateAnswer {
  readonly source: string;
  /** `unavailable`: it does not answer, or refuses the credentials. */
  readonly api: { readonly state: string; readonly since: string; readonly reason?: string };
  readonly budget: { readonly callsPerMinute: number; readonly left: number; readonly pausedFor: number };
  readonly waiting: number;
  /** `complete`, `cached`, or the reason why something is missing → number of events. */
  readonly lastHour: Readonly<Record<string, number>>;
  readonly forbidden: readonly { readonly endpoint: string; readonly lack: string; readonly since: string }[];
  readonly masked: boolean;
  /** What was sent incomplete and waits to be completed. */
  readonly refreshes: {
    readonly customers: number;
    readonly bills: number;
    readonly running: number;
    readonly oldestAt?: string;
  };
}
