import type {
  ContactCountAnswer,
  ContactCountRequest,
  Settlement,
  SharedContactFilter,
  SharedContacts,
} from '../../journal.ts';
import type { ContactBounds } from '../../contact-bounds.ts';
import type { HeldClaims } from '../queue/held-claim.ts';
import { CommitUnknownError } from '../sessions/store-errors.ts';
import { createContactCounting } from './contact-gathering.ts';
import { sharedContacts } from './count-contacts.ts';
import type { PostgresEngine } from './engine.ts';
import { moveStragglers } from './merge-stragglers.ts';
import { RequestRows } from './request-rows.ts';
import { type InOrder, isFarReaching, settleInOrder } from './settle-in-order.ts';
import { oneByOne, settleTogether, type Settling } from './settle-together.ts';
import { readProfiles } from './stored-profiles.ts';
import { transactionId, UnknownCommits } from './unknown-commits.ts';

type Stale = { readonly stale: readonly string[] };

/** What the journal offers of settlements and of what they write. */
export interface Settlements {
  readonly settle: (token: string, settlements: readonly Settlement[]) => Promise<Stale>;
  readonly profiles: (destination: string, lanes: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  readonly countContacts: (request: ContactCountRequest) => Promise<ContactCountAnswer>;
  readonly sharedContacts: (filter: SharedContactFilter) => Promise<SharedContacts>;
}

/** Settlements of the calls that are executed together. */
const MAX_SETTLEMENTS = 2_000;
/** Characters of the profiles and entities in them. */
const MAX_TEXT_LENGTH = 8_000_000;

interface Call {
  readonly token: string;
  readonly settlements: readonly Settlement[];
  readonly resolve: (answer: Stale) => void;
  readonly reject: (error: unknown) => void;
}

type CallSettling = Settling & { readonly call: Call };

function textLength({ profiles, enrichment }: Settlement): number {
  return (profiles?.[0]?.state?.length ?? 0) + (enrichment?.entities?.length ?? 0);
}

/**
 * Gathers calls: one statement or transaction is in flight, and what arrives meanwhile goes into
 * the next one.
 */
class SettleGatherer {
  readonly #engine: PostgresEngine;
  readonly #claims: HeldClaims;
  readonly #requestRows = new RequestRows();
  readonly #unknown = new UnknownCommits();
  #waiting: Call[] = [];
  #isRunning = false;

  constructor(engine: PostgresEngine, claims: HeldClaims) {
    this.#engine = engine;
    this.#claims = claims;
  }

  add(call: Call): void {
    this.#waiting.push(call);
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // Calls of the same turn of the event loop go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#settle(this.#take());
    this.#isRunning = false;
  }

  /** The first calls that can be executed together. One with a far-reaching settlement is alone. */
  #take(): readonly Call[] {
    let [count, settlements, length] = [0, 0, 0];
    for (const call of this.#waiting) {
      const isAlone = call.settlements.some(isFarReaching);
      settlements += call.settlements.length;
      for (const settlement of call.settlements) length += textLength(settlement);
      if (count > 0 && (isAlone || settlements > MAX_SETTLEMENTS || length > MAX_TEXT_LENGTH)) break;
      count += 1;
      if (isAlone) break;
    }
    return this.#waiting.splice(0, count);
  }

