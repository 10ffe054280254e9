/* What is fetched for events from Capillary's API, and what is still to be fetched for them. */

/** Parts of an event that could not be fetched when it was sent, or that were fetched now. */
export interface EnrichmentParts {
  /** The customer's profile. Of all events of a lane the newest one alone is refreshed. */
  readonly customer: boolean;
  /** The lines of this event's bill. */
  readonly bill: boolean;
}

/** What a settlement records about the enrichment of its event. */
export interface SettledEnrichment {
  /** JSON; stored and erased like the body. Replaces what was stored. Absent: nothing changes. */
  readonly entities?: string;
  /** The event is to be refreshed in `dueIn` ms. */
  readonly missing?: EnrichmentParts & { readonly dueIn: number };
  /**
   * Fetched and delivered: ends the refresh of these parts: the customer's of the whole lane, the
   * bill's of this event.
   */
  readonly refreshed?: EnrichmentParts;
}

/** What is stored about the enrichment of an event. */
export interface StoredEnrichment {
  /** As the last settlement gave it. */
  readonly entities?: string;
  /** While the event is pending because of a refresh: what is to be fetched. */
  readonly refresh?: EnrichmentParts & { readonly attempts: number };
}

export interface RefreshRequest {
  /** Only events of these sources at these destinations. */
  readonly routes: readonly { readonly source: string; readonly destination: string }[];
  /** At most so many of them are pending at a time, over all processes. */
  readonly running: number;
}

/** Events of a source that wait for a refresh. */
export interface RefreshBacklog {
  readonly source: string;
  readonly destination: string;
  /** Customers whose profiles are to be refreshed. */
  readonly customers: number;
  /** Bills whose lines are to be fetched. */
  readonly bills: number;
  /** Pending because of a refresh. */
  readonly running: number;
  /** Epoch ms since when the oldest of them has been waiting. */
  readonly oldestAt?: number;
}

/**
 * Refreshes. A settlement that says `missing` adds its event to those that wait for a refresh; the
 * customer's part moves from the earlier events of the lane to this one, which is the newest. A
 * refresh makes the event pending in the queue of replays, newest first, and keeps its body, its
 * `_id` and its history. While it is pending `enrichments` says what to fetch. Its next final
 * settlement ends the refresh: with `missing` it waits again and `attempts` grows, without it is
 * done. An event whose body is gone is dropped. A replay by an operator ends the refresh.
 *
 * Entities. They are encrypted, checked, kept and erased like the body of their event; `replay`
 * with `refetch` removes them. An event whose entities are damaged has none.
 */
export interface Enrichments {
  /** Of these events; those of which nothing is stored are omitted. */
  enrichments(receipts: readonly string[]): Promise<ReadonlyMap<string, StoredEnrichment>>;
  /**
   * Makes events pending that are due for a refresh, until `running` of the routes are.
   * @returns how many were made pending, and how many could not be because their body is gone
   */
  refresh(request: RefreshRequest): Promise<{ readonly started: number; readonly dropped: number }>;
  /** By source and destination; those without any are omitted. */
  refreshes(): Promise<readonly RefreshBacklog[]>;
}
