import type { EventState } from '../../src/journal/journal.ts';

export interface ModelEvent {
  readonly receipt: string;
  /** Position of arrival. */
  readonly seq: number;
  source: string;
  destination: string;
  identity: string | undefined;
  lane: string | undefined;
  /** The lane of its own customer. */
  own: string | undefined;
  state: EventState;
  dueAt: number;
  hasBody: boolean;
  claimed: boolean;
  /** The lane it keeps busy while it is claimed. */
  busy: string | undefined;
  /** It is pending because it was replayed. */
  replay: boolean;
}

export interface Arrival {
  readonly source: string;
  readonly destination: string;
  readonly identity: string;
  readonly lane: string | undefined;
  readonly receivedAt: number;
}

/** What a settlement does besides. */
export interface ModelEffects {
  readonly erase: boolean;
  readonly alias: { readonly from: string; readonly to: string; readonly stale: boolean } | undefined;
}

const STATES = ['pending', 'delivered', 'ignored', 'dead'] as const;

type Queue = Pick<ModelEvent, 'destination' | 'lane' | 'replay'>;

/** The contract in the plainest form: arrays, and a scan for every question. */
export class ModelJournal {
  events: ModelEvent[] = [];
  /** Who is first in each lane, among the replays and among the others. */
  readonly #aliases = new Map<string, string>();
  readonly #heads = new Map<string, ModelEvent>();
  #arrived = 0;

  known(source: string, identity: string): ModelEvent | undefined {
    return this.events.find((event) => event.source === source && event.identity === identity);
  }

  append(receipt: string, arrival: Arrival): void {
    const event = this.#arrive(receipt, arrival.source, arrival.destination);
    this.#becomeEvent(event, arrival);
  }

  appendMalformed(receipt: string, source: string, destination: string): void {
    this.#arrive(receipt, source, destination);
  }

  promote(event: ModelEvent, arrival: Arrival): void {
    this.#becomeEvent(event, arrival);
  }

  remove(event: ModelEvent): void {
    this.events = this.events.filter((other) => other !== event);
  }

  /** Who can be claimed, now or later, those due longest first. */
  claimable(destination: string, sources: readonly string[], replay: boolean): ModelEvent[] {
    return this.#pending()
      .filter((event) => event.destination === destination && event.replay === replay && !event.claimed)
      .filter((event) => sources.includes(event.source) && this.#isHead(event) && !this.#isBusy(event))
      .toSorted((a, b) => a.dueAt - b.dueAt || a.seq - b.seq);
  }

  claim(event: ModelEvent): void {
    event.claimed = true;
    event.busy = event.lane === undefined ? undefined : `${event.destination} ${event.lane}`;
  }

  release(event: ModelEvent): void {
    event.claimed = false;
    event.busy = undefined;
  }

  settle(
    event: ModelEvent,
    state: EventState,
    times: { now: number; dueAt: number },
    effects: ModelEffects,
  ): void {
    const { erase, alias } = effects;
    // By an alias, not by a reroute: what was delivered where it went before is delivered.
    const wasMoved = event.busy !== undefined && !event.busy.endsWith(` ${event.lane}`);
    this.release(event);
    if (event.state !== 'pending') return;
    if (wasMoved || alias?.stale === true) {
      event.dueAt = state === 'pending' ? times.dueAt : times.now;
      return;
    }
    if (state === 'pending') event.dueAt = times.dueAt;
    else {
      event.state = state;
      this.#leave(event, event);
      event.replay = false;
    }
    if (erase) this.#erase(event);
    if (alias !== undefined) this.#addAlias(event.destination, alias);
  }

  replay(filter: (event: ModelEvent) => boolean, now: number): number {
    const settled = this.events.filter((event) => ['delivered', 'ignored', 'dead'].includes(event.state));
    const chosen = settled.filter((event) => event.hasBody && filter(event));
    for (const event of chosen) {
      event.replay = true;
      event.lane = this.#laneAt(event.destination, event.own);
      this.#join(event);
      event.state = 'pending';
      event.dueAt = now;
    }
    return chosen.length;
  }

  discard(filter: (event: ModelEvent) => boolean): number {
    const chosen = this.events.filter(
      (event) => ['dead', 'malformed'].includes(event.state) && filter(event),
    );
    for (const event of chosen) {
      if (event.state === 'malformed') this.remove(event);
      event.state = 'ignored';
      event.hasBody = false;
    }
    return chosen.length;
  }

  reroute(source: string, destination: string): number {
    const chosen = this.#pending().filter(
      (event) => event.source === source && event.destination !== destination,
    );
    for (const event of chosen) {
      const from = { ...event };
      event.destination = destination;
      event.lane = this.#laneAt(destination, event.own);
      this.#join(event);
      this.#leave(event, from);
    }
    return chosen.length;
  }

