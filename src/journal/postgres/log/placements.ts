import { laneKeyOf } from '../engine/lane-keys.ts';
import type { Session, Statement } from '../sessions/session.ts';

/** The lane of an event at a destination. `own_lane` is its original lane if an alias maps it. */
export interface Placement {
  readonly lane: string | null;
  readonly own_lane: string | null;
  readonly lane_key: number;
}

/** An event that is to be queued at a destination. */
interface Unplaced {
  readonly destination: string;
  /** The lane of the event's own customer. */
  readonly original: string | null;
  /** Its key so far, which an event without a lane keeps. */
  readonly laneKey: number;
}

const TARGETS: Statement = {
  name: 'alias_targets',
  text: `SELECT a.destination, a.lane, a.target
    FROM unnest($1::text[], $2::text[]) AS i (destination, lane)
      JOIN aliases AS a ON a.destination = i.destination AND a.lane = i.lane`,
};

function keyOf(destination: string, lane: string): string {
  return `${destination} ${lane}`;
}

/**
 * Where events are queued now. An alias that is being written at the same time is not seen: then
 * whoever scans the queue moves the event.
 */
export async function placementsOf(session: Session, events: readonly Unplaced[]): Promise<Placement[]> {
  const lanes = new Map(
    events.flatMap(({ destination, original: lane }) =>
      lane === null ? [] : [[keyOf(destination, lane), { destination, lane }] as const],
    ),
  );
  const sought = [...lanes.values()];
  const aliases =
    sought.length === 0
      ? []
      : await session.query<{ destination: string; lane: string; target: string }>(TARGETS, [
          sought.map(({ destination }) => destination),
          sought.map(({ lane }) => lane),
        ]);
  const targets = new Map(aliases.map(({ destination, lane, target }) => [keyOf(destination, lane), target]));
  return events.map(({ destination, original, laneKey }) => {
    if (original === null) return { lane: null, own_lane: null, lane_key: laneKey };
    const target = targets.get(keyOf(destination, original));
    const lane = target ?? original;
    return { lane, own_lane: target === undefined ? null : original, lane_key: laneKeyOf(lane, '') };
  });
}
