import { randomUUID } from 'node:crypto';
import type { Inlet, LastAnswer, TokenSource } from '../adobe/ports.ts';
import type { DestinationConfig, SourceConfig } from '../config/config-schema.ts';
import type { Journal } from '../journal/journal.ts';
import { hitFailpoint } from '../telemetry/failpoints.ts';
import { type Batcher, createBatcher } from './batcher.ts';
import {
  CLAIM_INTERVAL_MS,
  createReplayThrottle,
  freeRoom,
  MAX_EVENTS_PER_CLAIM,
  MAX_IN_FLIGHT_EVENTS,
} from './claim-limits.ts';
import type { ContactRegister } from './contact-register.ts';
import type { DeliveryObserver } from './delivery-observer.ts';
import { createDestinationState, type DestinationState } from './destination-state.ts';
import { createPace, type Pace } from './pace.ts';
import type { ProgramCatalogue } from '../mapping/program-catalogue.ts';
import type { InFlight } from './in-flight.ts';
import { type EnricherOf, toMappingParts } from './mapping-parts.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';
import { createSuspectHistory } from './poison.ts';
import { createRefusals } from './refusals.ts';
import { inletAnswer } from './request-report.ts';
import { createWaker, monotonic, pause } from './scheduling.ts';
import { createSender } from './sender.ts';
import { JOURNAL_RETRY_MS } from './settler.ts';
import { createThrottleNews, shareOfLimits } from './shared-limits.ts';

/** Time that requests in flight have to finish when the relay stops. */
const STOP_GRACE_MS = 5_000;

/** A claimant looks at least this often, because a wake-up can be lost. */
const MAX_POLL_INTERVAL_MS = 5_000;

export interface DispatcherParts {
  readonly destination: DestinationConfig;
  /** Sources that feed the destination, as configured now. */
  readonly sources: readonly SourceConfig[];
  readonly journal: Journal;
  readonly programs: ProgramCatalogue;
  readonly contacts?: ContactRegister | undefined;
  readonly enricherOf: EnricherOf;
  readonly inlet: Inlet;
  readonly tokens: TokenSource | undefined;
  readonly observer: DeliveryObserver;
  readonly now?: () => number;
  /** Whether events of a source must not be claimed now. */
  readonly isMoving: (source: string) => boolean;
  /** If it replaces another dispatcher: the pace of both, and epoch ms of the last success. */
  readonly pace?: Pace | undefined;
  readonly lastSuccessAt?: number | undefined;
}

/** Delivers the events of one destination: claims them and passes them through the pipeline. */
export interface Dispatcher {
  readonly state: DestinationState;
  readonly pace: Pace;
  start(): void;
  /** Maps what is claimed or begun from now on with these sources and contacts. */
  setSources(sources: readonly SourceConfig[], contacts: ContactRegister | undefined): void;
  /**
   * Claims no more, because another dispatcher takes over: resolves when everything in flight has
   * its outcome. It reports no further changes of state.
   * @param onReleased called when the other may find more to claim
   */
  retire(onReleased: () => void): Promise<void>;
  /**
   * Claims no more and waits for requests in flight, at most 5 s; what is not sent stays pending in
   * the journal. Idempotent.
   */
  stop(): Promise<void>;
  /** Looks at once for something to claim or to send. */
  wake(): void;
  /** Ends a wait, but not an operator's pause. */
  retryNow(): void;
  /** Another replica was asked to slow down for so many ms: this one does as if it had been. */
  slowDownFor(ms: number): void;
  /** Ends any wait or pause, including an operator's. */
  resume(): void;
  /** Of the inlet; undefined before the first request has ended. */
  readonly lastAnswer: LastAnswer | undefined;
  /** Events claimed and not settled. */
  readonly inFlight: number;
  /**
   * ms since the last progress: an outcome was recorded, events were claimed while none was in
   * flight, or the state changed. 0 while all events in flight wait for their enrichment.
   */
  readonly msSinceProgress: number;
}

