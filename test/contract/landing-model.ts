import {
  type Attempt,
  DELIVERY_SPAN_MS,
  type DeliverySpan,
  type EventState,
  type Landing,
  type LandingCounts,
} from '../../src/journal/journal.ts';

export interface LandingModelEvent {
  readonly receipt: string;
  readonly source: string;
  readonly destination: string;
  readonly lane: string | undefined;
  state: EventState;
  reason: string | undefined;
  settledAt: number;
  idSuffix: string;
  doubt: string | undefined;
  isWatched: boolean;
  /** It waits for a refresh. */
  isRefreshed: boolean;
  hasBody: boolean;
  /** False once retention has removed the record. */
  exists: boolean;
}

type Sent = Pick<Attempt, 'outcome' | 'request'> & { readonly destination: string; readonly at: number };

interface Range {
  readonly from: number;
  readonly until: number;
  readonly since: number;
}

function spanOf(at: number): number {
  return Math.floor(at / DELIVERY_SPAN_MS) * DELIVERY_SPAN_MS;
}

/** The simplest implementation of Landings: everything is counted again each time. */
export class LandingModel {
  readonly events: LandingModelEvent[] = [];
  readonly #sent: Sent[] = [];
  /** By destination, in the order of the calls. */
  readonly #confirmed = new Map<string, Range[]>();

  append(receipt: string, arrival: Pick<LandingModelEvent, 'source' | 'destination' | 'lane'>): void {
    this.events.push({
      ...arrival,
      receipt,
      state: 'pending',
      reason: undefined,
      settledAt: 0,
      idSuffix: '',
      doubt: undefined,
      isWatched: false,
      isRefreshed: false,
      hasBody: true,
      exists: true,
    });
  }

  send(event: LandingModelEvent, attempts: readonly Attempt[], at: number): void {
    const { destination } = event;
    for (const { outcome, request } of attempts) this.#sent.push({ outcome, request, destination, at });
  }

  settle(event: LandingModelEvent, change: Partial<LandingModelEvent>): void {
    Object.assign(event, { reason: undefined, ...change });
  }

  /** The event is pending again, or dead. */
  leave(event: LandingModelEvent, change: Partial<LandingModelEvent>): void {
    const none = { reason: undefined, doubt: undefined, isWatched: false, isRefreshed: false };
    Object.assign(event, { ...none, ...change });
  }

  /** @returns how many have landed by it */
  confirm(destination: string, range: Range): number {
    const before = this.#landed();
    this.#confirmed.set(destination, [...(this.#confirmed.get(destination) ?? []), range]);
    return this.#landed() - before;
  }

  landings(): Record<string, LandingCounts> {
    const sums: Record<string, { landed: number; refusedLater: number }> = {};
    for (const event of this.events) {
      const isRefused = event.state === 'dead' && event.reason === 'refused-later';
      if (!isRefused && !this.#hasLanded(event)) continue;
      const sum = (sums[event.source] ??= { landed: 0, refusedLater: 0 });
      sum[isRefused ? 'refusedLater' : 'landed'] += 1;
    }
    return sums;
  }

  spans(destination: string): DeliverySpan[] {
    const events = this.events.filter(
      (event) =>
        event.destination === destination && event.state === 'delivered' && this.#since(event) === undefined,
    );
    const sent = this.#sent.filter(
      (each) => each.destination === destination && this.#sinceAt(destination, each.at) === undefined,
    );
    const starts = new Set(
      [...events.map(({ settledAt }) => settledAt), ...sent.map(({ at }) => at)].map(spanOf),
    );
    const countOf = (at: number, kind: string, isWanted: (each: Sent) => boolean): number =>
      sent.filter((each) => spanOf(each.at) === at && each.request.kind === kind && isWanted(each)).length;
    const isAnswered = ({ outcome }: Sent): boolean => outcome === 'delivered';
    const isUnanswered = ({ outcome, request }: Sent): boolean =>
      outcome !== 'delivered' && request.status === undefined;
    return [...starts]
      .toSorted((a, b) => a - b)
      .map((at) => ({
        at,
        events: events.filter(({ settledAt }) => spanOf(settledAt) === at).length,
        acknowledged: {
          event: countOf(at, 'event', isAnswered),
          profile: countOf(at, 'profile', isAnswered),
        },
        unanswered: {
          event: countOf(at, 'event', isUnanswered),
          profile: countOf(at, 'profile', isUnanswered),
        },
      }))
      .filter(
        ({ events: n, acknowledged: a, unanswered: u }) => n + a.event + a.profile + u.event + u.profile > 0,
      );
  }

  landing(event: LandingModelEvent): Landing | undefined {
    if (event.state !== 'delivered') return undefined;
    if (event.doubt !== undefined) return { state: 'unconfirmed', code: event.doubt, detail: 'doubted' };
    const since = this.#since(event);
    return since === undefined ? { state: 'unconfirmed' } : { state: 'landed', since };
  }

  count(source: string, state: EventState): number {
    return this.events.filter((event) => event.source === source && event.state === state).length;
  }

  /** Receipts of existing events. */
  those(isWanted: (event: LandingModelEvent) => boolean): string[] {
    return this.events
      .filter((event) => event.exists && isWanted(event))
      .map(({ receipt }) => receipt)
      .toSorted();
  }

  #landed(): number {
    return this.events.filter((event) => this.#hasLanded(event)).length;
  }

  #hasLanded(event: LandingModelEvent): boolean {
    return event.state === 'delivered' && event.doubt === undefined && this.#since(event) !== undefined;
  }

  #since({ destination, settledAt }: LandingModelEvent): number | undefined {
    return this.#sinceAt(destination, settledAt);
  }

  /** Since when what was sent at this time has been in AEP. The first confirmation counts. */
  #sinceAt(destination: string, at: number): number | undefined {
    return this.#confirmed.get(destination)?.find(({ from, until }) => from <= at && at < until)?.since;
  }
}
