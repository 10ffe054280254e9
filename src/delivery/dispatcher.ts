import { setTimeout as sleep } from 'node:timers/promises';
import type { Inlet, TokenSource } from '../adobe/answer.ts';
import type { DestinationConfig, SourceConfig } from '../config/schema.ts';
import { type ClaimedEvent, type Journal, type Settlement, StoreError } from '../journal/journal.ts';
import { hitFailpoint } from '../telemetry/failpoints.ts';
import {
  CLAIM,
  CLAIM_PAUSE,
  CLAIMED_AHEAD,
  IN_FLIGHT_BYTES,
  MAPPED_AT_ONCE,
  MAX_IN_FLIGHT,
} from './claim-limits.ts';
import { createDestinationState, type DestinationState } from './destination-state.ts';
import type { DeliveryObserver } from './observer.ts';
import { createFlights } from './flights.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { held } from './outcomes.ts';
import { createPace, type Pace } from './pace.ts';
import { type Prepared, prepare } from './prepare.ts';
import { createRecorder } from './recorder.ts';
import { createReplayShare } from './replay-share.ts';
import { createSender } from './sender.ts';
import { DONE, type Result, settlementOf, writtenWith } from './settlement.ts';
import { mapSpan, settleSpan } from './spans.ts';
import { createSuspicion } from './suspicion.ts';
import { createTurns } from './turns.ts';
import { createWaker } from './waker.ts';

/** ms until a journal that refused is asked again. */
const JOURNAL_RETRY = 1_000;
/** ms that requests under way may still take when the relay stops. */
const STOP_GRACE = 5_000;
/** ms of a clock that only runs. */
function steady(): number {
  return performance.now();
}

export interface DispatcherParts {
  readonly destination: DestinationConfig;
  /** Sources that feed it, as configured now. */
  readonly sources: readonly SourceConfig[];
  readonly journal: Journal;
  readonly inlet: Inlet;
  readonly tokens: TokenSource | undefined;
  readonly observer: DeliveryObserver;
  readonly now?: () => number;
}

/** Carries the events of one destination from the journal to its inlet: claim, map, batch, send, settle. */
export interface Dispatcher {
  readonly state: DestinationState;
  readonly pace: Pace;
  start(): void;
  /** Takes no more; waits for requests under way, at most 5 s; what is not sent stays journaled. Idempotent. */
  stop(): Promise<void>;
  /** Tries now instead of waiting on; an operator's pause stays. */
  retryNow(): void;
  /** Ends an operator's pause too. */
  resume(): void;
  readonly inFlight: number;
  /** ms since an outcome was recorded, or since it had nothing under way or did not flow, whichever is less. */
  readonly stillFor: number;
}