export function createDispatcher(parts: DispatcherParts): Dispatcher {
  const { destination, journal, observer } = parts;
  const now = parts.now ?? Date.now;
  let mapping = toMappingParts(parts.sources, parts.contacts, parts.enricherOf);
  const claimant = { id: randomUUID(), destination: destination.name };
  const waker = createWaker();
  /** Ends claiming; `stopping` then ends what would go on until it succeeds. */
  const claiming = new AbortController();
  const stopping = new AbortController();
  const requests = new AbortController();
  const suspects = createSuspectHistory();
  const maxMessages = Math.min(destination.batch.maxMessages, destination.limits.messagesPerSecond);
  /** Events in flight over all replicas. */
  const most = Math.min(destination.limits.concurrency * maxMessages, MAX_IN_FLIGHT_EVENTS);
  const shareOf = shareOfLimits(journal, destination.name);
  const maxInFlight = (): number => Math.max(maxMessages, Math.ceil(most * shareOf()));
  const replayThrottle = createReplayThrottle(
    {
      messagesPerSecond: destination.limits.messagesPerSecond,
      messagesPerEvent: destination.profile?.write === 'assemble' ? 2 : 1,
      inFlight: Math.max(1, Math.floor(most / 4)),
      shareOf,
    },
    monotonic,
  );
  let progressAt = monotonic();
  let loop: Promise<void> | undefined;
  let lastAnswer: LastAnswer | undefined;
  let wakeSuccessor: (() => void) | undefined;

  const state = createDestinationState({
    retry: destination.retry,
    clocks: { now, monotonic },
    lastSuccessAt: parts.lastSuccessAt,
    onChange: (status) => {
      if (claiming.signal.aborted) return;
      progressAt = monotonic();
      observer.stateChanged(destination.name, status);
      waker.wake();
    },
  });
  const pace = parts.pace ?? createPace(destination.limits, undefined, shareOf);
  pace.setLimits(destination.limits);
  const refusals = createRefusals({ state });
  const batcher: Batcher<InFlight> = createBatcher({
    limits: { ...destination.batch, maxMessages },
    pace,
    signal: requests.signal,
    isMoreComing: () => pipeline.waiting > 0,
    onOutcomes: (sent, outcomes) => pipeline.takeOutcomes(sent, outcomes),
    send: createSender({
      destination: destination.name,
      inlet: parts.inlet,
      tokens: parts.tokens,
      flowIds: { event: destination.events.flowId, profile: destination.profile?.flowId ?? '' },
      state,
      pace,
      suspects,
      refusals,
      now,
      monotonic,
      holds: (receipt) => journal.holds(receipt),
      onThrottled: createThrottleNews(destination.name, { journal, state, now }),
      report: (report) => {
        lastAnswer = inletAnswer(report, now());
        observer.requestCompleted(report);
      },
    }),
  });
  const pipeline: Pipeline = createPipeline({
    destination,
    mapping: () => mapping,
    journal,
    programs: parts.programs,
    observer,
    batcher,
    suspects,
    maxMessages,
    now,
    signal: stopping.signal,
    onWaitEnded: () => {
      progressAt = monotonic();
    },
    onRecorded: () => {
      progressAt = monotonic();
    },
    onEnded: (events) => {
      for (const { isReplay } of events) if (isReplay) replayThrottle.release();
      state.endProbe();
      waker.wake();
      wakeSuccessor?.();
    },
    afterTurn: () => {
      batcher.flushDue();
      waker.wake();
    },
  });

  /** Claims as many events as the limits allow. @returns ms until the next claim is worthwhile */
  const claimNext = async (): Promise<number> => {
    const free = freeRoom(pipeline, maxInFlight());
    if (free === undefined) return Number.POSITIVE_INFINITY;
    const permit = state.permit();
    if (permit.kind === 'wait') return permit.ms;
    const { token, events, dueIn, replayDueIn } = await journal.claim(claimant, {
      sources: [...mapping.sources.keys()].filter((name) => !parts.isMoving(name)),
      events: permit.kind === 'probe' ? 1 : Math.min(free.events, MAX_EVENTS_PER_CLAIM),
      replays: replayThrottle.available(),
      bytes: free.bytes,
      // Only Adobe requests longer waits, and the state enforces those on its monotonic clock. A
      // probe is due when the state says so, whatever the waits of the events.
      maxWait: permit.kind === 'probe' ? 0 : destination.retry.maxDelay,
    });
    replayThrottle.consume(events.filter((event) => event.isReplay).length);
    if (pipeline.started === 0 && events.length > 0) progressAt = monotonic();
    if (events.length > 0) hitFailpoint('delivery-claimed');
    pipeline.push(token, events);
    if (permit.kind === 'probe') {
      if (events.length > 0) return Number.POSITIVE_INFINITY;
      state.endProbe();
    }
    const msUntilReplay = Math.max(replayDueIn ?? Infinity, replayThrottle.msUntilAvailable());
    return Math.min(dueIn ?? Infinity, msUntilReplay);
  };

  const run = async (): Promise<void> => {
    while (!claiming.signal.aborted) {
      let wait = JOURNAL_RETRY_MS;
      const startedAt = monotonic();
      try {
        wait = await claimNext();
      } catch (error) {
        observer.errorCaught(destination.name, 'no events could be claimed from the journal', error);
      }
      await waker.wait(Math.min(wait, MAX_POLL_INTERVAL_MS), claiming.signal);
      if (wait > 0) await pause(startedAt + CLAIM_INTERVAL_MS - monotonic(), claiming.signal);
    }
  };

  const endClaiming = async (reason: string): Promise<void> => {
    claiming.abort();
    await loop;
    pipeline.releaseWaiting();
    pipeline.releaseWaits(reason);
    batcher.releaseWaiting(reason);
    refusals.close();
  };

  return {
    state,
    pace,
    start() {
      if (loop !== undefined) return;
      const unsubscribe = journal.onClaimable((name) => {
        if (name === destination.name) waker.wake();
      });
      loop = run().finally(unsubscribe);
    },
    setSources(sources, contacts) {
      mapping = toMappingParts(sources, contacts, parts.enricherOf);
      pipeline.releaseWaits('the configuration of the sources has changed');
      waker.wake();
    },
    async retire(onReleased) {
      wakeSuccessor = onReleased;
      await endClaiming('the configuration of the destination has changed');
      onReleased();
      await pipeline.whenIdle();
      onReleased();
    },
    async stop() {
      stopping.abort();
      await endClaiming('the relay is stopping');
      const grace = setTimeout(() => requests.abort(new Error('the relay is stopping')), STOP_GRACE_MS);
      await pipeline.whenIdle();
      clearTimeout(grace);
    },
    wake() {
      waker.wake();
      batcher.flushDue();
    },
    retryNow() {
      state.retryNow();
      waker.wake();
    },
    slowDownFor(ms) {
      pace.slowDown();
      state.waitWithOthers('another replica was asked to slow down', ms);
    },
    resume() {
      state.resume();
      waker.wake();
    },
    get lastAnswer() {
      return lastAnswer;
    },
    get inFlight() {
      return pipeline.started + pipeline.waiting;
    },
    get msSinceProgress() {
      const { started, waits } = pipeline;
      // Each wait has a limit of its own, and its end counts as progress.
      return started > 0 && waits.events === started ? 0 : monotonic() - progressAt;
    },
  };
}
