import type { Enricher } from '../capillary/enricher.ts';
import { type Journal, type NewEvent, StoreError } from '../journal/journal.ts';
import type { DeliveryObserver } from './delivery-observer.ts';
import type { Enriched } from './enriched-event.ts';
import { createEnriching, type Waits } from './enriching.ts';
import { foundMerge, MERGE_CHECK_MS } from './found-merge.ts';
import type { InFlight } from './in-flight.ts';
import { addEntities, type Prepared, type PrepareParts, type ReadEvent } from './prepare.ts';
import { markEnriched } from './spans.ts';

/** An event that was read. */
export interface Started {
  readonly inFlight: InFlight;
  readonly read: ReadEvent;
  /** Those at the time when the event was read, so that none is mapped with two of them. */
  readonly parts: PrepareParts;
}

export interface EnrichmentStepParts<Turn> {
  readonly journal: Pick<Journal, 'append' | 'holds' | 'enrichments'>;
  readonly observer: Pick<DeliveryObserver, 'errorCaught'>;
  /** Epoch ms. */
  readonly now: () => number;
  /** Called when an event does not wait any more, before any of the others. */
  readonly onWaitEnded: () => void;
  /** Called with each event to be mapped; without `turn` if it has waited. */
  readonly proceed: (started: Started, turn?: Turn) => void;
  /** Called with each event that is not to be mapped. */
  readonly onPrepared: (inFlight: InFlight, prepared: Prepared) => void;
  /** Called with events whose wait was ended, or whose claim was lost meanwhile. */
  readonly onReleased: (inFlight: InFlight) => void;
  readonly onStoreError: (inFlight: InFlight, error: StoreError) => void;
}

/** Completes events between reading and mapping. One that waits does not hold up the others. */
export interface EnrichmentStep<Turn> {
  begin(started: Started, enricher: Enricher, turn: Turn): void;
  readonly waits: Waits;
  /** The event is going to be claimed again: what was fetched for it is in the journal. */
  remember(receipt: string): void;
  /** Releases all events that wait. Those that begin later wait again. */
  release(reason: string): void;
}

export function createEnrichmentStep<Turn>(parts: EnrichmentStepParts<Turn>): EnrichmentStep<Turn> {
  const { journal, observer, now, proceed, onPrepared, onReleased, onStoreError } = parts;
  const enriching = createEnriching(parts);

  /** The merge event is in the journal before its victim waits for it. */
  const waitForMerge = async (
    { inFlight, parts: { destination } }: Started,
    merge: NewEvent | undefined,
  ): Promise<void> => {
    try {
      if (merge !== undefined) await journal.append([merge]);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      onStoreError(inFlight, error);
      return;
    }
    onPrepared(inFlight, {
      kind: 'postponed',
      reason: 'merged',
      detail: 'its customer was merged into another one: it waits for the merge',
      // A claim counts longer waits as over.
      dueIn: Math.min(MERGE_CHECK_MS, destination.retry.maxDelay),
      notes: [],
    });
  };

  const finish = (started: Started, enriched: Enriched | undefined, turn?: Turn): void => {
    if (enriched === undefined) {
      proceed(started, turn);
      return;
    }
    const { inFlight, read, parts: used } = started;
    inFlight.enriched = enriched;
    if (inFlight.span !== undefined) markEnriched(inFlight.span, enriched);
    const maxDelay = used.source.enrich?.maxDelay ?? 0;
    const merge = foundMerge(inFlight.event, read.capillary, enriched, { now: now(), maxDelay });
    if (merge.kind === 'expected') void waitForMerge(started, merge.append);
    else proceed({ ...started, read: addEntities(read, enriched) }, turn);
  };

  /** What enrichment cannot do must not keep an event from its delivery. */
  const goOnAsItCame = (started: Started, error: unknown, turn?: Turn): void => {
    const { destination } = started.parts;
    const message = `event ${started.inFlight.event.receipt} could not be enriched`;
    observer.errorCaught(destination.name, message, error);
    proceed(started, turn);
  };

  const finishLater = async (started: Started, asked: Promise<Enriched | undefined>): Promise<void> => {
    const { inFlight } = started;
    let enriched: Enriched | undefined;
    try {
      enriched = await asked;
    } catch (error) {
      if (enriching.isEnd(error)) onReleased(inFlight);
      else if (error instanceof StoreError) onStoreError(inFlight, error);
      else goOnAsItCame(started, error);
      return;
    }
    if (journal.holds(inFlight.event.receipt)) finish(started, enriched);
    else onReleased(inFlight);
  };

  return {
    begin(started, enricher, turn) {
      const { inFlight, read } = started;
      let asked: ReturnType<typeof enriching.ask>;
      try {
        asked = enriching.ask(inFlight.event, read.capillary, enricher);
      } catch (error) {
        goOnAsItCame(started, error, turn);
        return;
      }
      if (asked instanceof Promise) void finishLater(started, asked);
      else finish(started, asked, turn);
    },
    waits: enriching,
    remember: (receipt) => enriching.remember(receipt),
    release: (reason) => enriching.end(reason),
  };
}
