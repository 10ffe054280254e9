import type { Backlog } from '../../journal.ts';
import type { Database } from './database.ts';

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
const NONE_LANDED: LandingRow = { landed: 0, refused_later: 0 };

/** Of a source: a row of `landings`. */
export interface LandingRow {
  readonly landed: number;
  readonly refused_later: number;
}

type Numbers<T> = { readonly [Key in keyof T]: number };

/** `sign` is -1 to take the changes back. */
function sumOf<T extends Numbers<T>>(counts: T, changes: Partial<T>, sign: 1 | -1): T {
  const sum = { ...counts };
  for (const key in changes) sum[key] = (counts[key] + sign * (changes[key] ?? 0)) as T[typeof key];
  return sum;
}

/** One of the tables, in memory. The rows that have changed are written before a commit. */
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

  /** A row that cannot be written counts as changed the next time too. */
  writeChanged(write: (key: string, row: T) => void): void {
    for (const key of this.#changed) {
      write(key, this.get(key));
      this.#changed.delete(key);
    }
  }
}

/** Ledger, backlog and landings. The tables have few rows, so they are held in memory. */
export interface Accounts {
  readonly counts: CountTable<Counts>;
  readonly backlog: CountTable<PendingCounts>;
  readonly landings: CountTable<LandingRow>;
}

export function commitAccounts(accounts: Accounts): void {
  for (const table of [accounts.counts, accounts.backlog, accounts.landings]) table.commitBatch();
}

export function rollBackAccounts(accounts: Accounts): void {
  for (const table of [accounts.counts, accounts.backlog, accounts.landings]) table.rollBackBatch();
}

/** Reads the tables again, in place of what is in memory. */
export function loadAccounts({ counts, backlog: pending, landings }: Accounts, db: Database): void {
  const countRows = db.all('SELECT * FROM counts') as (Counts & { readonly source: string })[];
  counts.load(countRows.map(({ source, ...row }) => [source, row]));
  const pendingRows = db.all('SELECT * FROM backlog') as (PendingCounts & { readonly destination: string })[];
  pending.load(pendingRows.map(({ destination, ...row }) => [destination, row]));
  const landingRows = db.all('SELECT * FROM landings') as (LandingRow & { readonly source: string })[];
  landings.load(landingRows.map(({ source, ...row }) => [source, row]));
}

export function openAccounts(db: Database): Accounts {
  const accounts = {
    counts: new CountTable(NO_COUNTS),
    backlog: new CountTable(NONE_PENDING),
    landings: new CountTable(NONE_LANDED),
  };
  loadAccounts(accounts, db);
  return accounts;
}

/** Writes what has changed since the last call. Call it in the transaction of the changes. */
export function writeAccounts({ counts, backlog: pending, landings }: Accounts, db: Database): void {
  counts.writeChanged((source, row) =>
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
    ),
  );
  pending.writeChanged((destination, row) =>
    db.run(
      'INSERT OR REPLACE INTO backlog (destination, pending, replaying) VALUES (?, ?, ?)',
      destination,
      row.pending,
      row.replaying,
    ),
  );
  landings.writeChanged((source, row) =>
    db.run('INSERT OR REPLACE INTO landings VALUES (?, ?, ?)', source, row.landed, row.refused_later),
  );
}
