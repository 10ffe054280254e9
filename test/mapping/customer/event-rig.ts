import type { CapillaryEvent } from '../../../src/capillary/event.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { applyToCustomer, type CustomerUpdate } from '../../../src/mapping/customer/apply-to-customer.ts';
import { victimLaneOf } from '../../../src/mapping/identities.ts';
import { mapEvent } from '../../../src/mapping/map-event.ts';
import type { MappingContext } from '../../../src/mapping/mapping-result.ts';
import { contextOf, eventOf } from '../mapping-rig.ts';

export const DAY = 86_400_000;
/** 2026-11-01T00:00:00Z */
export const START = Date.UTC(2026, 10, 1);
export const ME = 518200431;

/** Later than all events of these tests. */
const RECEIVED_AT = START + 2_000 * DAY;

export function contextWith(destination: Record<string, unknown>): MappingContext {
  return contextOf({ destination, receivedAt: RECEIVED_AT });
}

let count = 0;

/** An event of a customer that Capillary made at this time. */
export function eventAt(
  at: number,
  eventName: string,
  data: JsonObject,
  customerId: number = ME,
): CapillaryEvent {
  count += 1;
  return eventOf({
    eventName,
    eventId: `e-${count}`,
    orgId: 204731,
    createdAt: at,
    data: { customerIdentifiers: { customerId }, ...data },
  });
}

export interface Applied {
  readonly state: string | undefined;
  /** The last record that was sent. */
  readonly record: JsonObject;
  readonly codes: readonly string[];
}

/** Maps events and applies them in this order, each customer in its lane, as delivery does. */
export async function applyEvents(
  events: readonly CapillaryEvent[],
  context: MappingContext,
): Promise<Applied> {
  const states = new Map<string, string>();
  const aliases = new Map<string, string>();
  let last: CustomerUpdate | undefined;
  let lane = '';
  const codes: string[] = [];
  for (const event of events) {
    const mapped = await mapEvent(event, context);
    const ownLane = event.lane ?? '';
    lane = aliases.get(ownLane) ?? ownLane;
    const victimLane = victimLaneOf(event);
    const victim = victimLane === undefined ? undefined : { lane: victimLane, state: states.get(victimLane) };
    const update = applyToCustomer(
      event,
      mapped,
      { lane, ownLane, state: states.get(lane), victim },
      context,
    );
    if (update.state !== undefined) {
      states.set(lane, update.state);
    }
    if (update.merged !== undefined) {
      aliases.set(update.merged.from, lane);
    }
    last = update.profile === undefined ? last : update;
    codes.push(
      ...[...mapped.notes, ...(update.profile?.notes ?? [])].map(({ code, path }) => `${code} ${path}`),
    );
  }
  return { state: states.get(lane), record: last?.profile?.entity ?? {}, codes };
}

export function valueAt(record: JsonObject, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], record);
}
