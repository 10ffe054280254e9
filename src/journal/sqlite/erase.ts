import { aliasedTo } from './aliases.ts';
import { BLOCK, BLOCKS, EVERYWHERE, laneIs } from './blocks.ts';
import { dropPayloads } from './bodies.ts';
import type { Engine } from './engine.ts';
import { dropNotes } from './notes.ts';
import { writeProfile } from './profiles.ts';

/** Runs it so that what it deletes is overwritten in the file too. */
export function overwriting({ db }: Engine, erase: () => void): void {
  db.raw.exec('PRAGMA secure_delete = ON');
  try {
    erase();
  } finally {
    db.raw.exec('PRAGMA secure_delete = FAST');
  }
}

function dropContent(engine: Engine, seq: number): void {
  dropPayloads(engine, seq);
  dropNotes(engine, seq);
  engine.db.run('UPDATE attempts SET detail = NULL WHERE seq = ?', seq);
  engine.db.run('UPDATE events SET detail = NULL WHERE seq = ?', seq);
}

/** Positions of the lane's settled events: those that are in it, and those of its own customer that were moved to another. */
function settledOf(
  { db }: Engine,
  lane: string,
  of: { readonly destination: string; readonly source: string },
): number[] {
  return (
    db.all(
      `SELECT seq FROM events INDEXED BY events_of_lane
       WHERE ${BLOCK} IN ${BLOCKS} AND ${laneIs('?3')} AND (destination = ?4 OR source = ?5) AND state <> 'pending'
       UNION SELECT seq FROM events INDEXED BY events_own_lane
       WHERE own_lane = ?3 AND (destination = ?4 OR source = ?5) AND state <> 'pending'`,
      EVERYWHERE.from,
      EVERYWHERE.to,
      lane,
      of.destination,
      of.source,
    ) as { seq: number }[]
  ).map(({ seq }) => seq);
}

/**
 * Removes what is known of a customer, and of those who were merged into it: payloads and notes of settled events that go to the same destination or
 * came from the same source (a source can have been rerouted), and the assembled profiles.
 */
export function eraseLane(
  engine: Engine,
  lane: string,
  of: { readonly destination: string; readonly source: string },
): void {
  overwriting(engine, () => {
    for (const one of [lane, ...aliasedTo(engine, of.destination, lane)]) {
      for (const seq of settledOf(engine, one, of)) dropContent(engine, seq);
      writeProfile(engine, of.destination, one, null);
    }
  });
}

/** Removes what one event holds, and keeps its record. */
export function eraseEvent(engine: Engine, seq: number): void {
  overwriting(engine, () => dropContent(engine, seq));
}
