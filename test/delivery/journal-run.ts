import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEvent } from '../../src/capillary/envelope.ts';
import type { DestinationConfig, SourceConfig } from '../../src/config/schema.ts';
import type { MessageOutcome, OutMessage } from '../../src/delivery/message.ts';
import { type Prepared, prepare } from '../../src/delivery/prepare.ts';
import { DONE, settlementOf, writtenWith } from '../../src/delivery/settlement.ts';
import { newEvent } from '../../src/intake/accept.ts';
import type { ClaimedEvent, Journal, Settlement } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/journal.ts';
import { verifyStore } from '../../src/journal/sqlite/verify.ts';
import { createRandom, type Random, randomInteger, randomOf } from '../../src/simulator/random.ts';
import type { Told } from './history.ts';

export interface JournalRunOptions {
  readonly source: SourceConfig;
  readonly destination: DestinationConfig;
  readonly now: number;
  /** Decides what is done when. */
  readonly seed: number;
}

/** An event that is claimed and mapped, and not settled yet. */
interface Flight {
  readonly event: ClaimedEvent;
  readonly prepared: Prepared;
}

/** A real journal, and a dispatcher that does one step at a time, any of those that it could do next. */
export class JournalRun {
  readonly sent: { by: Told; entity: object }[] = [];
  readonly #options: JournalRunOptions;
  readonly #path: string;
  readonly #random: Random;
  readonly #told = new Map<string, Told>();
  #journal: Journal;
  #flights: Flight[] = [];
  #now: number;

  static async open(options: JournalRunOptions): Promise<JournalRun> {
    const path = await mkdtemp(join(tmpdir(), 'relay-convergence-'));
    return new JournalRun(options, path, await openSqliteJournal({ path, encryptionKeys: [] }));
  }

  private constructor(options: JournalRunOptions, path: string, journal: Journal) {
    this.#options = options;
    this.#path = path;
    this.#journal = journal;
    this.#random = createRandom(options.seed);
    this.#now = options.now;
  }

  /** Appends the events in this order, claims and settles between them by chance, then all that is left. */
  async accept(coming: readonly Told[]): Promise<void> {
    for (const told of coming) {
      await this.#append(told);
      while (this.#random() < 0.6) await this.#step();
    }
    if (this.#random() < 0.3) await this.#restart();
    await this.#drain();
  }

  /** Replays all that can be replayed. */
  async replayAll(): Promise<void> {
    await this.#journal.replay({ filter: {}, asNew: false, by: 'olga', now: this.#now });
    await this.#drain();
  }

  /** What should not be: something pending or dead, a payload of a deleted customer's late event, a store that is not sound. */
  async faults(): Promise<string[]> {
    const faults: string[] = [];
    for (const [receipt] of this.#told) {
      const { event, body } = (await this.#journal.find(receipt))!;
      if (event.state !== 'delivered' && event.state !== 'ignored')
        faults.push(`${receipt} is ${event.state}`);
      if (event.reason === 'customer-deleted' && body !== undefined) faults.push(`${receipt} has a body`);
    }
    await this.#journal.close();
    return [...faults, ...verifyStore(this.#path).map(({ detail }) => detail)];
  }

  async close(): Promise<void> {
    await this.#journal.close();
    await rm(this.#path, { recursive: true });
  }

  async #append(told: Told): Promise<void> {
    const body = Buffer.from(told.body);
    const parsed = parseEvent(body, {});
    if (!parsed.ok) throw new Error(parsed.detail);
    const request = { body, receivedAt: this.#options.now, verifiedBy: 'test' };
    const { receipt } = await this.#journal.append(newEvent(parsed.event, this.#options.source, request));
    this.#told.set(receipt, told);
  }

  async #step(): Promise<void> {
    if (this.#flights.length === 0 || this.#random() < 0.5) await this.#claim();
    else await this.#land();
  }

  async #drain(): Promise<void> {
    for (let idle = 0; idle < 2; ) {
      this.#now += 1_000_000;
      const claimed = await this.#claim();
      const landing =
        claimed === 0 ? this.#flights.length : randomInteger(this.#random, 0, this.#flights.length);
      for (let landed = 0; landed < landing; landed += 1) await this.#land();
      idle = claimed === 0 && landing === 0 ? idle + 1 : 0;
    }
  }

  /** What was under way is forgotten, as when the process is killed before Adobe answers. */
  async #restart(): Promise<void> {
    await this.#journal.close();
    this.#flights = [];
    this.#journal = await openSqliteJournal({ path: this.#path, encryptionKeys: [] });
  }

  async #claim(): Promise<number> {
    const { source, destination } = this.#options;
    const { events } = await this.#journal.claim({
      destination: destination.name,
      sources: [source.name],
      limit: randomInteger(this.#random, 1, 4),
      replays: 4,
      maxBytes: 1e9,
      now: this.#now,
    });
    for (const event of events) {
      const prepared = await prepare(event, { source, destination, journal: this.#journal, now: this.#now });
      this.#flights.push({ event, prepared });
    }
    return events.length;
  }

  /** Adobe answers for one of those under way. */
  async #land(): Promise<void> {
    const flight = randomOf(this.#random, this.#flights);
    this.#flights = this.#flights.filter((other) => other !== flight);
    await this.#journal.settle(this.#settlement(flight));
  }

  #settlement({ event, prepared }: Flight): Settlement {
    const { receipt } = event;
    const common = { receipt, now: this.#now, attempts: [], delivered: event.delivered };
    if (prepared.kind === 'unusable') throw new Error(prepared.detail);
    if (prepared.kind === 'ignored')
      return { ...common, ...writtenWith(prepared.effects, DONE), state: 'ignored', reason: prepared.reason };
    const results = prepared.messages.map((message) => ({ message, outcome: this.#outcome(message) }));
    return settlementOf(event, results, prepared.effects, this.#options.destination.retry, this.#now);
  }

  #outcome({ receipt, kind, json }: OutMessage): MessageOutcome {
    const attempt = { at: this.#now, kind, outcome: 'x', durationMs: 1, batchSize: 1 };
    if (this.#random() < 0.15) return { kind: 'retry', charged: false, detail: '503', jitter: 0, attempt };
    if (kind === 'profile') {
      const { body } = JSON.parse(json) as { body: { xdmEntity: object } };
      this.sent.push({ by: this.#told.get(receipt)!, entity: body.xdmEntity });
    }
    return { kind: 'delivered', attempt };
  }
}
