/* oxlint-disable vitest/no-standalone-expect -- part of the test in landing-sequences.ts */
import { expect } from 'vitest';
import { type Attempt, DELIVERY_SPAN_MS, type Journal, type Settlement } from '../../src/journal/journal.ts';
import { LandingModel, type LandingModelEvent } from './landing-model.ts';
import {
  LANDING_DESTINATIONS,
  LANDING_SOURCES,
  type LandingStep,
  type LandingStepOf,
} from './landing-steps.ts';
import { retainAt } from './maintenance-round.ts';
import { append, claim, sampleAttempt, sampleEvent, settled, T0 } from './samples.ts';
import type { TestStore } from './test-store.ts';

const FOREVER = { from: 0, until: T0 * 2 };
/** The span of time zero, so that ranges before T0 can be confirmed. */
const FIRST = T0 - 2 * DELIVERY_SPAN_MS;

function isDelivered({ state, destination }: LandingModelEvent): boolean {
  return state === 'delivered' && destination === LANDING_DESTINATIONS[0];
}

function isDoubted({ doubt }: LandingModelEvent): boolean {
  return doubt !== undefined;
}

/** Applies each step to the journal and to the model, and compares all that they count. */
export class LandingComparison {
  readonly #store: TestStore;
  readonly #model = new LandingModel();
  #journal: Journal;
  #now = T0;

  constructor(store: TestStore, journal: Journal) {
    this.#store = store;
    this.#journal = journal;
  }

  async run(step: LandingStep): Promise<void> {
    if (step.do === 'append') await this.#append(step);
    if (step.do === 'settle') await this.#settle(step);
    if (step.do === 'confirm') await this.#confirm(step);
    if (step.do === 'doubt') await this.#doubt(step);
    if (step.do === 'clear') await this.#clear(step);
    if (step.do === 'refuse') await this.#refuse(step);
    if (step.do === 'unwatch') await this.#unwatch(step);
    if (step.do === 'replay') await this.#replay(step);
    if (step.do === 'refresh') await this.#refresh(step);
    if (step.do === 'discard') await this.#discard(step);
    if (step.do === 'time') this.#wait(step.by);
    if (step.do === 'restart') await this.#restart();
    if (step.do === 'retain') await this.#retain(step);
    await this.#compare();
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  #wait(ms: number): void {
    this.#now += ms;
    this.#store.clock.set(this.#now);
  }

