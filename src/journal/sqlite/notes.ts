import type { KeptNote } from '../journal.ts';
import type { Engine } from './engine.ts';
import type { EventRow } from './rows.ts';

/** Notes of one event, and characters of a path, that are kept. */
const MAX_NOTES = 100;
const MAX_PATH = 300;

/** As they are stored: pairs of path and code. */
type Pairs = readonly (readonly [string, string])[];

/** Writes nothing where there are none; a replay has removed what was there before. */
export function keepNotes({ db, seal }: Engine, seq: number, notes: readonly KeptNote[] | undefined): void {
  if (notes === undefined || notes.length === 0) return;
  const pairs: Pairs = notes.slice(0, MAX_NOTES).map(({ path, code }) => [path.slice(0, MAX_PATH), code]);
  db.run(
    'INSERT OR REPLACE INTO notes (seq, json) VALUES (?, ?)',
    seq,
    seal.close(Buffer.from(JSON.stringify(pairs), 'utf8')),
  );
}

function pairsIn(plain: Buffer | undefined): Pairs | undefined {
  try {
    return plain && (JSON.parse(plain.toString('utf8')) as Pairs);
  } catch {
    return undefined;
  }
}

/** None, and said so, when they cannot be opened or are damaged. */
export function notesOf(engine: Engine, { seq, receipt }: EventRow): KeptNote[] {
  const row = engine.db.one('SELECT json FROM notes WHERE seq = ?', seq) as { json: Uint8Array } | undefined;
  if (row === undefined) return [];
  const pairs = pairsIn(engine.seal.open(row.json));
  if (pairs !== undefined) return pairs.map(([path, code]) => ({ path, code }));
  engine.reportUnreadable('the notes of an event', receipt);
  return [];
}

export function dropNotes({ db }: Engine, seq: number): void {
  db.run('DELETE FROM notes WHERE seq = ?', seq);
}
