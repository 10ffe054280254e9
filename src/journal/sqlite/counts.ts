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

type Changes = Partial<Omit<CountRow, 'source'>>;

/** Adds to the counts of a source, in the transaction of what is counted. */
export const addCounts = ({ db }: Engine, source: string, changes: Changes): void => {
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
    changes.accepted ?? 0,
    changes.pending ?? 0,
    changes.delivered ?? 0,
    changes.ignored ?? 0,
    changes.dead ?? 0,
    changes.malformed ?? 0,
    changes.quarantined ?? 0,
    changes.quarantined_bytes ?? 0,
  );
};

/** Adds to the pending events of a destination; `replaying` are those of them that were replayed. */
export const addBacklog = (
  { db }: Engine,
  destination: string,
  change: { readonly pending: number; readonly replaying?: number },
): void => {
  db.run(
    `INSERT INTO backlog (destination, pending, replaying) VALUES (?, ?, ?) ON CONFLICT (destination) DO UPDATE SET
      pending = pending + excluded.pending,
      replaying = replaying + excluded.replaying`,
    destination,
    change.pending,
    change.replaying ?? 0,
  );
};

/** Count and bytes of what is quarantined of a source. */
export const quarantineHeld = ({ db }: Engine, source: string): { count: number; bytes: number } => {
  const row = db.one('SELECT * FROM counts WHERE source = ?', source) as CountRow | undefined;
  return { count: row?.quarantined ?? 0, bytes: row?.quarantined_bytes ?? 0 };
};

export const ledger = ({ db }: Engine): Ledger => {
  const rows = db.all('SELECT * FROM counts ORDER BY source') as CountRow[];
  return Object.fromEntries(
    rows.map(({ source, accepted, pending, delivered, ignored, dead, malformed, quarantined }) => [
      source,
      { accepted, pending, delivered, ignored, dead, malformed, quarantined },
    ]),
  );
};

/** Every destination that ever had something pending. */
export const backlog = ({ db }: Engine): readonly Backlog[] => {
  const rows = db.all(
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
};
