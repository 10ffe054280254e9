import type { Backlog, Ledger } from '../../journal.ts';
import type { Counts, PendingCounts } from './accounts.ts';
import type { Engine } from './sqlite-engine.ts';

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
