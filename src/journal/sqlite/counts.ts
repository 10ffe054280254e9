import type { Backlog, Ledger } from '../journal.ts';
import type { Engine } from './engine.ts';

interface CountRow {
  readonly source: string;
  readonly accepted: number;
  readonly pending: number;
  readonly delivered: number;
  readonly ignored: number;
  readonly dead: number;
  readonly malformed: number;
  readonly quarantined: number;
  readonly quarantined_bytes: number;
}

type Counts = Omit<CountRow, 'source'>;
type Waiting = Pick<Backlog, 'pending' | 'replaying'>;

/**
 * What the transaction in hand has added and not written yet. The calls of a batch change the same few rows, so these are written
 * once: before the commit, and before they are read.
 */
export interface Sums {
  readonly counts: Map<string, Counts>;
  readonly backlog: Map<string, Waiting>;
}

/** Forgets what was added and not written. */
export function clearSums({ sums }: Engine): void {
  sums.counts.clear();
  sums.backlog.clear();
}

function plus<T extends { readonly [Key in keyof T]: number }>(all: T, added: Partial<T>): T {
  const sum = { ...all };
  for (const key in added) sum[key] = (all[key] + (added[key] ?? 0)) as T[typeof key];
  return sum;
}

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
const NO_WAITING: Waiting = { pending: 0, replaying: 0 };

/** Adds to the counts of a source, in the transaction of what is counted. */
export function addCounts({ sums }: Engine, source: string, changes: Partial<Counts>): void {
  sums.counts.set(source, plus(sums.counts.get(source) ?? NO_COUNTS, changes));
}

/** Adds to the pending events of a destination; `replaying` are those of them that were replayed. */
export function addBacklog({ sums }: Engine, destination: string, change: Partial<Waiting>): void {
  sums.backlog.set(destination, plus(sums.backlog.get(destination) ?? NO_WAITING, change));
}

function writeCounts({ db }: Engine, source: string, counts: Counts): void {
  db.run(
    `INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source) DO UPDATE SET
      accepted = accepted + excluded.accepted,
      pending = pending + excluded.pending,
      delivered = delivered + excluded.delivered,
      ignored = ignored + excluded.ignored,
      dead = dead + excluded.dead,
      malformed = malformed + excluded.malformed,
      quarantined = quarantined + excluded.quarantined,
      quarantined_bytes = quarantined_bytes + excluded.quarantined_bytes`,
    source,
    counts.accepted,
    counts.pending,
    counts.delivered,
    counts.ignored,
    counts.dead,
    counts.malformed,
    counts.quarantined,
    counts.quarantined_bytes,
  );
}

function writeBacklog({ db }: Engine, destination: string, waiting: Waiting): void {
  db.run(
    `INSERT INTO backlog (destination, pending, replaying) VALUES (?, ?, ?) ON CONFLICT (destination) DO UPDATE SET
      pending = pending + excluded.pending,
      replaying = replaying + excluded.replaying`,
    destination,
    waiting.pending,
    waiting.replaying,
  );
}

/** Writes what was added. To be called before the tables are read, and before the commit. */
export function writeSums(engine: Engine): void {
  for (const [source, counts] of engine.sums.counts) writeCounts(engine, source, counts);
  for (const [destination, waiting] of engine.sums.backlog) writeBacklog(engine, destination, waiting);
  clearSums(engine);
}

/** Count and bytes of what is quarantined of a source. */
export function quarantineHeld(engine: Engine, source: string): { count: number; bytes: number } {
  writeSums(engine);
  const row = engine.db.one('SELECT * FROM counts WHERE source = ?', source) as CountRow | undefined;
  return { count: row?.quarantined ?? 0, bytes: row?.quarantined_bytes ?? 0 };
}

export function ledger(engine: Engine): Ledger {
  writeSums(engine);
  const rows = engine.db.all('SELECT * FROM counts ORDER BY source') as CountRow[];
  return Object.fromEntries(
    rows.map(({ source, accepted, pending, delivered, ignored, dead, malformed, quarantined }) => [
      source,
      { accepted, pending, delivered, ignored, dead, malformed, quarantined },
    ]),
  );
}

/** Whether another destination has anything pending. */
export function isAnyElsewhere(engine: Engine, destination: string): boolean {
  writeSums(engine);
  return (
    engine.db.one('SELECT 1 FROM backlog WHERE destination <> ? AND pending > 0 LIMIT 1', destination) !==
    undefined
  );
}

/** Every destination that ever had something pending. */
export function backlog(engine: Engine): readonly Backlog[] {
  writeSums(engine);
  const rows = engine.db.all(
    `SELECT destination, pending, replaying, (
       SELECT min(received_at) FROM events INDEXED BY events_waiting
       WHERE events.destination = backlog.destination AND state = 'pending' AND replay = 0
     ) AS oldest FROM backlog ORDER BY destination`,
  ) as { destination: string; pending: number; replaying: number; oldest: number | null }[];
  return rows.map(({ destination, pending, replaying, oldest }) => ({
    destination,
    pending,
    replaying,
    ...(oldest === null ? {} : { oldestReceivedAt: oldest }),
  }));
}
