import type { Backlog, Ledger } from '../../journal.ts';
import type { Database } from './database.ts';
import type { Engine } from './engine.ts';

/** The counts of one source: a row of `counts`. */
export interface Counts {
  readonly accepted: number;
  readonly pending: number;
  readonly delivered: number;
  readonly ignored: number;
  readonly dead: number;
  readonly malformed: number;
  readonly quarantined: number;
  readonly quarantined_bytes: number;
}

/** The pending events of one destination: a row of `backlog`. */
export type PendingCounts = Pick<Backlog, 'pending' | 'replaying'>;

const NO_COUNTS: Counts = {
  accepted: 0,
  pending: 0,
  delivered: 0,
  ignored: 0,
  dead: 0,
  malformed: 0,
  quarantined: 0,
  quarantined_bytes: 0,
};
const NONE_PENDING: PendingCounts = { pending: 0, replaying: 0 };

type Numbers<T> = { readonly [Key in keyof T]: number };

/** `sign` is -1 to take the changes back. */
function sumOf<T extends Numbers<T>>(counts: T, changes: Partial<T>, sign: 1 | -1): T {
  const sum = { ...counts };
  for (const key in changes) sum[key] = (counts[key] + sign * (changes[key] ?? 0)) as T[typeof key];
  return sum;
}

/** One of the two tables, in memory. The rows that have changed are written before a commit. */
class CountTable<T extends Numbers<T>> {
  readonly rows = new Map<string, T>();
  readonly #none: T;
  readonly #changed = new Set<string>();
  #changesOfBatch: { readonly key: string; readonly changes: Partial<T> }[] = [];

  constructor(none: T) {
    this.#none = none;
  }

  get(key: string): T {
    return this.rows.get(key) ?? this.#none;
  }

  add(key: string, changes: Partial<T>): void {
    this.rows.set(key, sumOf(this.get(key), changes, 1));
    this.#changed.add(key);
    this.#changesOfBatch.push({ key, changes });
  }

  commitBatch(): void {
    this.#changesOfBatch = [];
  }

  rollBackBatch(): void {
    for (const { key, changes } of this.#changesOfBatch)
      this.rows.set(key, sumOf(this.get(key), changes, -1));
    this.#changesOfBatch = [];
  }

  load(rows: Iterable<readonly [string, T]>): void {
    this.rows.clear();
    this.#changed.clear();
    this.#changesOfBatch = [];
    for (const [key, row] of rows) this.rows.set(key, row);
  }

  takeChanged(): readonly (readonly [string, T])[] {
    const changed = [...this.#changed].map((key) => [key, this.get(key)] as const);
    this.#changed.clear();
    return changed;
  }
}

/** The ledger and the backlog. Both tables have few rows, so they are held in memory. */
export interface Accounts {
  readonly counts: CountTable<Counts>;
  readonly backlog: CountTable<PendingCounts>;
}

/** Reads both tables again, in place of what is in memory. */
export function loadAccounts({ counts, backlog: pending }: Accounts, db: Database): void {
  const countRows = db.all('SELECT * FROM counts') as (Counts & { readonly source: string })[];
  counts.load(countRows.map(({ source, ...row }) => [source, row]));
  const pendingRows = db.all('SELECT * FROM backlog') as (PendingCounts & { readonly destination: string })[];
  pending.load(pendingRows.map(({ destination, ...row }) => [destination, row]));
}

export function openAccounts(db: Database): Accounts {
  const accounts = { counts: new CountTable(NO_COUNTS), backlog: new CountTable(NONE_PENDING) };
  loadAccounts(accounts, db);
  return accounts;
}

/** Writes what has changed since the last call. Call it in the transaction of the changes. */
export function writeAccounts({ counts, backlog: pending }: Accounts, db: Database): void {
  for (const [source, row] of counts.takeChanged())
    db.run(
      'INSERT OR REPLACE INTO counts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      source,
      row.accepted,
      row.pending,
      row.delivered,
      row.ignored,
      row.dead,
      row.malformed,
      row.quarantined,
      row.quarantined_bytes,
    );
  for (const [destination, row] of pending.takeChanged())
    db.run(
      'INSERT OR REPLACE INTO backlog (destination, pending, replaying) VALUES (?, ?, ?)',
      destination,
      row.pending,
      row.replaying,
    );
}

/** Changes the counts of a source, in the same batch as what is counted. */
export function addCounts({ accounts }: Engine, source: string, changes: Partial<Counts>): void {
  accounts.counts.add(source, changes);
}

/** Changes the number of pending events of a destination; `replaying` counts the replayed ones. */
export function addBacklog({ accounts }: Engine, destination: string, changes: Partial<PendingCounts>): void {
  accounts.backlog.add(destination, changes);
}

/** Number and total size of the quarantined requests of a source. */
export function quarantineUsage({ accounts }: Engine, source: string): { count: number; bytes: number } {
  const { quarantined, quarantined_bytes: bytes } = accounts.counts.get(source);
  return { count: quarantined, bytes };
}

export function ledger({ accounts }: Engine): Ledger {
  return Object.fromEntries(
    [...accounts.counts.rows]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([source, { quarantined_bytes: _bytes, ...counts }]) => [source, counts]),
  );
}

/** Whether anything is pending at any other destination. */
export function isPendingElsewhere({ accounts }: Engine, destination: string): boolean {
  return [...accounts.backlog.rows].some(([name, { pending }]) => name !== destination && pending > 0);
}

/** The backlog of every destination that ever had a pending event. */
export function backlog({ accounts, db }: Engine): readonly Backlog[] {
  return [...accounts.backlog.rows]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([destination, { pending, replaying }]) => {
      const { oldest } = db.one(
        `SELECT min(received_at) AS oldest FROM events INDEXED BY events_waiting
         WHERE destination = ? AND state = 'pending' AND replay = 0`,
        destination,
      ) as { oldest: number | null };
      return { destination, pending, replaying, ...(oldest === null ? {} : { oldestReceivedAt: oldest }) };
    });
}
