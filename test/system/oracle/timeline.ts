import { applyToCustomer } from '../../../src/mapping/customer/apply-to-customer.ts';
import { victimLaneOf } from '../../../src/mapping/identities.ts';
import {
  asJson,
  type ExpectedEvent,
  expectedMapping,
  type MappingSettings,
  mappingContextOf,
} from './expectations.ts';

/** The expected results of the events of one lane, each list in the order of acceptance. */
export interface Timeline {
  /** Events whose event message must have landed. */
  readonly events: ExpectedEvent[];
  /** Events that were sent to Adobe and rejected permanently. */
  readonly dead: ExpectedEvent[];
  /** Events whose profile record must have landed. */
  readonly profiles: ExpectedEvent[];
}

/** The last profile record of a customer and of all customers that were merged into it. */
export interface LastRecord {
  /**
   * Lanes of these customers. If there is only one, `expected` is the event that causes the record.
   */
  readonly lanes: string[];
  readonly expected: ExpectedEvent;
  /** Without its `_id`. */
  readonly entity: Record<string, unknown>;
}

export interface Timelines {
  /** By the lane of the event's own customer. */
  readonly byLane: ReadonlyMap<string | undefined, Timeline>;
  readonly lastRecords: readonly LastRecord[];
}

/** State of one customer while its events are replayed. */
interface Customer {
  state?: string;
  last?: Pick<LastRecord, 'expected' | 'entity'>;
  /** Its own lane and those of the customers that were merged into it. */
  readonly lanes: string[];
}

/** Where an event belongs that was sent to Adobe. */
function sentOf({ isPoison }: ExpectedEvent, { dead, events }: Timeline): ExpectedEvent[] {
  return isPoison ? dead : events;
}

/**
 * Replays the events in the order of acceptance. The relay processes each customer in that order,
 * but two customers that are merged in any interleaving; their last record must be the same for all
 * of them.
 */
export async function buildTimelines(
  inOrder: readonly ExpectedEvent[],
  settings: MappingSettings,
): Promise<Timelines> {
  const byLane = new Map<string | undefined, Timeline>();
  const customers = new Map<string, Customer>();
  const customerOf = (lane: string): Customer => {
    const customer = customers.get(lane) ?? { lanes: [lane] };
    customers.set(lane, customer);
    return customer;
  };

  const replay = async (expected: ExpectedEvent, timeline: Timeline): Promise<void> => {
    const mapped = await expectedMapping(expected, settings);
    const ownLane = expected.event.lane;
    if (ownLane === undefined) {
      if (mapped.outcome === 'messages') sentOf(expected, timeline).push(expected);
      return;
    }
    const customer = customerOf(ownLane);
    const victimLane = victimLaneOf(expected.event);
    const victim = victimLane === undefined ? undefined : customerOf(victimLane);
    const before = {
      lane: customer.lanes[0]!,
      ownLane,
      state: customer.state,
      victim:
        victimLane === undefined || victim === customer
          ? undefined
          : { lane: victimLane, state: victim?.state },
    };
    const update = applyToCustomer(expected.event, mapped, before, mappingContextOf(expected, settings));
    // An ignored event is never sent, so it cannot be rejected; a rejected one changes nothing.
    if (mapped.outcome === 'messages' && !update.isLate) sentOf(expected, timeline).push(expected);
    if (expected.isPoison) return;
    customer.state = update.state ?? customer.state;
    if (update.profile !== undefined) {
      timeline.profiles.push(expected);
      const { _id, ...entity } = asJson(update.profile.entity);
      customer.last = { expected, entity };
    }
    if (update.merged === undefined || victim === undefined || victim === customer) return;
    for (const lane of victim.lanes) customers.set(lane, customer);
    customer.lanes.push(...victim.lanes);
  };

  for (const expected of inOrder) {
    const { lane } = expected.event;
    const timeline = byLane.get(lane) ?? { events: [], dead: [], profiles: [] };
    byLane.set(lane, timeline);
    await replay(expected, timeline);
  }
  return {
    byLane,
    lastRecords: [...new Set(customers.values())].flatMap(({ last, lanes }) =>
      last === undefined ? [] : [{ ...last, lanes }],
    ),
  };
}
