import { isNewer } from './attribute-version.ts';
import { IDENTITY_FACTS } from './contacts.ts';
import { type Fact, type FactGroups, factNamed, type FactsByCustomer } from './facts.ts';
import { COMPLETE_FACTS } from './identity-facts.ts';
import { mergesInto } from './points-history.ts';

/**
 * A slot for identities that an event stated as blank. Without a kind: every slot, because a
 * snapshot had all identities.
 */
interface ClearedSlot {
  readonly kind?: string;
  readonly fact: Fact;
}

/**
 * The facts of a lane's customers without the identities that the survivor of a merge has cleared:
 * after a merge both are one person, so a slot that is blank then is blank for both. What the
 * victim states later counts again.
 */
export function withoutClearedSlots(customers: FactsByCustomer): FactsByCustomer {
  if (customers.length < 2) {
    return customers;
  }
  const cleared = new Map<FactGroups, ClearedSlot[]>();
  for (const customer of customers) {
    clearVictims(customer, clearedSlotsOf(customer), { customers, cleared });
  }
  return customers.map((customer) => {
    const slots = cleared.get(customer);
    return slots === undefined ? customer : withoutSlots(customer, slots);
  });
}

function clearedSlotsOf(customer: FactGroups): readonly ClearedSlot[] {
  const slots: ClearedSlot[] = [...(customer.get(IDENTITY_FACTS) ?? [])].flatMap(([kind, facts]) =>
    facts.filter(({ value }) => value === null).map((fact) => ({ kind, fact })),
  );
  const complete = factNamed(customer.get(COMPLETE_FACTS)?.get(''), '');
  return complete === undefined ? slots : [...slots, { fact: complete }];
}

/** Also of those who were merged into a victim. Slots shrink or merges end, so circles do too. */
function clearVictims(
  survivor: FactGroups,
  slots: readonly ClearedSlot[],
  lane: { readonly customers: FactsByCustomer; readonly cleared: Map<FactGroups, ClearedSlot[]> },
): void {
  if (slots.length === 0) {
    return;
  }
  for (const { victim, ...merge } of mergesInto(survivor, lane.customers)) {
    const known = victim === undefined ? [] : (lane.cleared.get(victim) ?? []);
    const found = slots.filter((slot) => isNewer(slot.fact, merge) && !known.includes(slot));
    if (victim !== undefined && found.length > 0) {
      lane.cleared.set(victim, [...known, ...found]);
      clearVictims(victim, found, lane);
    }
  }
}

function withoutSlots(customer: FactGroups, cleared: readonly ClearedSlot[]): FactGroups {
  const identities = [...(customer.get(IDENTITY_FACTS) ?? [])].map(
    ([kind, facts]) =>
      [
        kind,
        facts.filter(
          ({ item, at, by }) =>
            !cleared.some((slot) => isSlot(slot, kind, item) && isNewer(slot.fact, { at, by })),
        ),
      ] as const,
  );
  return new Map([...customer, [IDENTITY_FACTS, new Map(identities)]]);
}

/** The customerId stays: it says whose facts these are. */
function isSlot(slot: ClearedSlot, kind: string, item: string): boolean {
  return slot.kind === undefined ? kind !== 'customerId' : slot.kind === kind && slot.fact.item === item;
}
