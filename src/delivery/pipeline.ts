import type { DestinationConfig, SourceConfig } from '../config/config-schema.ts';
import { type ClaimedEvent, type Journal, type Settlement, StoreError } from '../journal/journal.ts';
import type { ProgramCatalogue } from '../mapping/program-catalogue.ts';
import { hitFailpoint } from '../telemetry/failpoints.ts';
import type { Batcher } from './batcher.ts';
import { MAPPED_PER_TURN } from './claim-limits.ts';
import type { ContactRegister } from './contact-register.ts';
import type { DeliveryObserver, MappingReport } from './delivery-observer.ts';
import {
  ALL_DELIVERED,
  effectsAfter,
  type MessageResult,
  settlementOf,
  withNotes,
} from './event-settlement.ts';
import { heldOutcome } from './outcome.ts';
import type { SuspectHistory } from './poison.ts';
import { type Prepared, prepare } from './prepare.ts';
import { createInFlightCounter, createYieldingQueue, pause } from './scheduling.ts';
import { traceMapping, traceSettlement } from './spans.ts';

/** Delay before a failed call of the journal is repeated. */
export const JOURNAL_RETRY_MS = 1_000;

/** Processes claimed events: map, send through the batcher, settle. */
export interface Pipeline {
  /** Queues events for processing. @param token of their claim */
  push(token: string, events: readonly ClaimedEvent[]): void;
  /** Events waiting to be mapped. */
  readonly waiting: number;
  /** Events being processed. */
  readonly started: number;
  /** Total body size of the events that wait or are being processed. */
  readonly bytes: number;
  /** Releases the events waiting to be mapped. */
  releaseWaiting(): Promise<void>;
  /** Resolves as soon as no event is being processed. */
  whenIdle(): Promise<void>;
}

/** What events are mapped with, besides the destination. */
export interface MappingParts {
  /** By name. */
  readonly sources: ReadonlyMap<string, SourceConfig>;
  readonly contacts: ContactRegister | undefined;
}

export interface PipelineParts {
  readonly destination: DestinationConfig;
  /** Read once when the processing of an event begins, so that none is mapped with two of them. */
  readonly mapping: () => MappingParts;
  readonly journal: Pick<Journal, 'profiles' | 'savePrograms' | 'settle' | 'release'>;
  readonly programs: ProgramCatalogue;
  readonly observer: Pick<DeliveryObserver, 'eventsSettled' | 'errorCaught'>;
  readonly batcher: Pick<Batcher, 'submit'>;
  readonly suspects: SuspectHistory;
  /** Maximum number of messages per request. */
  readonly maxMessages: number;
  /** Epoch ms. */
  readonly now: () => number;
  /** Aborted when the relay stops. */
  readonly signal: AbortSignal;
  /** Called after each outcome that the journal has recorded. */
  readonly onRecorded: () => void;
  /** Called when the processing of an event has ended, whatever its outcome. */
  readonly onEnded: (event: ClaimedEvent) => void;
  /** Called after each turn of the event loop in which mappings were started. */
  readonly afterTurn: () => void;
}

interface Claimed {
  readonly token: string;
  readonly event: ClaimedEvent;
}