  restart(): void {
    for (const event of this.events) this.release(event);
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

  #pending(): ModelEvent[] {
    return this.events.filter((event) => event.state === 'pending');
  }

  #arrive(receipt: string, source: string, destination: string): ModelEvent {
    this.#arrived += 1;
    const event: ModelEvent = {
      receipt,
      seq: this.#arrived,
      source,
      destination,
      identity: undefined,
      lane: undefined,
      own: undefined,
      state: 'malformed',
      dueAt: 0,
      hasBody: true,
      claimed: false,
      busy: undefined,
      replay: false,
    };
    this.events.push(event);
    return event;
  }

  #becomeEvent(event: ModelEvent, arrival: Arrival): void {
    const { receivedAt, ...fields } = arrival;
    const lane = this.#laneAt(fields.destination, fields.lane);
    Object.assign(event, fields, { dueAt: receivedAt, own: fields.lane, lane });
    this.#join(event);
    event.state = 'pending';
  }

  #isHead(event: ModelEvent): boolean {
    return event.lane === undefined || this.#heads.get(this.#queue(event)) === event;
  }

  #isBusy(event: ModelEvent): boolean {
    const lane = `${event.destination} ${event.lane}`;
    return event.lane !== undefined && this.events.some((other) => other.busy === lane);
  }

  #queue({ destination, lane, replay }: Queue): string {
    return `${destination} ${lane} ${replay}`;
  }

  #join(event: ModelEvent): void {
    const key = this.#queue(event);
    if (event.lane !== undefined && !this.#heads.has(key)) this.#heads.set(key, event);
  }

  #leave(event: ModelEvent, queue: Queue): void {
    const key = this.#queue(queue);
    if (this.#heads.get(key) !== event) return;
    this.#heads.delete(key);
    const next = this.#pending().find((other) => other !== event && this.#queue(other) === key);
    if (next !== undefined) this.#heads.set(key, next);
  }

  #laneAt(destination: string, own: string | undefined): string | undefined {
    const next = this.#aliases.get(`${destination} ${own}`);
    return next === undefined ? own : this.#laneAt(destination, next);
  }

  #addAlias(destination: string, { from, to }: { from: string; to: string }): void {
    const key = `${destination} ${from}`;
    if (this.#aliases.has(key) || this.#laneAt(destination, to) === from) return;
    this.#aliases.set(key, to);
    const moved = this.#pending().filter((event) => event.destination === destination && event.lane === from);
    const first = moved.filter((event) => this.#isHead(event));
    for (const event of moved) event.lane = this.#laneAt(destination, from);
    for (const event of first) {
      this.#heads.delete(this.#queue({ ...event, lane: from }));
      this.#join(event);
    }
  }

  /** The lane of the event's own customer is erased, with all that leads to it. */
  #erase(of: ModelEvent): void {
    const isErased = (lane: string | undefined): boolean =>
      lane === of.own || this.#laneAt(of.destination, lane) === of.own;
    for (const event of this.events) {
      const near = event.destination === of.destination || event.source === of.source;
      if (event.lane === undefined || !near || event.state === 'pending') continue;
      if (isErased(event.lane) || isErased(event.own)) event.hasBody = false;
    }
  }
}
