import type { AnswerOf, RequestOf } from './calls.ts';
import type { Engine } from './sqlite-engine.ts';
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

/**
 * One step. What it passes and does not remove counts as late from then on, so that its body is
 * removed as soon as it is settled.
 */
export function makeRoom(engine: Engine, { minIds }: RequestOf<'makeRoom'>): AnswerOf<'makeRoom'> {
  // They have been passed, so they are older than all others.
  const late = removeLateBodies(engine, Number.MAX_SAFE_INTEGER);
  if (late > 0) return { bodies: late, records: 0, more: true };
  const bodies = sweep(engine, {
    name: 'bodies',
    decide: (row) => (isRemovable(row) ? 'remove' : 'skip'),
    remove: removeBodies,
  });
  if (bodies.removed > 0 || bodies.more) return { bodies: bodies.removed, records: 0, more: true };
  const records = sweepRecords(engine, engine.now(), minIds);
  if (records.removed > 0 || records.more) return { bodies: 0, records: records.removed, more: true };
  const details = sweep(engine, {
    name: 'details',
    decide: (row) => (isRemovable(row) ? 'remove' : 'skip'),
    remove: removeDetails,
  });
  return { bodies: 0, records: details.removed, more: details.more };
}