export function createPipeline(parts: PipelineParts): Pipeline {
  const { destination, journal, programs, observer } = parts;
  const { batcher, suspects, maxMessages, now, signal } = parts;
  const started = createInFlightCounter();
  let bytes = 0;

  const prepareSafely = async (
    event: ClaimedEvent,
    source: SourceConfig,
    contacts: ContactRegister | undefined,
  ): Promise<Prepared> => {
    try {
      return await prepare(event, { destination, source, journal, programs, contacts, now: now() });
    } catch (error) {
      // A failing store is not the event's fault: the event is released and claimed again.
      if (error instanceof StoreError) throw error;
      observer.errorCaught(destination.name, `event ${event.receipt} could not be mapped`, error);
      return {
        kind: 'unusable',
        reason: 'mapping-failed',
        detail: 'the mapping failed; the log has the error',
        notes: [],
      };
    }
  };

  const sendAll = async (event: ClaimedEvent, prepared: Extract<Prepared, { kind: 'messages' }>) => {
    const maxBatchSize =
      event.failedAttempts > 0 || suspects.lastFailedAt(event.receipt) !== undefined
        ? suspects.maxBatchSize(event.receipt, event.failedAttempts, maxMessages)
        : maxMessages;
    const { messages, effects } = prepared;
    const outcomes = await Promise.all(messages.map((message) => batcher.submit(message, maxBatchSize)));
    const isUnsent = outcomes.every((outcome) => outcome.kind === 'held' && outcome.attempt === undefined);
    if (isUnsent && outcomes.length > 0) return undefined;
    const results = messages.map(
      (message, index): MessageResult => ({ message, outcome: outcomes[index] ?? heldOutcome('no outcome') }),
    );
    return settlementOf(event, results, effects, destination.retry, now());
  };

  /** Undefined if nothing was sent: the event is only released. */
  const settlementFor = (
    event: ClaimedEvent,
    prepared: Prepared,
  ): Settlement | Promise<Settlement | undefined> => {
    if (prepared.kind === 'messages') return sendAll(event, prepared);
    const common = { receipt: event.receipt, attempts: [], delivered: event.delivered };
    const { kind, reason } = prepared;
    return kind === 'ignored'
      ? { ...common, ...effectsAfter(prepared.effects, ALL_DELIVERED), state: kind, reason }
      : { ...common, state: 'dead', reason, detail: prepared.detail, sent: [] };
  };

  /** Repeats a failed settlement until the relay stops: what Adobe accepted must be recorded. */
  const record = async (
    token: string,
    event: ClaimedEvent,
    settlement: Settlement,
    mapping: MappingReport,
  ): Promise<void> => {
    let isStale: boolean;
    for (;;) {
      try {
        const { stale } = await journal.settle(token, [withNotes(settlement, mapping.notes)]);
        isStale = stale.length > 0;
        break;
      } catch (error) {
        const message = `the outcome of event ${event.receipt} could not be recorded`;
        observer.errorCaught(destination.name, message, error);
        if (signal.aborted) return;
        await pause(JOURNAL_RETRY_MS, signal);
      }
    }
    // A stale event is claimed again, in the lane of the customer that its own was merged into.
    const isFinal = !isStale && settlement.state !== 'pending';
    parts.onRecorded();
    if (isFinal) suspects.forget(event.receipt);
    if (isStale) return;
    observer.eventsSettled([{ event, settlement, ...(isFinal ? { mapping } : {}) }]);
  };

  /**
   * Ends claims. Repeats a failed release until the relay stops, because a claim that is not ended
   * lasts until then.
   */
  const release = async (token: string, events: readonly ClaimedEvent[]): Promise<void> => {
    const receipts = events.map(({ receipt }) => receipt);
    const what = receipts.length === 1 ? `event ${receipts[0]}` : `${receipts.length} events`;
    while (receipts.length > 0) {
      try {
        return await journal.release(token, receipts);
      } catch (error) {
        observer.errorCaught(destination.name, `${what} could not be released`, error);
        if (signal.aborted) return;
        await pause(JOURNAL_RETRY_MS, signal);
      }
    }
  };

  const processEvent = async ({ token, event }: Claimed): Promise<void> => {
    try {
      const { sources, contacts } = parts.mapping();
      const source = sources.get(event.source);
      // A reload has removed it after the claim.
      if (source === undefined) return await release(token, [event]);
      const prepared = await traceMapping(event, () => prepareSafely(event, source, contacts));
      const settlement = await settlementFor(event, prepared);
      if (settlement === undefined) await release(token, [event]);
      else {
        hitFailpoint('delivery-answered');
        await traceSettlement(event, settlement, () => record(token, event, settlement, prepared));
      }
    } catch (error) {
      const message = `event ${event.receipt} is released to the journal after an error`;
      observer.errorCaught(destination.name, message, error);
      await pause(JOURNAL_RETRY_MS, signal);
      await release(token, [event]);
    } finally {
      bytes -= event.body.length;
      started.decrement();
      parts.onEnded(event);
    }
  };

  const queue = createYieldingQueue<Claimed>(
    MAPPED_PER_TURN,
    (claimed) => {
      started.increment();
      void processEvent(claimed);
    },
    parts.afterTurn,
  );

  return {
    push(token, events) {
      for (const event of events) bytes += event.body.length;
      queue.push(events.map((event) => ({ token, event })));
    },
    get waiting() {
      return queue.waiting;
    },
    get started() {
      return started.count;
    },
    get bytes() {
      return bytes;
    },
    async releaseWaiting() {
      const removed = queue.clear();
      for (const { event } of removed) bytes -= event.body.length;
      for (const token of new Set(removed.map((claimed) => claimed.token)))
        await release(
          token,
          removed.filter((claimed) => claimed.token === token).map(({ event }) => event),
        );
    },
    whenIdle: () => started.whenIdle(),
  };
}