export function createDispatcher(parts: DispatcherParts): Dispatcher {
  const { destination, journal, observer } = parts;
  const now = parts.now ?? Date.now;
  const sources = new Map(parts.sources.map((source) => [source.name, source]));
  const waker = createWaker();
  const stopping = new AbortController();
  const requests = new AbortController();
  const suspicion = createSuspicion();
  const maxMessages = Math.min(destination.batch.maxMessages, destination.limits.messagesPerSecond);
  const window = Math.min(destination.limits.concurrency * maxMessages, MAX_IN_FLIGHT);
  const flights = createFlights();
  const replayShare = createReplayShare(
    {
      messagesPerSecond: destination.limits.messagesPerSecond,
      messagesPerEvent: destination.profile?.write === 'assemble' ? 2 : 1,
      inFlight: Math.max(1, Math.floor(window / 4)),
    },
    steady,
  );
  let bytesInFlight = 0;
  let movedAt = steady();
  let loop: Promise<void> | undefined;

  const state = createDestinationState({
    retry: destination.retry,
    clocks: { now, steady },
    changed: (status) => {
      movedAt = steady();
      observer.stateChanged(destination.name, status);
      waker.wake();
    },
  });
  const pace = createPace(destination.limits);
  const outbox: Outbox = createOutbox({
    limits: { ...destination.batch, maxMessages },
    pace,
    signal: requests.signal,
    isMoreComing: () => claimed.waiting > 0,
    send: createSender({
      destination: destination.name,
      inlet: parts.inlet,
      tokens: parts.tokens,
      flowIds: { event: destination.events.flowId, profile: destination.profile?.flowId ?? '' },
      state,
      pace,
      suspicion,
      now,
      steady,
      report: (report) => observer.requested(report),
    }),
  });

  const pause = async (ms = JOURNAL_RETRY): Promise<void> => {
    if (ms > 0) await sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined);
  };

  const prepareSafely = async (event: ClaimedEvent): Promise<Prepared> => {
    const source = sources.get(event.source);
    if (source === undefined) throw new Error(`claimed an event of the unknown source ${event.source}`);
    try {
      return await prepare(event, { destination, source, journal, now: now() });
    } catch (error) {
      // The store's trouble is not the event's: it goes back and is taken up again.
      if (error instanceof StoreError) throw error;
      observer.trouble(destination.name, `event ${event.receipt} could not be mapped`, error);
      return {
        kind: 'unusable',
        reason: 'mapping-failed',
        detail: 'the mapping failed; the log has the error',
        notes: [],
      };
    }
  };

  const sendAll = async (event: ClaimedEvent, prepared: Extract<Prepared, { kind: 'messages' }>) => {
    const room =
      event.failures > 0 ? suspicion.roomFor(event.receipt, event.failures, maxMessages) : maxMessages;
    const { messages, effects } = prepared;
    const outcomes = await Promise.all(messages.map((message) => outbox.submit(message, room)));
    const untouched = outcomes.every((outcome) => outcome.kind === 'held' && outcome.attempt === undefined);
    if (untouched && outcomes.length > 0) return undefined;
    const results = messages.map(
      (message, at): Result => ({ message, outcome: outcomes[at] ?? held('no outcome') }),
    );
    return settlementOf(event, results, effects, destination.retry, now());
  };

  /** Undefined: nothing was sent, the event just goes back. */
  const outcomeOf = (
    event: ClaimedEvent,
    prepared: Prepared,
  ): Settlement | Promise<Settlement | undefined> => {
    if (prepared.kind === 'messages') return sendAll(event, prepared);
    const common = { receipt: event.receipt, now: now(), attempts: [], delivered: event.delivered };
    const { kind, reason } = prepared;
    return kind === 'ignored'
      ? { ...common, ...writtenWith(prepared.effects, DONE), state: kind, reason }
      : { ...common, state: 'dead', reason, detail: prepared.detail, sent: [] };
  };

  const record = createRecorder({
    destination: destination.name,
    journal,
    observer,
    signal: stopping.signal,
    pause,
    recorded: (receipt, isSettled) => {
      movedAt = steady();
      if (isSettled) suspicion.forget(receipt);
    },
  });

  const carry = async (event: ClaimedEvent): Promise<void> => {
    try {
      const prepared = await mapSpan(event, () => prepareSafely(event));
      const settlement = await outcomeOf(event, prepared);
      if (settlement === undefined) await journal.release([event.receipt]);
      else {
        hitFailpoint('delivery-answered');
        await settleSpan(event, settlement, () => record(event, settlement, prepared));
      }
    } catch (error) {
      observer.trouble(destination.name, `event ${event.receipt} goes back to the journal`, error);
      await pause();
      await journal.release([event.receipt]).catch(() => undefined);
    } finally {
      bytesInFlight -= event.body.length;
      flights.ended();
      if (event.isReplay) replayShare.ended();
      state.probeEnded();
      waker.wake();
    }
  };

  /** Claimed events that are not mapped yet. */
  const claimed = createTurns<ClaimedEvent>(
    MAPPED_AT_ONCE,
    (event) => {
      flights.begun();
      void carry(event);
    },
    () => {
      outbox.pump();
      waker.wake();
    },
  );
  const msUntil = (at = Number.POSITIVE_INFINITY): number => Math.max(0, at - now());

  /** Claims what there is room for. @returns ms until it is worth looking again */
  const step = async (): Promise<number> => {
    if (claimed.waiting > CLAIMED_AHEAD) return Number.POSITIVE_INFINITY;
    const room = window - flights.count - claimed.waiting;
    const bytes = IN_FLIGHT_BYTES - bytesInFlight;
    // Claims are made in quarters of the window, not one by one as single events come back.
    if (room < window / 4 || bytes < IN_FLIGHT_BYTES / 4) return Number.POSITIVE_INFINITY;
    const permit = state.permit();
    if (permit.kind === 'wait') return permit.ms;
    const { events, nextDueAt, nextReplayAt } = await journal.claim({
      destination: destination.name,
      sources: [...sources.keys()],
      limit: permit.kind === 'probe' ? 1 : Math.min(room, CLAIM),
      replays: replayShare.room(),
      maxBytes: bytes,
      now: now(),
      // An event that Adobe asked to hold back for longer is held back by the state of the destination, which goes by the steady clock.
      maxWait: destination.retry.maxDelay,
    });
    replayShare.took(events.filter((event) => event.isReplay).length);
    if (flights.count === 0 && events.length > 0) movedAt = steady();
    if (events.length > 0) hitFailpoint('delivery-claimed');
    for (const event of events) bytesInFlight += event.body.length;
    claimed.push(events);
    if (permit.kind === 'probe') {
      if (events.length > 0) return Number.POSITIVE_INFINITY;
      state.probeEnded();
    }
    return Math.min(msUntil(nextDueAt), Math.max(msUntil(nextReplayAt), replayShare.wait()));
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      let wait = JOURNAL_RETRY;
      const begun = steady();
      try {
        wait = await step();
      } catch (error) {
        observer.trouble(destination.name, 'the journal could not be read', error);
      }
      await waker.wait(Math.min(wait, destination.retry.maxDelay * 12), stopping.signal);
      if (wait > 0) await pause(begun + CLAIM_PAUSE - steady());
    }
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
    async stop() {
      stopping.abort();
      await loop;
      const left = claimed.clear().map(({ receipt }) => receipt);
      if (left.length > 0) await journal.release(left).catch(() => undefined);
      outbox.drain('the relay is stopping');
      const grace = setTimeout(() => requests.abort(new Error('the relay is stopping')), STOP_GRACE);
      await flights.over();
      clearTimeout(grace);
    },
    retryNow() {
      state.retryNow();
      waker.wake();
    },
    resume() {
      state.resume();
      waker.wake();
    },
    get inFlight() {
      return flights.count + claimed.waiting;
    },
    get stillFor() {
      return steady() - movedAt;
    },
  };
}
