/* oxlint-disable vitest/no-standalone-expect -- the parts of one test, which is in model.ts */
import { expect } from 'vitest';
import type { EventState, Journal, NewEvent, Settlement } from '../../src/journal/journal.ts';
import { type Arrival, type ModelEvent, ModelJournal } from './model-journal.ts';
import { DESTINATIONS, type Did, SOURCES, type Step } from './model-steps.ts';
import { claimRequest, sampleEvent, sampleMalformed, sha256, T0 } from './samples.ts';
import type { TestStore } from './test-store.ts';

type Outcome = Pick<Did<'settle'>, 'outcome' | 'wait' | 'erase' | 'alias'>;

/** Does each step to the journal and to the model, and compares what both say. */
export class Comparison {
  readonly #store: TestStore;
  readonly #model = new ModelJournal();
  #journal: Journal;
  #now = T0;

  constructor(store: TestStore, journal: Journal) {
    this.#store = store;
    this.#journal = journal;
  }

  async take(of: Step): Promise<void> {
    if (of.do === 'append') await this.#append(of);
    if (of.do === 'claim') await this.#claim(of);
    if (of.do === 'settle') await this.#settle(of);
    if (of.do === 'release') await this.#release(of);
    if (of.do === 'malformed') await this.#malformed(of);
    if (of.do === 'promote') await this.#promote(of);
    if (of.do === 'replay') await this.#replay(of);
    if (of.do === 'discard') await this.#discard(of);
    if (of.do === 'reroute') await this.#reroute(of);
    if (of.do === 'restart') await this.#restart();
    if (of.do === 'time') this.#now += of.by;
    await this.#compareCounts();
  }

  /** Claims and delivers until nothing is left: everything that is pending must come, in its order. */
  async drain(): Promise<void> {
    await this.#restart();
    this.#now += 1_000_000;
    for (const of of DESTINATIONS) {
      const all: Did<'claim'> = { do: 'claim', destination: of, sources: [...SOURCES], limit: 3, replays: 3 };
      while (this.#model.backlog(of) > 0) {
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

  #arrival(of: Did<'append'> | Did<'promote'>): { arrival: Arrival; event: NewEvent } {
    const fields = {
      source: of.source,
      destination: of.destination,
      identity: sha256(`identity ${of.identity}`),
      lane: of.lane === undefined ? undefined : sha256(`lane ${of.lane}`),
      receivedAt: this.#now,
    };
    return { arrival: fields, event: sampleEvent(fields) };
  }

  async #settleAs(event: ModelEvent, { outcome, wait, ...of }: Outcome): Promise<void> {
    const times = { now: this.#now, dueAt: this.#now + wait };
    const lanes = of.alias && { from: sha256(`lane ${of.alias.from}`), to: sha256(`lane ${of.alias.to}`) };
    const effects = { erase: of.erase, alias: lanes && { ...lanes, stale: of.alias?.stale === true } };
    const alias = lanes && { ...lanes, profile: effects.alias?.stale === true ? 'not this' : null };
    await this.#journal.settle({
      ...this.#settlement(event, outcome, times.dueAt),
      ...(of.erase && event.own !== undefined ? { erase: [event.own] } : {}),
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
    if (state === 'pending') return { ...common, state, dueAt, failures: 1, charged: 0 };
    if (state === 'delivered') return { ...common, state };
    if (state === 'ignored') return { ...common, state, reason: 'unmapped' };
    return { ...common, state: 'dead', reason: 'rejected', detail: 'no', sent: [] };
  }

  async #append(of: Did<'append'>): Promise<void> {
    const { arrival: fields, event } = this.#arrival(of);
    const known = this.#model.known(fields.source, fields.identity);
    const answer = await this.#journal.append(event);
    expect(answer.duplicate).toBe(known !== undefined);
    if (known === undefined) this.#model.append(answer.receipt, fields);
    else expect(answer.receipt).toBe(known.receipt);
  }

  async #claim(of: Did<'claim'>): Promise<ModelEvent[]> {
    const { do: _do, ...request } = of;
    const answer = await this.#journal.claim(claimRequest({ ...request, now: this.#now }));
    const live = this.#take(of, false, of.limit);
    const isFull = live.next !== undefined && live.next <= this.#now;
    const replays = this.#take(of, true, isFull ? 0 : Math.min(of.replays, of.limit - live.taken.length));
    const taken = [...live.taken, ...replays.taken];
    expect(answer.events.map((event) => [event.receipt, event.isReplay])).toEqual(
      taken.map((event) => [event.receipt, event.replay]),
    );
    expect([answer.nextDueAt, answer.nextReplayAt]).toEqual([live.next, replays.next]);
    return taken;
  }

