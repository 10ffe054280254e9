import type { EnrichmentParts, EventState, MessageKind, RefreshBacklog } from '../../src/journal/journal.ts';

export interface ModelEvent {
  readonly receipt: string;
  /** Position of arrival. */
  readonly seq: number;
  source: string;
  destination: string;
  identity: string | undefined;
  lane: string | undefined;
  /** The original lane. */
  ownLane: string | undefined;
  state: EventState;
  dueAt: number;
  hasBody: boolean;
  /** The token under which it is claimed. */
  holder: string | undefined;
  /** The lane that its claim keeps busy. */
  busyLane: string | undefined;
  /** Rerouted since it was claimed, in a store for several processes. */
  isRerouted: boolean;
  /** Pending because of a replay. */
  replay: boolean;
  delivered: readonly MessageKind[];
  entities: string | undefined;
  /** While it is pending because of a replay that fetches again: when that was requested. */
  staleBefore: number | undefined;
  /** It waits for a refresh, or is pending because of one. */
  refresh: ModelRefresh | undefined;
}

export interface ModelRefresh {
  customer: boolean;
  readonly bill: boolean;
  since: number;
  readonly dueAt: number;
  readonly attempts: number;
}

export interface Arrival {
  readonly source: string;
  readonly destination: string;
  readonly identity: string;
  readonly lane: string | undefined;
}

export interface ModelSettlement {
  readonly state: EventState;
  readonly delivered: readonly MessageKind[];
  /** Of an event that stays pending. */
  readonly dueAt: number;
  readonly erase: boolean;
  readonly entities: string | undefined;
  readonly missing: (EnrichmentParts & { readonly dueAt: number }) | undefined;
  readonly refreshed: EnrichmentParts | undefined;
  readonly alias: { readonly from: string; readonly to: string; readonly stale: boolean } | undefined;
}

const STATES = ['pending', 'delivered', 'ignored', 'dead'] as const;

type Queue = Pick<ModelEvent, 'destination' | 'lane' | 'replay'>;

/** The simplest implementation of the contract: arrays and full scans. */
export class ModelJournal {
  events: ModelEvent[] = [];
  readonly #aliases = new Map<string, string>();
  /** The head of each queue; every lane has one queue for replays and one for other events. */
  readonly #heads = new Map<string, ModelEvent>();
  #lastSeq = 0;
  readonly #isShared: boolean;

  /** @param isShared see TestStore */
  constructor(isShared: boolean) {
    this.#isShared = isShared;
  }

  known(source: string, identity: string): ModelEvent | undefined {
    return this.events.find((event) => event.source === source && event.identity === identity);
  }

  append(receipt: string, arrival: Arrival, now: number): void {
    const event = this.#store(receipt, arrival.source, arrival.destination);
    this.#becomeEvent(event, arrival, now);
  }

  appendMalformed(receipt: string, source: string, destination: string): void {
    this.#store(receipt, source, destination);
  }

  promote(event: ModelEvent, arrival: Arrival, now: number): void {
    this.#becomeEvent(event, arrival, now);
  }

  remove(event: ModelEvent): void {
    this.events = this.events.filter((other) => other !== event);
  }

