/* What is fetched for events from Capillary's API, and what is still to be fetched for them. */

/** Parts of an event that could not be fetched when it was sent, or that were fetched now. */
export interface EnrichmentParts {
  /** The customer's profile. Of all events of a lane the newest one alone is refreshed. */
  readonly customer: boolean;
  /** The lines of this event's bill. */
  readonly bill: boolean;
}

/** What a settlement records about the enrichment of its event. A stale one records nothing. */
export interface SettledEnrichment {
  /** JSON; stored and erased like the body. Replaces what was stored. Absent: nothing changes. */
  readonly entities?: string;
  /** The event is to be refreshed in `dueIn` ms. Only of a delivered event; else it is ignored. */
  readonly missing?: EnrichmentParts & { readonly dueIn: number };
  /** Missing after many refreshes, and not asked for again: the journal does nothing with it. */
  readonly abandoned?: EnrichmentParts;
  /**
   * Fetched and delivered: ends the refresh of these parts: the customer's of the whole lane, the
   * bill's of this event. Only of a delivered event; else it is ignored.
   */
  readonly refreshed?: EnrichmentParts;
}

/** What is stored about the enrichment of an event. */
export interface StoredEnrichment {
  /** As the last settlement gave it. */
  readonly entities?: string;
  /**
   * Epoch ms, of an event that is pending because of a replay with `refetch`: what was fetched
   * before is to be fetched again, and is used if that fails. Only with `entities`.
   */
  readonly staleBefore?: number;
  /**
   * While the event is pending because of a refresh: what is to be fetched. Neither part if another
   * event of the lane has taken over or fetched what was missing: then nothing is to be sent.
   * `attempts`: how many refreshes of it ended with something missing.
   */
  readonly refresh?: EnrichmentParts & { readonly attempts: number };
}

export interface RefreshRequest {
  /** Only events of these sources at these destinations. */
  readonly routes: readonly { readonly source: string; readonly destination: string }[];
  /** At most so many of them are pending at a time, over all processes. */
  readonly running: number;
}

/** Events of a source that wait for a refresh, or are pending because of one. */
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
  readonly oldestAt: number;
}

/**
 * Refreshes. A delivered event whose settlement says `missing` waits for a refresh. The customer's
 * part, and the time since when it has been waiting, move to it from all other events of the lane;
 * those that have no part left stop waiting. When lanes are merged the part of the newest event
 * remains. `refreshed` ends the customer's part of the whole lane, whoever had it. An event without
 * a lane has its parts for itself.
 *
 * `refresh` makes events pending whose time has come, the newest in the order of acceptance first.
 * They wait in the queue of replays, like replayed ones in the order of acceptance if one call adds
 * several of a lane. They keep body, `_id` suffix and number of replays, and lose notes and what
 * counts as delivered. Their history names the refresh, as an action of `relay`. While one is
 * pending `enrichments` says what is to be fetched. Its next final settlement ends the refresh: of
 * a delivered one with `missing` it waits again, `attempts` grows by one, and the time since when
 * it has been waiting stays; any other one is done.
 *
 * An event whose body is gone is dropped by `refresh`; one whose content was erased, or which an
 * operator replays, no longer waits. A reroute takes along those that are pending.
 *
 * Entities. They are encrypted, checked, kept and erased like the body of their event; `replay`
 * with `refetch` makes them stale until the next final settlement. An event whose entities cannot
 * be read has none; that is reported once.
 */
export interface Enrichments {
  /** Of these events; those of which nothing is stored are omitted. */
  enrichments(receipts: readonly string[]): Promise<ReadonlyMap<string, StoredEnrichment>>;
  /**
   * Makes events pending that are due for a refresh, until `running` of the routes are.
   * @returns how many were made pending, and how many could not be because their body is gone
   */
  refresh(request: RefreshRequest): Promise<{ readonly started: number; readonly dropped: number }>;
  /** By source and destination, in this order; those without any are omitted. */
  refreshes(): Promise<readonly RefreshBacklog[]>;
}