  /** Claims in the model: those due longest of one kind. */
  #take(of: Did<'claim'>, replay: boolean, most: number): { taken: ModelEvent[]; next: number | undefined } {
    const open = this.#model.claimable(of.destination, of.sources, replay);
    const taken = open.filter((event) => event.dueAt <= this.#now).slice(0, most);
    for (const event of taken) this.#model.claim(event);
    return { taken, next: open[taken.length]?.dueAt };
  }

  async #settle(of: Did<'settle'>): Promise<void> {
    const among = this.#model.events.filter((event) => event.claimed || !of.claimed);
    const event = among[of.pick % Math.max(1, among.length)];
    if (event === undefined) return;
    await this.#settleAs(event, of);
  }

  async #release(of: Did<'release'>): Promise<void> {
    const claimed = this.#model.events.filter((event) => event.claimed);
    const event = claimed[of.pick % Math.max(1, claimed.length)];
    if (event === undefined) return;
    await this.#journal.release([event.receipt]);
    this.#model.release(event);
  }

  async #malformed(of: Did<'malformed'>): Promise<void> {
    const { source: from, destination: to } = of;
    const { receipt } = await this.#journal.appendMalformed(
      sampleMalformed({ source: from, destination: to }),
    );
    this.#model.appendMalformed(receipt, from, to);
  }

  async #promote(of: Did<'promote'>): Promise<void> {
    const malformed = this.#model.events.filter((event) => event.state === 'malformed');
    const chosen = malformed[of.pick % Math.max(1, malformed.length)];
    if (chosen === undefined) return;
    const { arrival: fields, event } = this.#arrival(of);
    const known = this.#model.known(fields.source, fields.identity);
    const answer = await this.#journal.promote(chosen.receipt, event, 'olga');
    expect(answer).toEqual({ receipt: (known ?? chosen).receipt, duplicate: known !== undefined });
    if (known === undefined) this.#model.promote(chosen, fields);
    else this.#model.remove(chosen);
  }

  async #replay(of: Did<'replay'>): Promise<void> {
    const answer = await this.#journal.replay({
      filter: { states: [of.state] },
      asNew: false,
      by: 'olga',
      now: this.#now,
    });
    expect(answer.replayed).toBe(this.#model.replay((event) => event.state === of.state, this.#now));
  }

  async #discard(of: Did<'discard'>): Promise<void> {
    const answer = await this.#journal.discard({ states: [of.state] }, 'olga', this.#now);
    expect(answer.discarded).toBe(this.#model.discard((event) => event.state === of.state));
  }

  async #reroute(of: Did<'reroute'>): Promise<void> {
    const answer = await this.#journal.reroute(of.source, of.destination);
    expect(answer.rerouted).toBe(this.#model.reroute(of.source, of.destination));
  }

  async #restart(): Promise<void> {
    await this.#journal.close();
    this.#journal = await this.#store.open();
    this.#model.restart();
  }

  async #compareCounts(): Promise<void> {
    const ledger = await this.#journal.ledger();
    for (const of of SOURCES) {
      const counts = ledger[of];
      if (counts === undefined) continue;
      expect(counts.accepted).toBe(counts.pending + counts.delivered + counts.ignored + counts.dead);
      expect(counts.accepted).toBe(this.#model.accepted(of));
      for (const state of ['pending', 'delivered', 'ignored', 'dead', 'malformed'] as const)
        expect([state, counts[state]]).toEqual([state, this.#model.count(of, state)]);
    }
    for (const { destination: of, pending, replaying } of await this.#journal.backlog())
      expect([of, pending, replaying]).toEqual([of, this.#model.backlog(of), this.#model.replaying(of)]);
  }
}
