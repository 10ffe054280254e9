import type { Span } from '@opentelemetry/api';
import type { Journal, Settlement } from '../journal/journal.ts';
import { hitFailpoint } from '../telemetry/failpoints.ts';
import type { DeliveryObserver, SettledEvent } from './delivery-observer.ts';
import type { InFlight } from './in-flight.ts';
import type { SuspectHistory } from './poison.ts';
import { pause } from './scheduling.ts';
import { startSettlement } from './spans.ts';

/** Delay before a failed call of the journal is repeated. */
export const JOURNAL_RETRY_MS = 1_000;

/**
 * Ends claims. Everything that it is given in one turn of the event loop, such as all events of a
 * request, goes to the journal in one call.
 */
export interface Settler {
  settle(inFlight: InFlight, settlement: Settlement): void;
  /** Returns an event to the queue of the journal unchanged. */
  release(inFlight: InFlight): void;
}

export interface SettlerParts {
  readonly destination: string;
  readonly journal: Pick<Journal, 'settle' | 'release'>;
  readonly observer: Pick<DeliveryObserver, 'eventsSettled' | 'errorCaught'>;
  readonly suspects: Pick<SuspectHistory, 'forget'>;
  /** Aborted when the relay stops. */
  readonly signal: AbortSignal;
  /** Called after outcomes were recorded. */
  readonly onRecorded: () => void;
  /** Called when these events are no longer in flight, whatever their outcome. */
  readonly onEnded: (ended: readonly InFlight[]) => void;
}

/** An event with the outcome that is to be recorded. */
interface Ending {
  readonly inFlight: InFlight;
  readonly settlement: Settlement;
  readonly span: Span | undefined;
}

/** Events that were claimed under one token. */
interface Gathered {
  readonly endings: Ending[];
  readonly released: InFlight[];
}

function nameOf(receipts: readonly string[]): string {
  return receipts.length === 1 ? `event ${receipts[0]}` : `${receipts.length} events`;
}

function toSettled({ inFlight, settlement }: Ending): SettledEvent {
  const { event, prepared } = inFlight;
  return settlement.state === 'pending' || prepared === undefined
    ? { event, settlement }
    : { event, settlement, mapping: prepared };
}

export function createSettler(parts: SettlerParts): Settler {
  const { destination, journal, observer, suspects, signal } = parts;
  /** By token. */
  let gathered = new Map<string, Gathered>();

  const gatheredFor = (token: string): Gathered => {
    const known = gathered.get(token);
    if (known !== undefined) return known;
    if (gathered.size === 0) queueMicrotask(flush);
    const created: Gathered = { endings: [], released: [] };
    gathered.set(token, created);
    return created;
  };

  const flush = (): void => {
    const all = gathered;
    gathered = new Map();
    for (const [token, { endings, released }] of all) {
      if (endings.length > 0) void settleAll(token, endings);
      if (released.length > 0) void releaseAll(token, released);
    }
  };

  const report = (endings: readonly Ending[], stale: readonly string[]): void => {
    // A stale event is claimed again, in the lane of the customer that its own was merged into.
    const isStale = new Set(stale);
    const settled: SettledEvent[] = [];
    for (const ending of endings) {
      const { receipt, state } = ending.settlement;
      if (isStale.has(receipt)) continue;
      if (state !== 'pending') suspects.forget(receipt);
      settled.push(toSettled(ending));
    }
    parts.onRecorded();
    if (settled.length > 0) observer.eventsSettled(settled);
  };

  /** @returns the stale receipts; undefined if the call failed */
  const trySettle = async (
    token: string,
    endings: readonly Ending[],
  ): Promise<readonly string[] | undefined> => {
    const settlements = endings.map(({ settlement }) => settlement);
    try {
      return (await journal.settle(token, settlements)).stale;
    } catch (error) {
      const events = nameOf(settlements.map(({ receipt }) => receipt));
      observer.errorCaught(destination, `the outcome of ${events} could not be recorded`, error);
      return undefined;
    }
  };

  /** Repeats a failed settlement until the relay stops: what Adobe accepted must be recorded. */
  const settleAll = async (token: string, endings: readonly Ending[]): Promise<void> => {
    for (let count = 0; count < endings.length; count += 1) hitFailpoint('delivery-answered');
    const stale = await trySettle(token, endings);
    if (stale === undefined && !signal.aborted) {
      await pause(JOURNAL_RETRY_MS, signal);
      // In halves, so that one that cannot be recorded does not hold up the others.
      const middle = Math.ceil(endings.length / 2);
      const halves = [endings.slice(0, middle), endings.slice(middle)];
      const nonEmpty = halves.filter((half) => half.length > 0);
      await Promise.all(nonEmpty.map((half) => settleAll(token, half)));
      return;
    }
    for (const { span } of endings) span?.end();
    if (stale !== undefined) report(endings, stale);
    parts.onEnded(endings.map(({ inFlight }) => inFlight));
  };

  /** Repeats a failed release until the relay stops: else the claims would last until then. */
  const releaseAll = async (token: string, released: readonly InFlight[]): Promise<void> => {
    const receipts = released.map(({ event }) => event.receipt);
    for (;;) {
      try {
        await journal.release(token, receipts);
        break;
      } catch (error) {
        observer.errorCaught(destination, `${nameOf(receipts)} could not be released`, error);
        if (signal.aborted) break;
        await pause(JOURNAL_RETRY_MS, signal);
      }
    }
    parts.onEnded(released);
  };

  return {
    settle(inFlight, settlement) {
      const span = startSettlement(inFlight.event, settlement);
      gatheredFor(inFlight.token).endings.push({ inFlight, settlement, span });
    },
    release(inFlight) {
      gatheredFor(inFlight.token).released.push(inFlight);
    },
  };
}