  #existing(): LandingModelEvent[] {
    return this.#model.events.filter(({ exists }) => exists);
  }

  /** Different events: for odd numbers one of those that are likely, for even ones any. */
  #picked(picks: readonly number[], isLikely: (event: LandingModelEvent) => boolean): LandingModelEvent[] {
    const events = this.#existing();
    const likely = events.filter(isLikely);
    const pickOf = (pick: number): LandingModelEvent | undefined => {
      const from = pick % 2 === 1 && likely.length > 0 ? likely : events;
      return from[pick % Math.max(1, from.length)];
    };
    return [...new Set(picks.flatMap((pick) => pickOf(pick) ?? []))];
  }

  async #append({ count, lane, source, destination }: LandingStepOf<'append'>): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      const { receipt } = await append(
        this.#journal,
        sampleEvent({ source, destination, lane, receivedAt: this.#now }),
      );
      this.#model.append(receipt, { source, destination, lane });
    }
  }

  #attempts({ acknowledged, unanswered }: LandingStepOf<'settle'>): Attempt[] {
    return [
      ...acknowledged.map((kind) => sampleAttempt({ outcome: 'delivered' }, { kind, status: 200 })),
      ...unanswered.map((kind) => sampleAttempt({ outcome: 'destination' }, { kind, status: undefined })),
      sampleAttempt({ outcome: 'retry' }, { status: 503 }),
    ];
  }

  async #settle(step: LandingStepOf<'settle'>): Promise<void> {
    const { destination, outcome, isStale, erase, missing } = step;
    const { token, events } = await claim(this.#journal, { destination, sources: [...LANDING_SOURCES] });
    const chosen = events[step.pick % Math.max(1, events.length)];
    const released = events.filter((event) => event !== chosen || isStale).map(({ receipt }) => receipt);
    await this.#journal.release(token, released);
    const event = this.#model.events.find(({ receipt }) => receipt === chosen?.receipt);
    if (event === undefined) return;
    const { receipt, lane } = event;
    const minimal = {
      delivered: settled.delivered(receipt),
      ignored: settled.ignored(receipt),
      dead: settled.dead(receipt),
      pending: settled.waiting(receipt, 0),
      malformed: settled.dead(receipt),
    }[outcome];
    const settlement: Settlement = {
      ...minimal,
      attempts: this.#attempts(step),
      ...(minimal.state === 'delivered' && step.watch ? { watch: true } : {}),
      ...(missing ? { enrichment: { missing: { customer: false, bill: true, dueIn: 0 } } } : {}),
      ...(erase && lane !== undefined ? { erase: [lane] } : {}),
    };
    expect(await this.#journal.settle(token, [settlement])).toEqual({ stale: isStale ? [receipt] : [] });
    this.#model.send(event, settlement.attempts, this.#now);
    if (isStale) return;
    if (outcome !== 'pending')
      this.#model.settle(event, {
        state: outcome,
        settledAt: this.#now,
        isWatched: outcome === 'delivered' && step.watch,
        isRefreshed: outcome === 'delivered' && missing,
        ...(outcome === 'dead' ? { reason: 'rejected' } : {}),
      });
    if (erase && lane !== undefined) this.#erase(event);
  }

  #erase({ lane, source, destination }: LandingModelEvent): void {
    for (const event of this.#existing()) {
      const isInScope = event.destination === destination || event.source === source;
      if (event.lane !== lane || !isInScope || event.state === 'pending') continue;
      event.hasBody = false;
      event.isRefreshed = false;
    }
  }

  async #confirm({ destination, from, length, since }: LandingStepOf<'confirm'>): Promise<void> {
    const range = {
      from: FIRST + from * DELIVERY_SPAN_MS,
      until: FIRST + (from + length) * DELIVERY_SPAN_MS,
      since,
    };
    if (range.until > this.#now) return;
    const landed = this.#model.confirm(destination, range);
    expect(await this.#journal.confirm(destination, range)).toEqual({ landed });
  }

  async #doubt({ picks }: LandingStepOf<'doubt'>): Promise<void> {
    const [destination] = LANDING_DESTINATIONS;
    const events = this.#picked(picks, isDelivered);
    const code = `code-${picks[0]}`;
    const delivered = events.filter(
      (event) => event.state === 'delivered' && event.destination === destination,
    );
    const doubts = events.map(({ receipt }) => ({ receipt, code, detail: 'doubted' }));
    expect(await this.#journal.doubt(destination, doubts)).toEqual({ doubted: delivered.length });
    for (const event of delivered) event.doubt = code;
  }

  async #clear({ picks }: LandingStepOf<'clear'>): Promise<void> {
    const events = this.#picked(picks, isDoubted);
    await this.#journal.clearDoubts(events.map(({ receipt }) => receipt));
    for (const event of events) event.doubt = undefined;
  }

  async #refuse({ picks, isOther }: LandingStepOf<'refuse'>): Promise<void> {
    const [destination] = LANDING_DESTINATIONS;
    const events = this.#picked(picks, isDelivered);
    const records = events.map(({ receipt, idSuffix }) => ({
      receipt,
      kind: 'event' as const,
      idSuffix: isOther ? '-r99' : idSuffix,
      refusedAt: this.#now,
      detail: 'refused',
    }));
    const chosen = events.filter(
      (event) => event.state === 'delivered' && event.destination === destination && !isOther,
    );
    const { refused } = await this.#journal.refuse(destination, records);
    expect(refused).toEqual(chosen.map(({ receipt }) => receipt));
    for (const event of chosen)
      this.#model.leave(event, { state: 'dead', reason: 'refused-later', settledAt: this.#now });
  }

  async #unwatch({ pick }: LandingStepOf<'unwatch'>): Promise<void> {
    for (const event of this.#picked([pick], ({ isWatched }) => isWatched)) {
      await this.#journal.unwatch([event.receipt]);
      event.isWatched = false;
    }
  }

  async #replay({ pick, state, asNew }: LandingStepOf<'replay'>): Promise<void> {
    const wanted = state === undefined ? this.#picked([pick], isDoubted) : this.#existing();
    const receipts = wanted.map(({ receipt }) => receipt);
    const filter = state === undefined ? { receipts } : { states: [state] };
    const chosen = wanted.filter(
      (event) => event.state !== 'pending' && event.hasBody && (state === undefined || event.state === state),
    );
    const { replayed } = await this.#journal.replay({ filter, asNew, by: 'olga' });
    expect(replayed).toBe(chosen.length);
    for (const event of chosen) {
      const idSuffix = asNew ? `-r${Number(event.idSuffix.slice(2)) + 1}` : event.idSuffix;
      this.#model.leave(event, { state: 'pending', idSuffix });
    }
  }

  async #refresh({ destination }: LandingStepOf<'refresh'>): Promise<void> {
    const routes = LANDING_SOURCES.map((source) => ({ source, destination }));
    await this.#journal.refresh({ routes, running: 1_000 });
    const waiting = this.#existing().filter(
      (event) => event.isRefreshed && event.destination === destination,
    );
    for (const event of waiting) {
      if (event.hasBody) this.#model.leave(event, { state: 'pending' });
      else event.isRefreshed = false;
    }
  }

  async #discard({ source }: LandingStepOf<'discard'>): Promise<void> {
    const chosen = this.#existing().filter((event) => event.source === source && event.state === 'dead');
    expect(await this.#journal.discard({ source }, 'olga')).toEqual({ discarded: chosen.length });
    for (const event of chosen)
      this.#model.leave(event, { state: 'ignored', hasBody: false, settledAt: this.#now });
  }

  async #restart(): Promise<void> {
    await this.#journal.close();
    this.#journal = await this.#store.open();
  }

  /** Retention may remove what it likes: the model takes over what is left. */
  async #retain({ keepRecords }: LandingStepOf<'retain'>): Promise<void> {
    const ids = keepRecords ? 1e12 : 0;
    await retainAt(this.#inTest(), { delivered: 0, ids, dead: ids }, this.#now);
    for (const event of this.#existing()) {
      const record = await this.#journal.find(event.receipt);
      event.exists = record !== undefined;
      event.hasBody = record?.body !== undefined;
    }
  }

  #inTest() {
    const reopen = async (): Promise<Journal> => {
      await this.#restart();
      return this.#journal;
    };
    return { journal: this.#journal, clock: this.#store.clock, isShared: this.#store.isShared, reopen };
  }

  async #compare(): Promise<void> {
    const journal = this.#journal;
    const [ledger, sums] = [await journal.ledger(), await journal.landings()];
    expect(sums).toEqual(this.#model.landings());
    for (const source of LANDING_SOURCES) {
      expect(ledger[source]?.delivered ?? 0).toBe(this.#model.count(source, 'delivered'));
      expect(sums[source]?.landed ?? 0).toBeLessThanOrEqual(ledger[source]?.delivered ?? 0);
    }
    for (const destination of LANDING_DESTINATIONS) {
      expect(await journal.deliverySpans(destination, FOREVER)).toEqual(this.#model.spans(destination));
      const isAt = (event: LandingModelEvent): boolean => event.destination === destination;
      const doubted = this.#model.those((event) => isAt(event) && event.doubt !== undefined);
      const { counts, newest } = await journal.doubts(destination, 500);
      const count = Object.values(counts).reduce((sum, n) => sum + n, 0);
      expect([count, newest.map(({ receipt }) => receipt).toSorted()]).toEqual([doubted.length, doubted]);
      const watched = await journal.watched(destination, { until: this.#now + 1, limit: 1_000 });
      expect(watched.toSorted()).toEqual(this.#model.those((event) => isAt(event) && event.isWatched));
    }
    const events = this.#existing();
    const found = await Promise.all(events.map(({ receipt }) => journal.landing(receipt)));
    expect(found).toEqual(events.map((event) => this.#model.landing(event)));
  }
}
