import { laneOf } from '../../../src/capillary/event-identity.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { applyToCustomer, type CustomerUpdate } from '../../../src/mapping/customer/apply-to-customer.ts';
import { victimLaneOf } from '../../../src/mapping/identities.ts';
import { mapEvent } from '../../../src/mapping/map-event.ts';
import type { MappingResult, ProfileChange } from '../../../src/mapping/mapping-result.ts';
import { pointsSnapshotFacts } from '../../../src/mapping/snapshot/points-snapshot.ts';
import { SNAPSHOT_BY } from '../../../src/mapping/snapshot/snapshot-version.ts';
import { type ContextChange, contextOf, eventOf, RECEIVED_AT } from '../mapping-rig.ts';
import { DAY_MS, type HistoryEvent, noon } from './history-rig.ts';
import type { Fetch } from './points-world.ts';

const ORG = 50;

/**
 * What the relay knows after events and answers of the API, in the order in which they arrive. All
 * are kept in the lanes of their customers.
 */
export function createFetchedHistory(change: ContextChange = {}) {
  const context = contextOf({
    receivedAt: RECEIVED_AT + 400 * DAY_MS,
    source: { program: 973, ...change.source },
    destination: { schemaFeatures: { loyalty2026: true }, ...change.destination },
  });
  const states = new Map<string, string>();
  const aliases = new Map<string, string>();
  let last: CustomerUpdate | undefined;

  const apply = async (body: object, mappedOf?: (at: number) => MappingResult): Promise<void> => {
    const event = eventOf(body);
    const mapped = await mapEvent(event, context);
    const ownLane = event.lane ?? '';
    const lane = aliases.get(ownLane) ?? ownLane;
    const victimLane = mappedOf === undefined ? victimLaneOf(event) : undefined;
    const victim = victimLane === undefined ? undefined : { lane: victimLane, state: states.get(victimLane) };
    const before = { lane, ownLane, state: states.get(lane), victim };
    last = applyToCustomer(event, mappedOf?.(event.createdAt ?? 0) ?? mapped, before, context);
    const { state, merged } = last;
    if (state !== undefined) {
      states.set(lane, state);
    }
    if (merged !== undefined) {
      states.delete(merged.from);
      aliases.set(merged.from, lane);
    }
  };

  const fetched = ({ programs }: Fetch, at: number): MappingResult => {
    const { timezone } = context.source;
    const facts = programs.flatMap((program) => pointsSnapshotFacts(program, { timezone }));
    const profile: ProfileChange = {
      at,
      attributes: new Map(facts.flatMap(([path, value]) => (value === undefined ? [] : [[path, value]]))),
    };
    // The digits after the prefix become the `by` of all facts.
    return { outcome: 'messages', id: `cap-${SNAPSHOT_BY}`, event: {}, profile, erase: false, notes: [] };
  };

  return {
    async send(...steps: readonly (HistoryEvent | Fetch)[]) {
      for (const step of steps) {
        const { day, customerId = 1 } = step;
        const envelope = { orgId: ORG, createdAt: noon(day) };
        const customer = { customerIdentifiers: { customerId } };
        if ('programs' in step) {
          const body = { ...envelope, eventName: 'customerUpdated', eventId: 'fetch', data: customer };
          await apply(body, (at) => fetched(step, at));
        } else {
          const { eventName, eventId = `${eventName}-${day}`, data } = step;
          const who = eventName === 'loyaltyCustomerMerge' ? {} : customer;
          await apply({ ...envelope, eventName, eventId, data: { ...who, ...data } });
        }
      }
      const { entity = {}, notes = [] } = last?.profile ?? {};
      const loyalty = (entity['loyalty'] ?? {}) as JsonObject;
      return { record: entity, loyalty, notes: notes.map(({ code, path }) => `${code} ${path}`) };
    },
    stateOf: (customerId: number): string | undefined => states.get(laneOf(ORG, String(customerId))),
  };
}
