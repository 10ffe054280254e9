import type { LaneAlias } from '../journal.ts';
import type { Engine } from './engine.ts';
import { moveLane } from './lanes.ts';
import type { EventRow } from './rows.ts';

/*
 * Kept by these: no target of an alias has an alias itself, so that one look-up is enough; and no pending event is in a lane that has one.
 */

/** Where an event is queued. `own_lane` is that of its own customer, where an alias leads to another. */
export interface Place {
  readonly lane: string | null;
  readonly own_lane: string | null;
}

function targetOf({ db, aliases }: Engine, destination: string, lane: string): string {
  if (!aliases.isAny) return lane;
  const row = db.one('SELECT target FROM aliases WHERE destination = ? AND lane = ?', destination, lane) as
    | { target: string }
    | undefined;
  return row?.target ?? lane;
}

/** The place that an event of this lane has at the destination now. */
export function placeAt(engine: Engine, destination: string, own: string | null): Place {
  const lane = own === null ? null : targetOf(engine, destination, own);
  return { lane, own_lane: lane === own ? null : own };
}

/** The lane of the event's own customer. */
export function ownLaneOf({ lane, own_lane }: Pick<EventRow, keyof Place>): string | null {
  return own_lane ?? lane;
}

/** The lanes that an alias leads to this one from. */
export function aliasedTo({ db }: Engine, destination: string, lane: string): string[] {
  return (
    db.all(
      'SELECT lane FROM aliases INDEXED BY aliases_target WHERE destination = ? AND target = ?',
      destination,
      lane,
    ) as {
      lane: string;
    }[]
  ).map((row) => row.lane);
}

/** From now on the one lane is the other. Nothing for a lane that has an alias already, or that the other one leads back to. */
export function addAlias(engine: Engine, destination: string, { from, to }: LaneAlias): void {
  const target = targetOf(engine, destination, to);
  if (target === from || targetOf(engine, destination, from) !== from) return;
  engine.db.run(
    'UPDATE aliases INDEXED BY aliases_target SET target = ? WHERE destination = ? AND target = ?',
    target,
    destination,
    from,
  );
  engine.aliases.isAny = true;
  engine.db.run(
    'INSERT INTO aliases (destination, lane, target) VALUES (?, ?, ?)',
    destination,
    from,
    target,
  );
  moveLane(engine, destination, from, target);
}
