/* oxlint-disable vitest/no-standalone-expect -- part of the test in model.ts */
import { expect } from 'vitest';
import type {
  Journal,
  NewEvent,
  SettledEnrichment,
  Settlement,
  StoredEnrichment,
} from '../../src/journal/journal.ts';
import { type Arrival, type ModelEvent, ModelJournal } from './model-journal.ts';
import {
  type ArrivalStep,
  DESTINATIONS,
  type SettlementStep,
  SOURCES,
  type Step,
  type StepOf,
} from './model-steps.ts';
import { claimLimits, sampleEvent, sampleMalformed, sha256, T0 } from './samples.ts';
import type { TestStore } from './test-store.ts';

type Outcome = Omit<SettlementStep, 'pick' | 'held'>;

const DELIVERED: Outcome = {
  outcome: 'delivered',
  delivered: ['event'],
  wait: 0,
  erase: false,
  alias: undefined,
  enrichment: undefined,
};

const NOTHING = { entities: undefined, missing: undefined, refreshed: undefined };

/** What is stored about the enrichment of an event, by its receipt; nothing if there is nothing. */
function storedOf({
  receipt,
  state,
  entities,
  staleBefore,
  refresh,
}: ModelEvent): [string, StoredEnrichment][] {
  const isRunning = state === 'pending' && refresh !== undefined;
  if (entities === undefined && !isRunning) return [];
  const { customer = false, bill = false, attempts = 0 } = refresh ?? {};
  return [
    [
      receipt,
      {
        ...(entities === undefined ? {} : { entities }),
        ...(entities === undefined || staleBefore === undefined || state !== 'pending'
          ? {}
          : { staleBefore }),
        ...(isRunning ? { refresh: { customer, bill, attempts } } : {}),
      },
    ],
  ];
}

function laneOf(customer: number): string {
  return sha256(`lane ${customer}`);
}

function toLanes({ from, to }: { readonly from: number; readonly to: number }) {
  return { from: laneOf(from), to: laneOf(to) };
}

function toEnrichment({
  entities,
  missing,
  refreshed,
}: NonNullable<Outcome['enrichment']>): SettledEnrichment {
  return {
    ...(entities === undefined ? {} : { entities: `"${entities}"` }),
    ...(missing === undefined ? {} : { missing: { ...missing[0], dueIn: missing[1] } }),
    ...(refreshed === undefined ? {} : { refreshed }),
  };
}

/** Applies each step to the journal and to the model and compares the results. */
export class Comparison {
  readonly #store: TestStore;
  readonly #model: ModelJournal;
  #journal: Journal;
  #now = T0;
  /** By claimant and destination. */
  #tokens = new Map<string, string>();
  #starts = 0;

  constructor(store: TestStore, journal: Journal) {
    this.#store = store;
    this.#journal = journal;
    this.#model = new ModelJournal(store.isShared);
  }

  async run(step: Step): Promise<void> {
    if (step.do === 'append') await this.#append(step);
    if (step.do === 'claim') await this.#claim(step);
    if (step.do === 'settle') await this.#settle(step);
    if (step.do === 'release') await this.#release(step);
    if (step.do === 'malformed') await this.#malformed(step);
    if (step.do === 'promote') await this.#promote(step);
    if (step.do === 'replay') await this.#replay(step);
    if (step.do === 'refresh') await this.#refresh(step);
    if (step.do === 'discard') await this.#discard(step);
    if (step.do === 'reroute') await this.#reroute(step);
    if (step.do === 'restart') await this.#restart();
    if (step.do === 'time') this.#wait(step.by);
    await this.#compareCounts();
  }

