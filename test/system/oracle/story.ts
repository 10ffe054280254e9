import { victimLaneOf } from '../../../src/mapping/identities.ts';
import { keep } from '../../../src/mapping/keep.ts';
import { contextOf, mappedAs, type Obligation, plain, type Terms } from './obligations.ts';

/** What one customer's events must have led to. */
export interface Story {
  /** Those whose messages must have landed, in order. */
  readonly events: Obligation[];
  /** Those that Adobe was sent and refused for good. */
  readonly dead: Obligation[];
  readonly profiles: Obligation[];
}

/** The last profile record of a customer, and of all that were merged into it. */
export interface LastRecord {
  /** The lanes of all these; of one lane alone it is known by which event the record is. */
  readonly lanes: string[];
  readonly by: Obligation;
  /** Without its `_id`. */
  readonly entity: Record<string, unknown>;
}

export interface Stories {
  /** By the lane of the event's own customer. */
  readonly ofLane: ReadonlyMap<string | undefined, Story>;
  readonly last: readonly LastRecord[];
}

/** What is known of a lane while the events are gone through. */
interface Lane {
  state?: string;
  last?: Pick<LastRecord, 'by' | 'entity'>;
  /** Itself and those that were merged into it. */
  readonly lanes: string[];
}

/**
 * Goes through the events in the order of acceptance. The relay takes each customer in that order, but two that are merged as it comes: their
 * last record must be the same nevertheless.
 */
export const storiesOf = async (inOrder: readonly Obligation[], terms: Terms): Promise<Stories> => {
  const ofLane = new Map<string | undefined, Story>();
  const lanes = new Map<string, Lane>();
  const laneOf = (own: string): Lane => {
    const lane = lanes.get(own) ?? { lanes: [own] };
    lanes.set(own, lane);
    return lane;
  };

  const take = async (by: Obligation, story: Story): Promise<void> => {
    const mapped = await mappedAs(by, terms);
    if (by.isPoison) {
      // Of what is ignored nothing is sent, so nothing is refused.
      if (mapped.outcome === 'messages') story.dead.push(by);
      return;
    }
    const own = by.event.lane;
    if (own === undefined) {
      if (mapped.outcome === 'messages') story.events.push(by);
      return;
    }
    const lane = laneOf(own);
    const root = lane.lanes[0]!;
    const from = victimLaneOf(by.event);
    const victim = from === undefined ? undefined : laneOf(from);
    const before = {
      lane: root,
      own,
      state: lane.state,
      victim: from === undefined || victim === lane ? undefined : { lane: from, state: victim?.state },
    };
    const kept = keep(by.event, mapped, before, contextOf(by, terms));
    lane.state = kept.state ?? lane.state;
    if (mapped.outcome === 'messages' && !kept.isLate) story.events.push(by);
    if (kept.profile !== undefined) {
      story.profiles.push(by);
      const { _id, ...entity } = plain(kept.profile.entity);
      lane.last = { by, entity };
    }
    if (kept.merged === undefined || victim === undefined || victim === lane) return;
    for (const one of victim.lanes) lanes.set(one, lane);
    lane.lanes.push(...victim.lanes);
  };

  for (const by of inOrder) {
    const story = ofLane.get(by.event.lane) ?? { events: [], dead: [], profiles: [] };
    ofLane.set(by.event.lane, story);
    await take(by, story);
  }
  return {
    ofLane,
    last: [...new Set(lanes.values())].flatMap(({ last, lanes: all }) =>
      last === undefined ? [] : [{ ...last, lanes: all }],
    ),
  };
};
