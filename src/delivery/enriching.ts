import type { Enricher, Enrichment } from '../capillary/enricher.ts';
import type { Entities } from '../capillary/entities.ts';
import type { CapillaryEvent } from '../capillary/event.ts';
import { parseEntities } from '../capillary/stored-entities.ts';
import type { ClaimedEvent, EnrichmentParts, Journal, StoredEnrichment } from '../journal/journal.ts';
import { createRecentSet } from '../mapping/recent-cache.ts';
import { splitStale, withStale } from './stale-entities.ts';
import type { Enriched } from './enriched-event.ts';
import { monotonic } from './scheduling.ts';

/** Events that wait for what they lack. */
export interface Waits {
  readonly events: number;
  /** Total size of their bodies. */
  readonly bytes: number;
}

/** Asks for what claimed events lack, and for what was stored with those that were tried before. */
export interface Enriching extends Waits {
  /**
   * @returns undefined if the event lacks nothing; at once if nothing has to be waited for
   * @throws (also as a rejection) StoreError; the reason of `end` if it was called meanwhile
   */
  ask(
    event: ClaimedEvent,
    capillary: CapillaryEvent,
    enricher: Enricher,
  ): Enriched | undefined | Promise<Enriched | undefined>;
  /** The event is going to be claimed again: what was fetched for it is in the journal. */
  remember(receipt: string): void;
  /** Ends all waits: the events are released. Those that are asked for later wait again. */
  end(reason: string): void;
  /** Whether an error of `ask` is the end of its wait. */
  isEnd(error: unknown): boolean;
}

export interface EnrichingParts {
  readonly journal: Pick<Journal, 'enrichments'>;
  /** Called when an event does not wait any more. */
  readonly onWaitEnded: () => void;
}

/** Events that are remembered as stored with what was fetched for them: at least, at most twice. */
const REMEMBERED_EVENTS = 2_000;

/** The reason of an ended wait. */
class WaitEnded extends Error {
  override name = 'WaitEnded';
}

function toEnriched(
  { entities, missing }: Partial<Enrichment>,
  before: Entities | undefined,
  refresh: StoredEnrichment['refresh'],
  waitedMs: number,
): Enriched | undefined {
  const known = entities ?? before;
  if (known === undefined && refresh === undefined) return undefined;
  return {
    entities: known ?? {},
    stored: before ?? {},
    waitedMs,
    ...(missing === undefined ? {} : { missing }),
    ...(refresh === undefined ? {} : { refresh }),
  };
}

export function createEnriching({ journal, onWaitEnded }: EnrichingParts): Enriching {
  let events = 0;
  let bytes = 0;
  let waiting = new AbortController();
  const remembered = createRecentSet<string>(REMEMBERED_EVENTS);
  /** Receipts of this turn of the event loop that are looked up together. */
  let lookup:
    | { readonly receipts: string[]; readonly answer: Promise<ReadonlyMap<string, StoredEnrichment>> }
    | undefined;

  const storedOf = async (receipt: string): Promise<StoredEnrichment | undefined> => {
    if (lookup === undefined) {
      const receipts: string[] = [];
      const answer = Promise.resolve().then(() => {
        lookup = undefined;
        return journal.enrichments(receipts);
      });
      lookup = { receipts, answer };
    }
    lookup.receipts.push(receipt);
    return (await lookup.answer).get(receipt);
  };

  /** A new event has nothing stored, and asking the journal would cost a call. */
  const mayBeStored = ({ receipt, isReplay, failedAttempts, delivered }: ClaimedEvent): boolean =>
    isReplay || failedAttempts > 0 || delivered.length > 0 || remembered.has(receipt);

  const request = (
    event: ClaimedEvent,
    capillary: CapillaryEvent,
    enricher: Enricher,
    { stored, refresh }: { readonly stored?: Entities | undefined; readonly refresh?: EnrichmentParts } = {},
  ): Enrichment | Promise<Enrichment> | undefined =>
    enricher.enrich({
      event: capillary,
      receivedAt: event.receivedAt,
      purpose: refresh !== undefined ? 'refresh' : event.isReplay ? 'replay' : 'live',
      ...(refresh === undefined ? {} : { parts: { customer: refresh.customer, bill: refresh.bill } }),
      stored,
      signal: waiting.signal,
    });

  /** @param work is given the time since the start of the wait, in ms */
  const wait = async (
    { body }: ClaimedEvent,
    work: (waitedMs: () => number) => Promise<Enriched | undefined>,
  ): Promise<Enriched | undefined> => {
    const startedAt = monotonic();
    events += 1;
    bytes += body.length;
    try {
      return await work(() => monotonic() - startedAt);
    } finally {
      events -= 1;
      bytes -= body.length;
      onWaitEnded();
    }
  };

  return {
    get events() {
      return events;
    },
    get bytes() {
      return bytes;
    },
    ask(event, capillary, enricher) {
      if (mayBeStored(event)) {
        const { signal } = waiting;
        return wait(event, async (waitedMs) => {
          const { entities, staleBefore, refresh } = (await storedOf(event.receipt)) ?? {};
          signal.throwIfAborted();
          const { stored, stale } = splitStale(parseEntities(entities), staleBefore);
          const more = refresh === undefined ? { stored } : { stored, refresh };
          const answer = await request(event, capillary, enricher, more);
          const { answered, unchanged } = withStale(answer ?? {}, stored, stale);
          return toEnriched(answered, unchanged, refresh, waitedMs());
        });
      }
      const answer = request(event, capillary, enricher);
      return answer instanceof Promise
        ? wait(event, async (waitedMs) => toEnriched(await answer, undefined, undefined, waitedMs()))
        : answer && toEnriched(answer, undefined, undefined, 0);
    },
    remember: (receipt) => remembered.add(receipt),
    end(reason) {
      waiting.abort(new WaitEnded(reason));
      waiting = new AbortController();
    },
    isEnd: (error) => error instanceof WaitEnded,
  };
}