  /** Claims and delivers until nothing is left: every pending event must appear, in order. */
  async drain(): Promise<void> {
    await this.#restart();
    this.#wait(1_000_000);
    const all = { do: 'claim' as const, claimant: 0, sources: [...SOURCES], events: 3, replays: 3 };
    for (const destination of DESTINATIONS) {
      while (this.#model.backlog(destination) > 0) {
        const { token, claimed } = await this.#claim({ ...all, destination });
        await this.#settleAll(
          token,
          claimed.map((event) => [event, DELIVERED]),
        );
      }
    }
    await this.#compareCounts();
  }

  #wait(ms: number): void {
    this.#now += ms;
    this.#store.clock.set(this.#now);
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  #arrival(step: ArrivalStep): { arrival: Arrival; event: NewEvent } {
    const arrival = {
      source: step.source,
      destination: step.destination,
      identity: sha256(`identity ${step.identity}`),
      lane: step.lane === undefined ? undefined : laneOf(step.lane),
    };
    return { arrival, event: sampleEvent(arrival) };
  }

  #token(claimant: number, destination: string): string {
    return this.#tokens.get(`${claimant} ${destination}`) ?? 'no token';
  }

  #settlement(event: ModelEvent, step: Outcome): Settlement {
    const { outcome: state, delivered, wait, erase, alias, enrichment } = step;
    const common = {
      receipt: event.receipt,
      attempts: [],
      delivered,
      ...(erase && event.ownLane !== undefined ? { erase: [event.ownLane] } : {}),
      ...(alias === undefined
        ? {}
        : { alias: { ...toLanes(alias), profile: alias.stale ? 'not this' : null } }),
      ...(enrichment === undefined ? {} : { enrichment: toEnrichment(enrichment) }),
    };
    if (state === 'pending') return { ...common, state, dueIn: wait, failedAttempts: 1, ownFaultCount: 0 };
    if (state === 'delivered') return { ...common, state };
    if (state === 'ignored') return { ...common, state, reason: 'unmapped' };
    return { ...common, state: 'dead', reason: 'rejected', detail: 'no', sent: [] };
  }

  async #settleAll(token: string, chosen: readonly (readonly [ModelEvent, Outcome])[]): Promise<void> {
    const settlements = chosen.map(([event, outcome]) => this.#settlement(event, outcome));
    const { stale } = await this.#journal.settle(token, settlements);
    const expected = chosen.filter(([event, { outcome, wait, alias, enrichment, ...step }]) => {
      const { entities, missing, refreshed } = toEnrichment(enrichment ?? NOTHING);
      const settlement = {
        ...step,
        state: outcome,
        dueAt: this.#now + wait,
        alias: alias && { ...toLanes(alias), stale: alias.stale },
        entities,
        missing: missing && { ...missing, dueAt: this.#now + missing.dueIn },
        refreshed,
      };
      return this.#model.settle(event, token, settlement, this.#now);
    });
    expect(stale).toEqual(expected.map(([{ receipt }]) => receipt));
  }

  async #append({ events }: StepOf<'append'>): Promise<void> {
    const arrivals = events.map((each) => this.#arrival(each));
    const answers = await this.#journal.append(arrivals.map(({ event }) => event));
    expect(answers).toHaveLength(arrivals.length);
    for (const [at, { arrival }] of arrivals.entries()) {
      const answer = answers[at]!;
      const known = this.#model.known(arrival.source, arrival.identity);
      expect(answer.duplicate).toBe(known !== undefined);
      if (known === undefined) this.#model.append(answer.receipt, arrival, this.#now);
      else expect(answer.receipt).toBe(known.receipt);
    }
  }

  async #claim(step: StepOf<'claim'>): Promise<{ token: string; claimed: ModelEvent[] }> {
    const { do: _do, claimant, destination, ...limits } = step;
    const id = `${claimant} ${destination} ${this.#starts}`;
    const answer = await this.#journal.claim({ id, destination }, claimLimits(limits));
    const { token } = answer;
    expect(this.#tokens.get(`${claimant} ${destination}`) ?? token).toBe(token);
    this.#tokens.set(`${claimant} ${destination}`, token);
    const others = this.#claimInModel(step, token, false, step.events);
    const isFull = others.next !== undefined && others.next <= this.#now;
    const maxReplays = isFull ? 0 : Math.min(step.replays, step.events - others.claimed.length);
    const replays = this.#claimInModel(step, token, true, maxReplays);
    const claimed = [...others.claimed, ...replays.claimed];
    expect(answer.events.map((event) => [event.receipt, event.isReplay, event.delivered])).toEqual(
      claimed.map((event) => [event.receipt, event.replay, event.delivered]),
    );
    const dueIn = [others.next, replays.next].map((at) => at && Math.max(0, at - this.#now));
    // Behind events that could be claimed now, an engine does not have to look for replays.
    const known = dueIn[0] === 0 && answer.replayDueIn === undefined ? [0, undefined] : dueIn;
    expect([answer.dueIn, answer.replayDueIn]).toEqual(known);
    return { token, claimed };
  }

  /** Claims events of one kind in the model, in the order in which they are due. */
  #claimInModel(
    step: StepOf<'claim'>,
    token: string,
    replay: boolean,
    max: number,
  ): { claimed: ModelEvent[]; next: number | undefined } {
    const claimable = this.#model.claimable(step.destination, step.sources, replay);
    const claimed = claimable.filter((event) => event.dueAt <= this.#now).slice(0, max);
    for (const event of claimed) this.#model.claim(event, token);
    return { claimed, next: claimable[claimed.length]?.dueAt };
  }

  async #settle(step: StepOf<'settle'>): Promise<void> {
    const token = this.#token(step.claimant, step.destination);
    const chosen = step.settlements.flatMap(({ pick, held, ...outcome }) => {
      const candidates = this.#model.events.filter((event) => event.holder === token || !held);
      const event = candidates[pick % Math.max(1, candidates.length)];
      return event === undefined ? [] : [[event, outcome] as const];
    });
    await this.#settleAll(token, chosen);
  }

  async #release(step: StepOf<'release'>): Promise<void> {
    const token = this.#token(step.claimant, step.destination);
    const claimed = this.#model.events.filter(({ holder }) => holder !== undefined);
    const chosen = step.picks.flatMap((pick) => claimed[pick % Math.max(1, claimed.length)] ?? []);
    await this.#journal.release(
      token,
      chosen.map(({ receipt }) => receipt),
    );
    for (const event of chosen) this.#model.release(event, token);
  }

  async #malformed(step: StepOf<'malformed'>): Promise<void> {
    const { source: from, destination: to } = step;
    const { receipt } = await this.#journal.appendMalformed(
      sampleMalformed({ source: from, destination: to }),
    );
    this.#model.appendMalformed(receipt, from, to);
  }

  async #promote(step: StepOf<'promote'>): Promise<void> {
    const malformed = this.#model.events.filter((event) => event.state === 'malformed');
    const chosen = malformed[step.pick % Math.max(1, malformed.length)];
    if (chosen === undefined) return;
    const { arrival: fields, event } = this.#arrival(step);
    const known = this.#model.known(fields.source, fields.identity);
    const answer = await this.#journal.promote(chosen.receipt, event, 'olga');
    expect(answer).toMatchObject({ receipt: (known ?? chosen).receipt, duplicate: known !== undefined });
    if (known === undefined) this.#model.promote(chosen, fields, this.#now);
    else this.#model.remove(chosen);
  }

  async #replay(step: StepOf<'replay'>): Promise<void> {
    const answer = await this.#journal.replay({
      filter: { states: [step.state] },
      asNew: false,
      by: 'olga',
      refetch: step.refetch,
    });
    const replayed = this.#model.replay(({ state }) => state === step.state, step.refetch, this.#now);
    expect(answer.replayed).toBe(replayed);
  }

  async #refresh({ sources, destination, running }: StepOf<'refresh'>): Promise<void> {
    const routes = sources.map((source) => ({ source, destination }));
    const isOfRoute = (event: ModelEvent): boolean =>
      event.destination === destination && sources.includes(event.source as (typeof sources)[number]);
    const started = this.#model.refresh(isOfRoute, running, this.#now);
    expect(await this.#journal.refresh({ routes, running })).toEqual({ started, dropped: 0 });
  }

  async #discard(step: StepOf<'discard'>): Promise<void> {
    const answer = await this.#journal.discard({ states: [step.state] }, 'olga');
    expect(answer.discarded).toBe(this.#model.discard((event) => event.state === step.state));
  }

  async #reroute(step: StepOf<'reroute'>): Promise<void> {
    const answer = await this.#journal.reroute(step.source, step.destination, 'olga');
    expect(answer.rerouted).toBe(this.#model.reroute(step.source, step.destination));
  }

  async #restart(): Promise<void> {
    await this.#journal.close();
    this.#journal = await this.#store.open();
    this.#starts += 1;
    this.#tokens.clear();
    this.#model.restart();
  }

  async #compareCounts(): Promise<void> {
    const ledger = await this.#journal.ledger();
    for (const source of SOURCES) {
      const counts = ledger[source];
      if (counts === undefined) continue;
      expect(counts.accepted).toBe(counts.pending + counts.delivered + counts.ignored + counts.dead);
      expect(counts.accepted).toBe(this.#model.accepted(source));
      for (const state of ['pending', 'delivered', 'ignored', 'dead', 'malformed'] as const)
        expect([state, counts[state]]).toEqual([state, this.#model.count(source, state)]);
    }
    expect(await this.#journal.refreshes()).toEqual(this.#model.refreshes());
    const receipts = this.#model.events.map(({ receipt }) => receipt);
    expect(await this.#journal.enrichments(receipts)).toEqual(new Map(this.#model.events.flatMap(storedOf)));
    for (const { destination, pending, replaying } of await this.#journal.backlog())
      expect([destination, pending, replaying]).toEqual([
        destination,
        this.#model.backlog(destination),
        this.#model.replaying(destination),
      ]);
  }
}