  /** Events that can be claimed now or later, in the order in which they become due. */
  claimable(destination: string, sources: readonly string[], replay: boolean): ModelEvent[] {
    return this.#pending()
      .filter((event) => event.destination === destination && event.replay === replay)
      .filter((event) => event.holder === undefined)
      .filter((event) => sources.includes(event.source) && this.#isHead(event) && !this.#isBusy(event))
      .toSorted((a, b) => a.dueAt - b.dueAt || a.seq - b.seq);
  }

  claim(event: ModelEvent, token: string): void {
    event.holder = token;
    event.isRerouted = false;
    event.busyLane = event.lane === undefined ? undefined : `${event.destination} ${event.lane}`;
  }

  release(event: ModelEvent, token: string): void {
    if (event.holder === token) this.#endClaim(event);
  }

  /** @returns whether the settlement is stale */
  settle(event: ModelEvent, token: string, settlement: ModelSettlement, now: number): boolean {
    const { state, delivered, erase, alias } = settlement;
    const isHeld = event.holder === token;
    // By an alias. In a store for one process, a delivery to the previous destination still counts.
    const isInAnotherLane = event.busyLane !== undefined && !event.busyLane.endsWith(` ${event.lane}`);
    const wasMoved = isInAnotherLane || event.isRerouted;
    if (isHeld) this.#endClaim(event);
    if (event.state !== 'pending') return false;
    if (!isHeld || wasMoved || alias?.stale === true) {
      const isDelivered = event.delivered.includes('event') || delivered.includes('event');
      const profile = event.delivered.filter((kind) => kind === 'profile');
      event.delivered = [...(isDelivered ? (['event'] as const) : []), ...profile];
      return true;
    }
    event.delivered = delivered;
    event.entities = settlement.entities ?? event.entities;
    if (state === 'pending') event.dueAt = settlement.dueAt;
    else {
      event.state = state;
      this.#leave(event, event);
      event.replay = false;
      this.#settleRefresh(event, settlement, now);
    }
    if (erase) this.#erase(event);
    if (alias !== undefined) this.#addAlias(event.destination, alias);
    return false;
  }

  replay(filter: (event: ModelEvent) => boolean, refetch: boolean, now: number): number {
    const settled = this.events.filter((event) => ['delivered', 'ignored', 'dead'].includes(event.state));
    const chosen = settled.filter((event) => event.hasBody && filter(event));
    for (const event of chosen) {
      this.#requeue(event, now);
      event.refresh = undefined;
      event.staleBefore = refetch ? now : undefined;
    }
    return chosen.length;
  }

  /** Makes events pending that are due for a refresh, the newest ones. */
  refresh(isOfRoute: (event: ModelEvent) => boolean, running: number, now: number): number {
    const ofRoutes = this.events.filter((event) => event.refresh !== undefined && isOfRoute(event));
    const free = running - ofRoutes.filter(({ state }) => state === 'pending').length;
    const due = ofRoutes.filter((event) => event.state !== 'pending' && event.refresh!.dueAt <= now);
    const chosen = free <= 0 ? [] : due.slice(-free);
    for (const event of chosen) {
      this.#requeue(event, now);
      event.staleBefore = undefined;
    }
    return chosen.length;
  }

  refreshes(): RefreshBacklog[] {
    const waiting = this.events.filter(({ refresh }) => refresh !== undefined);
    const routes = Map.groupBy(waiting, ({ source, destination }) => `${source} ${destination}`);
    return [...routes]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, events]) => ({
        source: events[0]!.source,
        destination: events[0]!.destination,
        customers: events.filter(({ refresh }) => refresh!.customer).length,
        bills: events.filter(({ refresh }) => refresh!.bill).length,
        running: events.filter(({ state }) => state === 'pending').length,
        oldestAt: Math.min(...events.map(({ refresh }) => refresh!.since)),
      }));
  }

  discard(filter: (event: ModelEvent) => boolean): number {
    const chosen = this.events.filter(
      (event) => ['dead', 'malformed'].includes(event.state) && filter(event),
    );
    for (const event of chosen) {
      if (event.state === 'malformed') this.remove(event);
      event.state = 'ignored';
      event.hasBody = false;
      event.entities = undefined;
    }
    return chosen.length;
  }

  reroute(source: string, destination: string): number {
    const chosen = this.#pending().filter(
      (event) => event.source === source && event.destination !== destination,
    );
    for (const event of chosen) {
      const from = { ...event };
      event.isRerouted = this.#isShared && event.holder !== undefined;
      event.destination = destination;
      event.lane = this.#resolveLane(destination, event.ownLane);
      this.#overtake(event);
      this.#join(event);
      this.#leave(event, from);
    }
    return chosen.length;
  }

  restart(): void {
    for (const event of this.events) this.#endClaim(event);
  }

  count(source: string, state: EventState): number {
    return this.events.filter((event) => event.source === source && event.state === state).length;
  }

  accepted(source: string): number {
    return STATES.reduce((sum, state) => sum + this.count(source, state), 0);
  }

  backlog(destination: string): number {
    return this.#pending().filter((event) => event.destination === destination).length;
  }

  replaying(destination: string): number {
    return this.#pending().filter((event) => event.destination === destination && event.replay).length;
  }

  #endClaim(event: ModelEvent): void {
    event.holder = undefined;
    event.busyLane = undefined;
    event.isRerouted = false;
  }

  #pending(): ModelEvent[] {
    return this.events.filter((event) => event.state === 'pending');
  }

  #store(receipt: string, source: string, destination: string): ModelEvent {
    this.#lastSeq += 1;
    const event: ModelEvent = {
      receipt,
      seq: this.#lastSeq,
      source,
      destination,
      identity: undefined,
      lane: undefined,
      ownLane: undefined,
      state: 'malformed',
      dueAt: 0,
      hasBody: true,
      holder: undefined,
      busyLane: undefined,
      isRerouted: false,
      replay: false,
      delivered: [],
      entities: undefined,
      staleBefore: undefined,
      refresh: undefined,
    };
    this.events.push(event);
    return event;
  }

  #requeue(event: ModelEvent, now: number): void {
    event.replay = true;
    if (event.state === 'delivered') event.delivered = [];
    event.lane = this.#resolveLane(event.destination, event.ownLane);
    this.#join(event);
    event.state = 'pending';
    event.dueAt = now;
  }

  #settleRefresh(event: ModelEvent, { state, missing, refreshed }: ModelSettlement, now: number): void {
    const waited = event.refresh;
    event.refresh = undefined;
    if (state !== 'delivered') return;
    const isCustomers = missing?.customer === true || refreshed?.customer === true;
    const taken = isCustomers ? this.#takeCustomer(event) : Infinity;
    if (missing === undefined || !(missing.customer || missing.bill)) return;
    const since = Math.min(waited?.since ?? now, missing.customer ? taken : now);
    event.refresh = { ...missing, since, attempts: waited === undefined ? 0 : waited.attempts + 1 };
  }

  /** Takes the part of the customer from all other events of the lane. */
  #takeCustomer(taker: ModelEvent): number {
    const of = ({ destination, ownLane }: ModelEvent): string =>
      `${destination} ${this.#resolveLane(destination, ownLane)}`;
    const others = this.events.filter(
      (event) =>
        event !== taker &&
        event.ownLane !== undefined &&
        event.refresh?.customer === true &&
        of(event) === of(taker),
    );
    const taken = Math.min(...others.map(({ refresh }) => refresh!.since));
    for (const event of others) {
      if (event.refresh!.bill || event.state === 'pending') event.refresh!.customer = false;
      else event.refresh = undefined;
    }
    return taken;
  }

  #becomeEvent(event: ModelEvent, arrival: Arrival, now: number): void {
    const lane = this.#resolveLane(arrival.destination, arrival.lane);
    Object.assign(event, arrival, { dueAt: now, ownLane: arrival.lane, lane });
    this.#join(event);
    event.state = 'pending';
  }

  #isHead(event: ModelEvent): boolean {
    return event.lane === undefined || this.#heads.get(this.#queue(event)) === event;
  }

  #isBusy(event: ModelEvent): boolean {
    const lane = `${event.destination} ${event.lane}`;
    return event.lane !== undefined && this.events.some((other) => other.busyLane === lane);
  }

  #queue({ destination, lane, replay }: Queue): string {
    return `${destination} ${lane} ${replay}`;
  }

  #join(event: ModelEvent): void {
    const key = this.#queue(event);
    if (event.lane !== undefined && !this.#heads.has(key)) this.#heads.set(key, event);
  }

  /** Replaces the head if that is the oldest of its queue, newer than this event, and unclaimed. */
  #overtake(event: ModelEvent): void {
    const key = this.#queue(event);
    const [oldest] = this.#pending().filter((other) => other !== event && this.#queue(other) === key);
    if (event.lane === undefined || oldest === undefined || this.#heads.get(key) !== oldest) return;
    if (oldest.seq > event.seq && oldest.holder === undefined) this.#heads.set(key, event);
  }

  #leave(event: ModelEvent, queue: Queue): void {
    const key = this.#queue(queue);
    if (this.#heads.get(key) !== event) return;
    this.#heads.delete(key);
    const next = this.#pending().find((other) => other !== event && this.#queue(other) === key);
    if (next !== undefined) this.#heads.set(key, next);
  }

  #resolveLane(destination: string, lane: string | undefined): string | undefined {
    const next = this.#aliases.get(`${destination} ${lane}`);
    return next === undefined ? lane : this.#resolveLane(destination, next);
  }

  #addAlias(destination: string, { from, to }: { from: string; to: string }): void {
    const key = `${destination} ${from}`;
    if (this.#aliases.has(key) || this.#resolveLane(destination, to) === from) return;
    this.#aliases.set(key, to);
    const moved = this.#pending().filter((event) => event.destination === destination && event.lane === from);
    const heads = moved.filter((event) => this.#isHead(event));
    for (const event of moved) event.lane = this.#resolveLane(destination, from);
    for (const event of heads) {
      this.#heads.delete(this.#queue({ ...event, lane: from }));
      this.#join(event);
    }
    const newest = this.events.findLast(
      (event) =>
        event.refresh?.customer === true &&
        event.destination === destination &&
        this.#resolveLane(destination, event.ownLane) === this.#resolveLane(destination, from),
    );
    if (newest !== undefined)
      newest.refresh!.since = Math.min(newest.refresh!.since, this.#takeCustomer(newest));
  }

  /** Erases the original lane of the event and all its aliases. */
  #erase(erased: ModelEvent): void {
    const isErased = (lane: string | undefined): boolean =>
      lane === erased.ownLane || this.#resolveLane(erased.destination, lane) === erased.ownLane;
    for (const event of this.events) {
      const isInScope = event.destination === erased.destination || event.source === erased.source;
      if (event.lane === undefined || !isInScope || event.state === 'pending') continue;
      if (!isErased(event.lane) && !isErased(event.ownLane)) continue;
      event.hasBody = false;
      event.entities = undefined;
      event.refresh = undefined;
    }
  }
}
