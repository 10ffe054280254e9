import type { DifferingCopies } from '../../journal.ts';
import type { Engine } from './sqlite-engine.ts';

/* Duplicates whose data differs from that of the first event. */

/** An unknown receipt is ignored. */
export function insertDifferingCopy(
  { db }: Engine,
  { head: { receipt }, at }: { readonly head: { readonly receipt: string }; readonly at: number },
): void {
  db.run(
    `INSERT INTO differing_copies (seq, copies, last_at) SELECT seq, 1, ? FROM events WHERE receipt = ?
     ON CONFLICT (seq) DO UPDATE SET copies = copies + 1, last_at = max(last_at, excluded.last_at)`,
    at,
    receipt,
  );
}

/** Undefined if there were none. */
export function differingCopiesOf({ db }: Engine, seq: number): DifferingCopies | undefined {
  return db.one('SELECT copies AS count, last_at AS lastAt FROM differing_copies WHERE seq = ?', seq) as
    | DifferingCopies
    | undefined;
}
