import { type Appended, StoreError } from '../../journal.ts';
import { DatabaseError } from '../sessions/store-errors.ts';
import type { AppendCall } from './append-gathering.ts';
import type { EventRow } from './append-statement.ts';
import type { PostgresEngine } from './engine.ts';
import { insertEvents, writeSurely } from './event-insertion.ts';
import { duplicateOf, type FirstCopy, firstCopiesOf, isNearOtherDay, otherDayOf } from './first-copies.ts';

type Call = AppendCall<Appended>;

/** How often events are written again whose first copy was removed between two statements. */
const MAX_ROUNDS = 4;

/** SQLSTATE classes of errors that one event can cause: data, limits, constraints. */
const ONE_EVENT_STATES = ['22', '23', '54'];

/** Calls that are written together. */
class AppendBatch {
  readonly #engine: PostgresEngine;
  /** Calls without an answer. */
  #open: readonly Call[];
  /** The first row with its source and identity in this batch; mostly the row itself. */
  readonly #firstRow = new Map<EventRow, EventRow>();
  readonly #unique: readonly EventRow[];
  /** What is stored, of the first rows. */
  readonly #stored = new Map<EventRow, FirstCopy>();

  constructor(engine: PostgresEngine, calls: readonly Call[]) {
    this.#engine = engine;
    this.#open = calls;
    const byKey = new Map<string, EventRow>();
    for (const { rows } of calls)
      for (const row of rows) {
        const key = `${row.event.identity}${row.event.source}`;
        const first = byKey.get(key) ?? row;
        byKey.set(key, first);
        this.#firstRow.set(row, first);
      }
    this.#unique = [...byKey.values()];
  }

  get open(): readonly Call[] {
    return this.#open;
  }

  /** Ends each call as soon as its answer is known. */
  async write(done: () => void): Promise<void> {
    await this.#find(this.#unique.filter(isNearOtherDay), otherDayOf);
    let left = this.#missing(this.#unique);
    for (let round = 0; left.length > 0; round += 1) {
      if (round === MAX_ROUNDS) throw new StoreError('the events conflict with others again and again');
      await this.#insert(left, done);
      done();
      this.#answer();
      left = this.#missing(left);
      await this.#find(left, ({ day }) => day);
      left = this.#missing(left);
    }
    this.#answer();
  }

  #missing(rows: readonly EventRow[]): readonly EventRow[] {
    return rows.filter((row) => !this.#stored.has(row));
  }

  async #find(rows: readonly EventRow[], day: (row: EventRow) => number): Promise<void> {
    if (rows.length === 0) return;
    const { sessions } = this.#engine;
    const found = await firstCopiesOf(
      { query: (statement, params) => sessions.query('append', statement, params) },
      rows,
      day,
    );
    for (const [row, copy] of found) this.#stored.set(row, copy);
  }

  async #insert(rows: readonly EventRow[], done: () => void): Promise<void> {
    const added = await writeSurely(() => insertEvents(this.#engine, rows), done);
    const destinations = new Set<string>();
    for (const row of rows) {
      if (!added.has(row.receipt)) continue;
      this.#stored.set(row, { receipt: row.receipt, body: row.sealed });
      destinations.add(row.event.destination);
    }
    for (const destination of destinations) this.#engine.notifyClaimable(destination);
  }

  #answer(): void {
    this.#open = this.#open.filter(({ rows, resolve }) => {
      const answers: Appended[] = [];
      for (const row of rows) {
        const first = this.#firstRow.get(row) ?? row;
        const stored = this.#stored.get(first);
        if (stored === undefined) return true;
        const isNew = row === first && stored.receipt === row.receipt;
        answers.push(
          isNew ? { receipt: row.receipt, duplicate: false } : duplicateOf(this.#engine, row, stored),
        );
      }
      resolve(answers);
      return false;
    });
  }
}

/**
 * Writes calls in one transaction and ends each of them.
 * @param done called as soon as the transaction is over, or if it is not known whether it is
 */
export async function appendCalls(
  engine: PostgresEngine,
  calls: readonly Call[],
  done: () => void,
): Promise<void> {
  const batch = new AppendBatch(engine, calls);
  try {
    await batch.write(done);
  } catch (error) {
    const isOfOne = error instanceof DatabaseError && ONE_EVENT_STATES.includes(error.sqlState.slice(0, 2));
    if (isOfOne && calls.length > 1) {
      for (const call of batch.open) await appendCalls(engine, [call], done);
      return;
    }
    for (const { reject } of batch.open) reject(error);
  }
}
