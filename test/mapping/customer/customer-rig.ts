import type { JsonValue } from '../../../src/capillary/json.ts';
import {
  applyToCustomer,
  type CustomerUpdate,
  type PriorState,
} from '../../../src/mapping/customer/apply-to-customer.ts';
import type { MappingContext, ProfileChange } from '../../../src/mapping/mapping-result.ts';
import { contextOf, eventWith } from '../mapping-rig.ts';

export const AT = 1_794_000_000_000;
export const [ANN, BOB, CAT] = ['a', 'b', 'c'].map((name) => name.repeat(64)) as [string, string, string];

interface ChangeOptions {
  readonly before?: Partial<PriorState>;
  readonly id?: string;
  readonly eventName?: string;
  readonly context?: MappingContext;
}

export function profileChange(at: number, attributes: Record<string, JsonValue>): ProfileChange {
  return {
    at,
    attributes: new Map(Object.entries({ 'identityMap.capillaryId': ['5'], ...attributes })),
  };
}

/** Applies a change to ANN or to the lane of `before`. */
export function applyChange(
  profile: ProfileChange,
  {
    before = {},
    id = `cap-${'0'.repeat(40)}`,
    eventName = 'customerUpdated',
    context = contextOf(),
  }: ChangeOptions = {},
): CustomerUpdate {
  return applyToCustomer(
    eventWith(eventName, {}, { createdAt: profile.at }),
    { outcome: 'messages', id, event: {}, profile, erase: false, notes: [] },
    { lane: ANN, ownLane: before.lane ?? ANN, state: undefined, victim: undefined, ...before },
    context,
  );
}

/** Applies a deletion to ANN or to the lane of `before`. */
export function applyDeletion(at: number, before: Partial<PriorState> = {}): CustomerUpdate {
  return applyToCustomer(
    eventWith('customerUpdated', {}, { createdAt: at }),
    { outcome: 'messages', id: 'cap-1', event: {}, erase: true, notes: [] },
    { lane: ANN, ownLane: before.lane ?? ANN, state: undefined, victim: undefined, ...before },
    contextOf(),
  );
}

export function entityOf(update: CustomerUpdate | undefined) {
  return update?.profile?.entity ?? {};
}

export function applyAll(
  changes: readonly ProfileChange[],
  from?: string,
  context = contextOf(),
): CustomerUpdate | undefined {
  let last: CustomerUpdate | undefined;
  let state = from;
  for (const next of changes) {
    last = applyChange(next, { before: { state }, context });
    state = last.state ?? state;
  }
  return last === undefined ? undefined : { ...last, ...(state === undefined ? {} : { state }) };
}
