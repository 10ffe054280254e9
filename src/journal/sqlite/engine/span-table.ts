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

export type SpanCount = (typeof SPAN_COUNTS)[number];

/** The key of a row of `spans`. */
export interface SpanPlace {
  /** Epoch ms of its beginning. */
  readonly at: number;
  readonly destination: string;
  readonly source: string;
}

/** A row of `spans`, or what is to be added to one. */
export type SpanRow = SpanPlace & Readonly<Record<SpanCount, number>>;

type SpanChange = SpanPlace & Record<SpanCount, number>;

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
 * memory until the next commit. Rows that nobody confirms stay for weeks, so only changes are.
 */
export class SpanTable {
  readonly #changes = new Map<string, SpanChange>();
  /** Most settlements change the same row as the one before. */
  #last: SpanChange | undefined;
  #ofBatch: { readonly change: SpanChange; readonly name: SpanCount; readonly n: number }[] = [];

  add(place: SpanPlace, name: SpanCount, n: number): void {
    const change = this.#changeOf(place);
    change[name] += n;
    this.#ofBatch.push({ change, name, n });
  }

  #changeOf(place: SpanPlace): SpanChange {
    const { at, destination, source } = place;
    const last = this.#last;
    if (last?.at === at && last.destination === destination && last.source === source) return last;
    const key = `${at} ${destination} ${source}`;
    const change = this.#changes.get(key) ?? noChange(place);
    this.#changes.set(key, change);
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
      for (const name of SPAN_COUNTS) if (change[name] !== 0) this.add(change, name, -change[name]);
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
    this.#ofBatch = [];
  }

  rollBackBatch(): void {
    for (const { change, name, n } of this.#ofBatch) change[name] -= n;
    this.#ofBatch = [];
  }

  /** Forgets what is not written, after SQLite has rolled the transaction back. */
  forget(): void {
    this.#changes.clear();
    this.#last = undefined;
    this.#ofBatch = [];
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