  /** Never rejects. A call whose settlements cannot be recorded fails alone. */
  async #settle(calls: readonly Call[]): Promise<void> {
    const settlings = this.#settlingsOf(calls);
    try {
      const { requests, moved } = await this.#record(settlings);
      this.#requestRows.stored(requests);
      for (const destination of new Set([...moved, ...(await this.#moveStragglers(settlings))])) {
        this.#claims.lanesMoved(destination);
        this.#engine.notifyClaimable(destination);
      }
    } catch (error) {
      const isRepeated = calls.length > 1 && !(error instanceof CommitUnknownError);
      if (isRepeated) for (const call of calls) await this.#settle([call]);
      else for (const { reject } of calls) reject(error);
      return;
    }
    void this.#answer(calls, settlings);
  }

  /** @returns the destinations at which events were moved */
  async #moveStragglers(settlings: readonly Settling[]): Promise<readonly string[]> {
    const merges = settlings.flatMap(({ settlement: { alias }, claim, outcome }) =>
      alias === undefined || claim === undefined || outcome !== 'recorded'
        ? []
        : [{ alias, destination: claim.destination }],
    );
    const destinations: string[] = [];
    for (const [destination, of] of Map.groupBy(merges, (merge) => merge.destination)) {
      const aliases = of.map(({ alias }) => alias);
      if (await moveStragglers(this.#engine.sessions, destination, aliases)) destinations.push(destination);
    }
    return destinations;
  }

  /** An event that the array names twice is claimed only the first time. */
  #settlingsOf(calls: readonly Call[]): readonly CallSettling[] {
    const seen = new Set<string>();
    return calls.flatMap((call) =>
      call.settlements.map((settlement) => {
        const { receipt } = settlement;
        const claim = seen.has(receipt) ? undefined : this.#claims.find(call.token, receipt);
        if (claim !== undefined) seen.add(receipt);
        return { call, settlement, claim };
      }),
    );
  }

  async #record(all: readonly Settling[]): Promise<InOrder> {
    const engine = this.#engine;
    const requestRows = this.#requestRows;
    const connection = oneByOne(engine);
    const settlings = await this.#unknown.without(connection, all);
    await requestRows.number(connection, settlings.flatMap(attemptsOf));
    const isSimple = settlings.every(({ settlement }) => !needsTransaction(settlement));
    if (isSimple) {
      const requests = await settleTogether(engine, requestRows, connection, settlings);
      return { requests, moved: new Set() };
    }
    let transaction: string | undefined;
    try {
      return await engine.sessions.transaction('settle', async (session) => {
        transaction = await transactionId(session);
        return settleInOrder(engine, requestRows, session, settlings);
      });
    } catch (error) {
      if (error instanceof CommitUnknownError && transaction !== undefined)
        this.#unknown.add(transaction, settlings);
      throw error;
    }
  }

  async #answer(calls: readonly Call[], settlings: readonly CallSettling[]): Promise<void> {
    const ends = settlings.flatMap(({ claim, end }) =>
      claim === undefined || end === undefined ? [] : [{ claim, end }],
    );
    try {
      if (ends.length > 0) await this.#claims.end(ends);
    } catch (error) {
      for (const { reject } of calls) reject(error);
      return;
    }
    const stale = new Map(calls.map((call) => [call, [] as string[]]));
    for (const { call, outcome, settlement } of settlings)
      if (outcome === 'stale') stale.get(call)?.push(settlement.receipt);
    for (const call of calls) call.resolve({ stale: stale.get(call) ?? [] });
  }
}

function attemptsOf({ settlement }: Settling): Settlement['attempts'] {
  return settlement.attempts;
}

/** Whether the settlement needs a transaction whose end can be asked for, or several statements. */
function needsTransaction(settlement: Settlement): boolean {
  const { state, enrichment } = settlement;
  return state === 'pending' || enrichment !== undefined || isFarReaching(settlement);
}

/** @param bounds of the contacts of a destination; smaller ones for tests */
export function createSettlements(
  engine: PostgresEngine,
  claims: HeldClaims,
  bounds?: ContactBounds,
): Settlements {
  const gatherer = new SettleGatherer(engine, claims);
  return {
    settle: (token, settlements) =>
      new Promise((resolve, reject) => gatherer.add({ token, settlements, resolve, reject })),
    profiles: (destination, lanes) => readProfiles(engine, destination, lanes),
    countContacts: createContactCounting(engine, bounds),
    sharedContacts: (filter) => sharedContacts(engine, filter),
  };
}
