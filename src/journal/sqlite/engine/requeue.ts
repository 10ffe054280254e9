import { addBacklog, addCounts } from './counts.ts';
import { claimHead, enqueueExisting, ownLaneOf, placementFor } from './lanes.ts';
import { leaveSettled } from './landing-counts.ts';
import { deleteNotes } from './payloads.ts';
import type { EventRow } from './rows.ts';
import type { Engine } from './sqlite-engine.ts';

/** How a settled event becomes pending again. */
export interface Requeued {
  /** Epoch ms from which it can be claimed. */
  readonly dueAt: number;
  readonly destination: string;
  readonly idSuffix: string;
  readonly replays: number;
}

/**
 * Makes a settled event pending in the queue of replays, with its counters reset.
 * @returns whether it is the head of its lane
 */
export function requeue(engine: Engine, row: EventRow, requeued: Requeued): boolean {
  const { dueAt, destination, idSuffix, replays } = requeued;
  leaveSettled(engine, row);
  // The customer may have been merged since.
  const { lane, own_lane } = placementFor(engine, destination, ownLaneOf(row));
  const queue = { destination, lane, replay: 1 };
  const head = claimHead(engine, queue);
  engine.db.run(
    `UPDATE events SET state = 'pending', reason = NULL, detail = NULL, settled_at = NULL, due_at = ?,
       failures = 0, charged = 0, replay = 1, destination = ?, lane = ?, own_lane = ?, head = ?, delivered = ?,
       id_suffix = ?, replays = ? WHERE seq = ?`,
    dueAt,
    destination,
    lane,
    own_lane,
    head,
    row.state === 'delivered' ? 0 : row.delivered,
    idSuffix,
    replays,
    row.seq,
  );
  enqueueExisting(engine, queue, row.seq);
  engine.db.run('DELETE FROM sent WHERE seq = ?', row.seq);
  deleteNotes(engine, row.seq);
  addCounts(engine, row.source, { [row.state]: -1, pending: 1 });
  addBacklog(engine, destination, { pending: 1, replaying: 1 });
  return head === 1;
}
