import type { DestinationConfig } from '../config/config-schema.ts';
import type { ClaimedEvent, Journal, Settlement } from '../journal/journal.ts';
import type { ProgramCatalogue } from '../mapping/program-catalogue.ts';
import type { Batcher, Submitted } from './batcher.ts';
import { MAPPED_PER_TURN } from './claim-limits.ts';
import type { DeliveryObserver } from './delivery-observer.ts';
import type { Waits } from './enriching.ts';
import { addOutcome, createInFlight, type InFlight, settlementOfAll } from './in-flight.ts';
import type { MappingParts } from './mapping-parts.ts';
import type { MessageOutcome } from './outcome.ts';
import type { SuspectHistory } from './poison.ts';
import type { Prepared } from './prepare.ts';
import { createPreparer, type PreparerParts } from './preparer.ts';
import { createInFlightCounter, createYieldingQueue, pause } from './scheduling.ts';
import { createSettler, JOURNAL_RETRY_MS } from './settler.ts';
import { withWatch } from './watch-choice.ts';

/** Processes claimed events in arrays: map, send through the batcher, settle. */
export interface Pipeline {
  /** Queues events for processing. @param token of their claim */
  push(token: string, events: readonly ClaimedEvent[]): void;
  /** Takes the outcomes of messages that were submitted to the batcher. */
  takeOutcomes(sent: readonly Submitted<InFlight>[], outcomes: readonly MessageOutcome[]): void;
  /** Events waiting to be mapped. */
  readonly waiting: number;
  /** Events being processed. */
  readonly started: number;
  /** Those of them that wait for their enrichment. */
  readonly waits: Waits;
  /** Total body size of the events that wait or are being processed. */
  readonly bytes: number;
  /** Releases the events waiting to be mapped. */
  releaseWaiting(): void;
  /** Releases the events that wait for their enrichment. */
  releaseWaits(reason: string): void;
  /** Resolves as soon as no event is being processed. */
  whenIdle(): Promise<void>;
}

export interface PipelineParts {
  readonly destination: DestinationConfig;
  /** Read once when the processing of events begins, so that none is mapped with two of them. */
  readonly mapping: () => MappingParts;
  readonly journal: PreparerParts['journal'] & Pick<Journal, 'settle' | 'release'>;
  readonly programs: ProgramCatalogue;
  readonly observer: Pick<DeliveryObserver, 'eventsSettled' | 'errorCaught'>;
  readonly batcher: Pick<Batcher<InFlight>, 'submit'>;
  readonly suspects: SuspectHistory;
  /** Maximum number of messages per request. */
  readonly maxMessages: number;
  /** Epoch ms. */
  readonly now: () => number;
  /** Aborted when the relay stops. */
  readonly signal: AbortSignal;
  /** Called when an event no longer waits for its enrichment. */
  readonly onWaitEnded: () => void;
  /** Called after outcomes were recorded. */
  readonly onRecorded: () => void;
  /** Called when the processing of events has ended, whatever their outcome. */
  readonly onEnded: (events: readonly ClaimedEvent[]) => void;
  /** Called after each turn of the event loop in which events were mapped. */
  readonly afterTurn: () => void;
}

export function createPipeline(parts: PipelineParts): Pipeline {
  const { destination, observer, batcher, suspects, maxMessages, signal } = parts;
  const started = createInFlightCounter();
  let bytes = 0;

  const settler = createSettler({
    destination: destination.name,
    journal: parts.journal,
    observer,
    suspects,
    signal,
    onRecorded: parts.onRecorded,
    onEnded: (ended) => {
      const events = ended.map(({ event }) => event);
      for (const { body } of events) bytes -= body.length;
      started.remove(events.length);
      parts.onEnded(events);
    },
  });

  const releaseAfterError = async (all: readonly InFlight[], error: unknown): Promise<void> => {
    const [first] = all;
    const what = all.length === 1 ? `event ${first?.event.receipt} is` : `${all.length} events are`;
    observer.errorCaught(destination.name, `${what} released to the journal after an error`, error);
    await pause(JOURNAL_RETRY_MS, signal);
    for (const inFlight of all) settler.release(inFlight);
  };

  const end = (inFlight: InFlight, prepared: Prepared): void => {
    let settlement: Settlement | undefined;
    try {
      settlement = settlementOfAll(inFlight, prepared, destination.retry, parts.now());
    } catch (error) {
      void releaseAfterError([inFlight], error);
      return;
    }
    if (settlement === undefined) {
      settler.release(inFlight);
      return;
    }
    if (settlement.state === 'pending' && settlement.enrichment !== undefined)
      preparer.remember(settlement.receipt);
    settler.settle(inFlight, withWatch(settlement, inFlight.results, destination.reconcile));
  };

  const send = (inFlight: InFlight, prepared: Prepared): void => {
    inFlight.prepared = prepared;
    const messages = prepared.kind === 'messages' ? prepared.messages : [];
    if (messages.length === 0) {
      end(inFlight, prepared);
      return;
    }
    const { receipt, failedAttempts } = inFlight.event;
    const isSuspect = failedAttempts > 0 || suspects.lastFailedAt(receipt) !== undefined;
    const maxBatchSize = isSuspect
      ? suspects.maxBatchSize(receipt, failedAttempts, maxMessages)
      : maxMessages;
    inFlight.outstanding = messages.length;
    for (const message of messages) batcher.submit(message, maxBatchSize, inFlight);
  };

  const preparer = createPreparer({
    destination,
    journal: parts.journal,
    programs: parts.programs,
    observer,
    now: parts.now,
    onPrepared: send,
    onUnknownSource: (inFlight) => settler.release(inFlight),
    onWaitEnded: parts.onWaitEnded,
    onReleased: (inFlight) => settler.release(inFlight),
    onStoreError: (all, error) => void releaseAfterError(all, error),
  });

  const queue = createYieldingQueue<InFlight>(
    MAPPED_PER_TURN,
    (array) => {
      started.add(array.length);
      preparer.prepare(array, parts.mapping());
    },
    parts.afterTurn,
  );

  return {
    push(token, events) {
      for (const event of events) bytes += event.body.length;
      queue.push(events.map((event) => createInFlight(token, event)));
    },
    takeOutcomes(sent, outcomes) {
      for (const [position, { message, owner }] of sent.entries()) {
        const outcome = outcomes[position];
        if (outcome === undefined || owner.prepared === undefined) continue;
        if (addOutcome(owner, message, outcome)) end(owner, owner.prepared);
      }
    },
    get waiting() {
      return queue.waiting;
    },
    get started() {
      return started.count;
    },
    waits: preparer.waits,
    get bytes() {
      return bytes;
    },
    releaseWaiting() {
      const waiting = queue.clear();
      started.add(waiting.length);
      for (const inFlight of waiting) settler.release(inFlight);
    },
    releaseWaits: (reason) => preparer.release(reason),
    whenIdle: () => started.whenIdle(),
  };
}
