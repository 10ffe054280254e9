import { setTimeout as delay } from 'node:timers/promises';
import { type LaneAlias, StoreError } from '../../journal.ts';
import type { Sessions, Statement } from '../sessions/session.ts';
import { moveLane, targetOf } from './lane-aliases.ts';
import { mergeRefreshes } from './lane-refreshes.ts';
import { storedText } from './stored-text.ts';

/*
 * An append that began before a merge was committed does not see the alias, and puts its event into
 * the merged lane, which nobody moves any more. What is appended after its answer goes to the other
 * lane, and could be delivered first. So whoever merges waits for the appends that were under way,
 * and moves what they have queued. Until then the claim of the merging event keeps the lane busy.
 */

/** A stuck append must not stop all settlements: what it queues late moves when it is claimed. */
const WAIT_LIMIT_MS = 1_000;
const POLL_INTERVAL_MS = 2;

/** Whoever adds to the queue locks the table before it reads the aliases. */
const WRITERS: Statement = {
  name: 'writers_of_queue',
  text: `SELECT virtualtransaction AS id FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'queue'::regclass
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND mode = 'RowExclusiveLock' AND granted AND pid <> pg_backend_pid()`,
};

async function writersOf(sessions: Sessions): Promise<ReadonlySet<string>> {
  const rows = await sessions.query<{ readonly id: string }>('settle', WRITERS);
  return new Set(rows.map(({ id }) => id));
}

async function untilOver(sessions: Sessions, writers: ReadonlySet<string>): Promise<void> {
  const deadline = performance.now() + WAIT_LIMIT_MS;
  for (let left = writers; left.size > 0 && performance.now() < deadline; ) {
    await delay(POLL_INTERVAL_MS);
    const now = await writersOf(sessions);
    left = new Set([...left].filter((id) => now.has(id)));
  }
}

/**
 * Moves what was appended to merged lanes while the merge was committed.
 * @returns whether there was anything; if the database fails, it is moved when it is claimed
 */
export async function moveStragglers(
  sessions: Sessions,
  destination: string,
  aliases: readonly LaneAlias[],
): Promise<boolean> {
  try {
    await untilOver(sessions, await writersOf(sessions));
    return await sessions.transaction('settle', async (session) => {
      let isMoved = false;
      for (const { from } of aliases) {
        const target = await targetOf(session, destination, from);
        if (target === undefined) continue;
        isMoved = (await moveLane(session, destination, storedText(from), target)) || isMoved;
        await mergeRefreshes(session, destination, storedText(from), target);
      }
      return isMoved;
    });
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}
