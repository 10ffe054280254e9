/* oxlint-disable vitest/no-standalone-expect -- part of the test in model.ts */
import { expect } from 'vitest';
import type { EventState, Journal, NewEvent, Settlement } from '../../src/journal/journal.ts';
import { type Arrival, type ModelEvent, ModelJournal } from './model-journal.ts';
import { DESTINATIONS, SOURCES, type Step, type StepOf } from './model-steps.ts';
import { claimRequest, sampleEvent, sampleMalformed, sha256, T0 } from './samples.ts';
import type { TestStore } from './test-store.ts';

type Outcome = Pick<StepOf<'settle'>, 'outcome' | 'wait' | 'erase' | 'alias'>;

/** Applies each step to the journal and to the model and compares the results. */
export class Comparison {
  readonly #store: TestStore;
  readonly #model = new ModelJournal();
  #journal: Journal;
  #now = T0;

  constructor(store: TestStore, journal: Journal) {
    this.#store = store;
    this.#journal = journal;
  }

  async run(step: Step): Promise<void> {
    if (step.do === 'append') await this.#append(step);
    if (step.do === 'claim') await this.#claim(step);
    if (step.do === 'settle') await this.#settle(step);
    if (step.do === 'release') await this.#release(step);
    if (step.do === 'malformed') await this.#malformed(step);
    if (step.do === 'promote') await this.#promote(step);
    if (step.do === 'replay') await this.#replay(step);
    if (step.do === 'discard') await this.#discard(step);
    if (step.do === 'reroute') await this.#reroute(step);
    if (step.do === 'restart') await this.#restart();
    if (step.do === 'time') this.#now += step.by;
    await this.#compareCounts();
  }

  /** Claims and delivers until nothing is left: every pending event must appear, in order. */
  async drain(): Promise<void> {
    await this.#restart();
    this.#now += 1_000_000;
    for (const destination of DESTINATIONS) {
      const all: StepOf<'claim'> = { do: 'claim', destination, sources: [...SOURCES], limit: 3, replays: 3 };
      while (this.#model.backlog(destination) > 0) {
        for (const event of await this.#claim(all)) {
          await this.#settleAs(event, { outcome: 'delivered', wait: 0, erase: false, alias: undefined });
        }
      }
    }
    await this.#compareCounts();
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  #arrival(step: StepOf<'append'> | StepOf<'promote'>): { arrival: Arrival; event: NewEvent } {
    const fields = {
      source: step.source,
      destination: step.destination,
      identity: sha256(`identity ${step.identity}`),
      lane: step.lane === undefined ? undefined : sha256(`lane ${step.lane}`),
      receivedAt: this.#now,
    };
    return { arrival: fields, event: sampleEvent(fields) };
  }

