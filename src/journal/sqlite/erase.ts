import { dropPayloads } from './bodies.ts';
import type { Engine } from './engine.ts';
import { dropNotes } from './notes.ts';
import { writeProfile } from './profiles.ts';

/**
 * Removes what is known of a customer: payloads and notes of the lane's settled events that go to the same destination or came from the same source
 * (a source can have been rerouted), and the assembled profile. Overwrites it in the file too.
 */
export const eraseLane = (
  engine: Engine,
  lane: string,
  of: { readonly destination: string; readonly source: string },
): void => {
  const { db } = engine;
  db.raw.exec('PRAGMA secure_delete = ON');
  try {
    const rows = db.all(
      `SELECT seq FROM events INDEXED BY events_lane
       WHERE lane = ? AND (destination = ? OR source = ?) AND state <> 'pending'`,
      lane,
      of.destination,
      of.source,
    ) as { seq: number }[];
    for (const { seq } of rows) {
      dropPayloads(engine, seq);
      dropNotes(engine, seq);
      db.run('UPDATE attempts SET detail = NULL WHERE seq = ?', seq);
      db.run('UPDATE events SET detail = NULL WHERE seq = ?', seq);
    }
    writeProfile(engine, of.destination, lane, null);
  } finally {
    db.raw.exec('PRAGMA secure_delete = FAST');
  }
};
