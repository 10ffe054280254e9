import type { Backlog, Ledger } from '../../journal.ts';
import type { CountRow, Counts, Engine, PendingCounts } from './engine.ts';

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

/** Discards the changes that are not written yet. */
export function clearCountDeltas({ countDeltas }: Engine): void {
  countDeltas.counts.clear();
  countDeltas.backlog.clear();
}

function sumOf<T extends { readonly [Key in keyof T]: number }>(counts: T, changes: Partial<T>): T {
  const sum = { ...counts };
  for (const key in changes) sum[key] = (counts[key] + (changes[key] ?? 0)) as T[typeof key];
  return sum;
}

/** Changes the counts of a source, in the same transaction as what is counted. */
export function addCounts({ countDeltas }: Engine, source: string, changes: Partial<Counts>): void {
  const { counts } = countDeltas;
  counts.set(source, sumOf(counts.get(source) ?? NO_COUNTS, changes));
}

/** Changes the number of pending events of a destination; `replaying` counts the replayed ones. */
export function addBacklog(
  { countDeltas }: Engine,
  destination: string,
  changes: Partial<PendingCounts>,
): void {
  const { backlog: pending } = countDeltas;
  pending.set(destination, sumOf(pending.get(destination) ?? NONE_PENDING, changes));
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

function writeBacklog({ db }: Engine, destination: string, changes: PendingCounts): void {
  db.run(
    `INSERT INTO backlog (destination, pending, replaying) VALUES (?, ?, ?) ON CONFLICT (destination) DO UPDATE SET
      pending = pending + excluded.pending,
      replaying = replaying + excluded.replaying`,
    destination,
    changes.pending,
    changes.replaying,
  );
}

/**
 * Writes the collected changes. Must be called before the tables are read and before the commit.
 */
export function writeCountDeltas(engine: Engine): void {
  const { counts, backlog: pending } = engine.countDeltas;
  for (const [source, changes] of counts) writeCounts(engine, source, changes);
  for (const [destination, changes] of pending) writeBacklog(engine, destination, changes);
  clearCountDeltas(engine);
}

/** Number and total size of the quarantined requests of a source. */
export function quarantineUsage(engine: Engine, source: string): { count: number; bytes: number } {
  writeCountDeltas(engine);
  const row = engine.db.one('SELECT * FROM counts WHERE source = ?', source) as CountRow | undefined;
  return { count: row?.quarantined ?? 0, bytes: row?.quarantined_bytes ?? 0 };
}

export function ledger(engine: Engine): Ledger {
  writeCountDeltas(engine);
  const rows = engine.db.all('SELECT * FROM counts ORDER BY source') as CountRow[];
  return Object.fromEntries(
    rows.map(({ source, accepted, pending, delivered, ignored, dead, malformed, quarantined }) => [
      source,
      { accepted, pending, delivered, ignored, dead, malformed, quarantined },
    ]),
  );
}

/** Whether anything is pending at any other destination. */
export function isPendingElsewhere(engine: Engine, destination: string): boolean {
  writeCountDeltas(engine);
  return (
    engine.db.one('SELECT 1 FROM backlog WHERE destination <> ? AND pending > 0 LIMIT 1', destination) !==
    undefined
  );
}

/** The backlog of every destination that ever had a pending event. */
export function backlog(engine: Engine): readonly Backlog[] {
  writeCountDeltas(engine);
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
