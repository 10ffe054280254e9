import type { Database } from './database.ts';

/** The counts of a row of `spans`, in the order of its columns. */
const SPAN_COUNTS = [
  'events',
  'doubted',
  'events_acknowledged',
  'profiles_acknowledged',
  'events_unanswered',
  'profiles_unanswered',
] as const;

type SpanCount = (typeof SPAN_COUNTS)[number];

/** The key of a row of `spans`. */
interface SpanPlace {
  /** Epoch ms of its beginning. */
  readonly at: number;
  readonly destination: string;
  readonly source: string;
}

/** A row of `spans`, or what is to be added to one. */
export type SpanRow = SpanPlace & Readonly<Record<SpanCount, number>>;

export type SpanChange = SpanPlace & Record<SpanCount, number>;

const COLUMNS = SPAN_COUNTS.join(', ');
const ADD = `INSERT INTO spans (at, destination, source, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (at, destination, source) DO UPDATE SET
  ${SPAN_COUNTS.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`;

function noChange({ at, destination, source }: SpanPlace): SpanChange {
  return {
    at,
    destination,
    source,
    events: 0,
    doubted: 0,
    events_acknowledged: 0,
    profiles_acknowledged: 0,
    events_unanswered: 0,
    profiles_unanswered: 0,
  };
}

/**
 * The table `spans`. Settlements change its newest rows all the time, so what is to be added is in
 * memory until the next commit. The rows themselves are not: those that nobody confirms stay for
 * weeks.
 */
export class SpanTable {
  readonly #changes = new Map<string, SpanChange>();
  /** Most settlements change the same row as the one before. */
  #last: SpanChange | undefined;
  /** What the rows that the current batch has changed were before it. */
  readonly #before = new Map<SpanChange, SpanChange>();

  /** What is to be added to a row, and can be changed by the caller within its batch. */
  at(at: number, destination: string, source: string): SpanChange {
    const last = this.#last;
    if (last?.at === at && last.source === source && last.destination === destination) return last;
    const key = `${at}\0${destination}\0${source}`;
    const change = this.#changes.get(key) ?? noChange({ at, destination, source });
    this.#changes.set(key, change);
    if (!this.#before.has(change)) this.#before.set(change, { ...change });
    this.#last = change;
    return change;
  }

  /** The rows that match, which can be several of one place: their sum is what is stored. */
  rows(db: Database, isWanted: { destination: string; from: number; until: number }): SpanRow[] {
    const { destination, from, until } = isWanted;
    const stored = db.all(
      `SELECT at, destination, source, ${COLUMNS} FROM spans WHERE at >= ? AND at < ? AND destination = ?`,
      from,
      until,
      destination,
    ) as SpanRow[];
    return [...stored, ...this.#changesIn(from, until, destination)];
  }

  /** Removes rows, of one destination or of all. @returns how many of the table */
  remove(db: Database, range: { from: number; until: number }, destination?: string): number {
    const { from, until } = range;
    for (const change of this.#changesIn(from, until, destination))
      Object.assign(this.at(change.at, change.destination, change.source), noChange(change));
    return db.run(
      'DELETE FROM spans WHERE at >= ?1 AND at < ?2 AND (?3 IS NULL OR destination = ?3)',
      from,
      until,
      destination ?? null,
    );
  }

  #changesIn(from: number, until: number, destination?: string): SpanChange[] {
    return [...this.#changes.values()].filter(
      (change) =>
        change.at >= from &&
        change.at < until &&
        (destination === undefined || change.destination === destination),
    );
  }

  commitBatch(): void {
    this.#last = undefined;
    this.#before.clear();
  }

  rollBackBatch(): void {
    for (const [change, before] of this.#before) Object.assign(change, before);
    this.commitBatch();
  }

  /** Forgets what is not written, after SQLite has rolled the transaction back. */
  forget(): void {
    this.#changes.clear();
    this.commitBatch();
  }

  /** Call it in the transaction of the changes. What cannot be written stays for the next time. */
  write(db: Database): void {
    this.#last = undefined;
    for (const [key, change] of this.#changes) {
      if (SPAN_COUNTS.some((name) => change[name] !== 0))
        db.run(
          ADD,
          change.at,
          change.destination,
          change.source,
          change.events,
          change.doubted,
          change.events_acknowledged,
          change.profiles_acknowledged,
          change.events_unanswered,
          change.profiles_unanswered,
        );
      this.#changes.delete(key);
    }
  }
}
