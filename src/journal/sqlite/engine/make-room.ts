import type { AnswerOf, RequestOf } from './calls.ts';
import type { Engine } from './engine.ts';
import { removeLateBodies, sweepRecords } from './retention.ts';
import { isFinished, removeBodies, removeDetails, type SweptRow, sweep } from './sweeps.ts';

/*
 * Removes what is no longer owed before its time, because the store is full: first bodies of
 * delivered and ignored events, then records that Capillary no longer repeats, then whatever of the
 * other records is not needed to recognise a repeat; each time the oldest first. Pending events and
 * dead letters are not touched.
 */

function isRemovable(row: SweptRow): boolean {
  return isFinished(row) && row.late === 0;
}

/** One step; the next one continues at its answer. */
export function makeRoom(engine: Engine, request: RequestOf<'makeRoom'>): AnswerOf<'makeRoom'> {
  const { after, minIds } = request;
  const now = engine.now();
  // They have been passed, so they are older than all others.
  const late = removeLateBodies(engine, Number.MAX_SAFE_INTEGER);
  if (late > 0) return { bodies: late, records: 0 };
  const bodies = sweep(engine, {
    name: 'bodies',
    decide: (row) => (isRemovable(row) ? 'remove' : 'skip'),
    remove: removeBodies,
    after,
    onlyRemoved: true,
  });
  if (bodies.removed > 0 || bodies.more)
    return { bodies: bodies.removed, records: 0, ...(bodies.more ? { next: bodies.end } : {}) };
  const records = sweepRecords(engine, now, minIds).removed;
  if (records > 0) return { bodies: 0, records };
  const details = sweep(engine, {
    name: 'details',
    decide: (row) => (isRemovable(row) ? 'remove' : 'skip'),
    remove: removeDetails,
  });
  return { bodies: 0, records: details.removed };
}
