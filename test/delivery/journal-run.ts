import { createProgramCatalogue } from '../../src/mapping/program-catalogue.ts';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEvent } from '../../src/capillary/event-parser.ts';
import type { DestinationConfig, SourceConfig } from '../../src/config/config-schema.ts';
import type { MessageOutcome, OutgoingMessage } from '../../src/delivery/outcome.ts';
import type { Prepared } from '../../src/delivery/prepare.ts';
import { ALL_DELIVERED, settlementOf, effectsAfter } from '../../src/delivery/event-settlement.ts';
import { toNewEvent } from '../../src/intake/accept.ts';
import type { ClaimedEvent, Journal, Settlement } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { createRandom, type Random, randomInteger, randomOf } from '../../src/simulator/random.ts';
import type { HistoryEvent } from './history.ts';
import { prepareOne } from './prepare-one.ts';

export interface JournalRunOptions {
  readonly source: SourceConfig;
  readonly destination: DestinationConfig;
  readonly now: number;
  /** Seed of the random order of steps. */
  readonly seed: number;
}

/** An event that is claimed and mapped, but not settled yet. */
interface PreparedEvent {
  readonly token: string;
  readonly event: ClaimedEvent;
  readonly prepared: Prepared;
}

/** A real journal with a dispatcher that does one random step at a time. */
export class JournalRun {
  readonly sent: { by: HistoryEvent; entity: object }[] = [];
  readonly #options: JournalRunOptions;
  readonly #path: string;
  readonly #random: Random;
  readonly #eventsByReceipt = new Map<string, HistoryEvent>();
  #journal: Journal;
  #inFlight: PreparedEvent[] = [];
  #claimant = randomUUID();

  static async open(options: JournalRunOptions): Promise<JournalRun> {
    const path = await mkdtemp(join(tmpdir(), 'relay-convergence-'));
    return new JournalRun(options, path, await openSqliteJournal({ path, encryptionKeys: [] }));
  }

  private constructor(options: JournalRunOptions, path: string, journal: Journal) {
    this.#options = options;
    this.#path = path;
    this.#journal = journal;
    this.#random = createRandom(options.seed);
  }

  /**
   * Appends the events in this order with random claims and settlements in between, then settles
   * the rest.
   */
  async accept(arriving: readonly HistoryEvent[]): Promise<void> {
    for (const event of arriving) {
      await this.#append(event);
      while (this.#random() < 0.6) await this.#step();
    }
    if (this.#random() < 0.3) await this.#restart();
    await this.#drain();
  }

  /** Replays everything that can be replayed. */
  async replayAll(): Promise<void> {
    await this.#journal.replay({ filter: {}, asNew: false, by: 'olga' });
    await this.#drain();
  }

  /**
   * Faults: an event that is pending or dead, a body of a late event of a deleted customer, a
   * damaged store.
   */
  async faults(): Promise<string[]> {
    const faults: string[] = [];
    for (const [receipt] of this.#eventsByReceipt) {
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

  async #append(arrived: HistoryEvent): Promise<void> {
    const body = Buffer.from(arrived.body);
    const parsed = parseEvent(body, {});
    if (!parsed.ok) throw new Error(parsed.detail);
    const request = { body, receivedAt: this.#options.now, verifiedBy: 'test' };
    const event = toNewEvent(parsed.event, this.#options.source, request);
    const [appended] = await this.#journal.append([event]);
    this.#eventsByReceipt.set(appended!.receipt, arrived);
  }

  async #step(): Promise<void> {
    if (this.#inFlight.length === 0 || this.#random() < 0.5) await this.#claim();
    else await this.#settleOne();
  }

  async #drain(): Promise<void> {
    for (let idle = 0; idle < 2; ) {
      const claimed = await this.#claim();
      const settlements =
        claimed === 0 ? this.#inFlight.length : randomInteger(this.#random, 0, this.#inFlight.length);
      for (let settled = 0; settled < settlements; settled += 1) await this.#settleOne();
      idle = claimed === 0 && settlements === 0 ? idle + 1 : 0;
    }
  }

  /** Forgets events in flight, as if the process were killed before Adobe answers. */
  readonly #programs = createProgramCatalogue();

  async #restart(): Promise<void> {
    await this.#journal.close();
    this.#inFlight = [];
    this.#claimant = randomUUID();
    this.#journal = await openSqliteJournal({ path: this.#path, encryptionKeys: [] });
  }

  async #claim(): Promise<number> {
    const { source, destination } = this.#options;
    const claimant = { id: this.#claimant, destination: destination.name };
    const { token, events } = await this.#journal.claim(claimant, {
      sources: [source.name],
      events: randomInteger(this.#random, 1, 4),
      replays: 4,
      bytes: 1e9,
      maxWait: 0,
    });
    for (const event of events) {
      const prepared = await prepareOne(event, {
        source,
        destination,
        journal: this.#journal,
        programs: this.#programs,
        now: this.#options.now,
      });
      this.#inFlight.push({ token, event, prepared });
    }
    return events.length;
  }

  /** Adobe answers for one of the events in flight. */
  async #settleOne(): Promise<void> {
    const prepared = randomOf(this.#random, this.#inFlight);
    this.#inFlight = this.#inFlight.filter((other) => other !== prepared);
    await this.#journal.settle(prepared.token, [this.#settlement(prepared)]);
  }

  #settlement({ event, prepared }: PreparedEvent): Settlement {
    const { receipt } = event;
    const common = { receipt, attempts: [], delivered: event.delivered };
    if (prepared.kind === 'unusable' || prepared.kind === 'postponed') throw new Error(prepared.detail);
    if (prepared.kind === 'ignored')
      return {
        ...common,
        ...effectsAfter(prepared.effects, ALL_DELIVERED),
        state: 'ignored',
        reason: prepared.reason,
      };
    const results = prepared.messages.map((message) => ({ message, outcome: this.#outcome(message) }));
    return settlementOf(event, results, prepared.effects, this.#options.destination.retry, this.#options.now);
  }

  #outcome({ receipt, kind, json }: OutgoingMessage): MessageOutcome {
    const request = { id: `q${this.sent.length}`, at: this.#options.now, kind, durationMs: 1, batchSize: 1 };
    const attempt = { request, outcome: 'x' };
    if (this.#random() < 0.15) return { kind: 'retry', isOwnFault: false, detail: '503', jitter: 0, attempt };
    if (kind === 'profile') {
      const { body } = JSON.parse(json) as { body: { xdmEntity: object } };
      this.sent.push({ by: this.#eventsByReceipt.get(receipt)!, entity: body.xdmEntity });
    }
    return { kind: 'delivered', attempt };
  }
}