  async #settleAs(event: ModelEvent, { outcome, wait, erase, alias: merge }: Outcome): Promise<void> {
    const times = { now: this.#now, dueAt: this.#now + wait };
    const lanes = merge && { from: sha256(`lane ${merge.from}`), to: sha256(`lane ${merge.to}`) };
    const effects = { erase, alias: lanes && { ...lanes, stale: merge.stale } };
    const alias = lanes && { ...lanes, profile: effects.alias?.stale === true ? 'not this' : null };
    await this.#journal.settle({
      ...this.#settlement(event, outcome, times.dueAt),
      ...(erase && event.ownLane !== undefined ? { erase: [event.ownLane] } : {}),
      ...(alias === undefined ? {} : { alias }),
    });
    this.#model.settle(event, outcome, times, effects);
  }

  #settlement(event: ModelEvent, state: EventState, dueAt: number): Settlement {
    const common = {
      receipt: event.receipt,
      now: this.#now,
      attempts: [],
      delivered: [],
    };
    if (state === 'pending') return { ...common, state, dueAt, failedAttempts: 1, ownFaultCount: 0 };
    if (state === 'delivered') return { ...common, state };
    if (state === 'ignored') return { ...common, state, reason: 'unmapped' };
    return { ...common, state: 'dead', reason: 'rejected', detail: 'no', sent: [] };
  }

  async #append(step: StepOf<'append'>): Promise<void> {
    const { arrival: fields, event } = this.#arrival(step);
    const known = this.#model.known(fields.source, fields.identity);
    const answer = await this.#journal.append(event);
    expect(answer.duplicate).toBe(known !== undefined);
    if (known === undefined) this.#model.append(answer.receipt, fields);
    else expect(answer.receipt).toBe(known.receipt);
  }

  async #claim(step: StepOf<'claim'>): Promise<ModelEvent[]> {
    const { do: _do, ...request } = step;
    const answer = await this.#journal.claim(claimRequest({ ...request, now: this.#now }));
    const others = this.#claimInModel(step, false, step.limit);
    const isFull = others.next !== undefined && others.next <= this.#now;
    const maxReplays = isFull ? 0 : Math.min(step.replays, step.limit - others.claimed.length);
    const replays = this.#claimInModel(step, true, maxReplays);
    const claimed = [...others.claimed, ...replays.claimed];
    expect(answer.events.map((event) => [event.receipt, event.isReplay])).toEqual(
      claimed.map((event) => [event.receipt, event.replay]),
    );
    expect([answer.nextDueAt, answer.nextReplayAt]).toEqual([others.next, replays.next]);
    return claimed;
  }

  /** Claims events of one kind in the model, in the order in which they are due. */
  #claimInModel(
    step: StepOf<'claim'>,
    replay: boolean,
    max: number,
  ): { claimed: ModelEvent[]; next: number | undefined } {
    const claimable = this.#model.claimable(step.destination, step.sources, replay);
    const claimed = claimable.filter((event) => event.dueAt <= this.#now).slice(0, max);
    for (const event of claimed) this.#model.claim(event);
    return { claimed, next: claimable[claimed.length]?.dueAt };
  }

  async #settle(step: StepOf<'settle'>): Promise<void> {
    const candidates = this.#model.events.filter((event) => event.claimed || !step.claimed);
    const event = candidates[step.pick % Math.max(1, candidates.length)];
    if (event === undefined) return;
    await this.#settleAs(event, step);
  }

  async #release(step: StepOf<'release'>): Promise<void> {
    const claimed = this.#model.events.filter((event) => event.claimed);
    const event = claimed[step.pick % Math.max(1, claimed.length)];
    if (event === undefined) return;
    await this.#journal.release([event.receipt]);
    this.#model.release(event);
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
    if (known === undefined) this.#model.promote(chosen, fields);
    else this.#model.remove(chosen);
  }

  async #replay(step: StepOf<'replay'>): Promise<void> {
    const answer = await this.#journal.replay({
      filter: { states: [step.state] },
      asNew: false,
      by: 'olga',
      now: this.#now,
    });
    expect(answer.replayed).toBe(this.#model.replay((event) => event.state === step.state, this.#now));
  }

  async #discard(step: StepOf<'discard'>): Promise<void> {
    const answer = await this.#journal.discard({ states: [step.state] }, 'olga', this.#now);
    expect(answer.discarded).toBe(this.#model.discard((event) => event.state === step.state));
  }

  async #reroute(step: StepOf<'reroute'>): Promise<void> {
    const answer = await this.#journal.reroute(step.source, step.destination);
    expect(answer.rerouted).toBe(this.#model.reroute(step.source, step.destination));
  }

  async #restart(): Promise<void> {
    await this.#journal.close();
    this.#journal = await this.#store.open();
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
    for (const { destination, pending, replaying } of await this.#journal.backlog())
      expect([destination, pending, replaying]).toEqual([
        destination,
        this.#model.backlog(destination),
        this.#model.replaying(destination),
      ]);
  }
}
