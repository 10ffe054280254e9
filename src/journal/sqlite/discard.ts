import { dropPayloads } from './bodies.ts';
import { addCounts } from './counts.ts';
import type { Engine } from './engine.ts';
import { within } from './filter.ts';
import type { AnswerOf, RequestOf } from './protocol.ts';
import { CHANGES_PER_STEP, recordAction } from './replay.ts';
import type { EventRow } from './rows.ts';
import { rise } from './stretch.ts';

/** Removes a malformed body with its record. */
export function removeMalformed(engine: Engine, row: EventRow): void {
  engine.db.run('DELETE FROM events WHERE seq = ?', row.seq);
  addCounts(engine, row.source, { malformed: -1 });
}

function discardDead(engine: Engine, row: EventRow, request: RequestOf<'discard'>): void {
  dropPayloads(engine, row.seq);
  engine.db.run(
    `UPDATE events SET state = 'ignored', reason = 'discarded', settled_at = ? WHERE seq = ?`,
    request.now,
    row.seq,
  );
  addCounts(engine, row.source, { dead: -1, ignored: 1 });
  recordAction(engine, row.seq, { at: request.now, by: request.by, action: 'discarded' });
}

export function discard(engine: Engine, request: RequestOf<'discard'>): AnswerOf<'discard'> {
  const letters = within(request.filter, ['dead', 'malformed']);
  const { rows, ...stepped } = rise(engine, letters, CHANGES_PER_STEP, request.step);
  for (const row of rows) {
    if (row.state === 'malformed') removeMalformed(engine, row);
    else discardDead(engine, row, request);
  }
  return { done: rows.length, ...stepped };
}
