import { createHash } from 'node:crypto';
import type { IdentifierKind } from '../../capillary/identifiers.ts';
import type { Identity } from '../identities.ts';
import type { AttributeVersion, CustomerState } from './customer-state.ts';
import { factPath, type FactGroups, factsIn } from './facts.ts';

/*
 * Identities are facts: `@id[<kind>].<slot>[<item>]`, where the slot is where Capillary has the
 * identifier (in-store or a linked account). A newer value replaces the one of the same slot; an
 * event that has fewer identifiers than before removes none. An empty value (null) clears the slot.
 * `@gone[<hash>]` says that a value is no longer the customer's; a newer event can make it the
 * customer's again.
 */
export const IDENTITY_FACTS = 'id';
export const GONE_FACTS = 'gone';

/** Hex digits of the hash of a value that is no longer the customer's. */
const GONE_HEX_DIGITS = 24;

/** The path of the fact that a customer has an identity. */
export function identityFact(kind: IdentifierKind, slot: string): string {
  return factPath(IDENTITY_FACTS, kind, ['slot', slot]);
}

/** The path of the fact that a value is no longer this customer's identity. */
export function goneFact({ kind, id }: Identity): string {
  return factPath(GONE_FACTS, goneKey(kind, id));
}

function goneKey(kind: IdentifierKind, id: string): string {
  return createHash('sha256').update(`${kind} ${id}`).digest('hex').slice(0, GONE_HEX_DIGITS);
}

/** An identity and the version of the fact that it comes from. */
export type DatedIdentity = Identity & Pick<AttributeVersion, 'at' | 'by'>;

/** The identities of one customer that are still its own, in the order of their kinds and slots. */
export function identitiesInFacts(facts: FactGroups, isGone: GoneCheck): readonly DatedIdentity[] {
  const found: DatedIdentity[] = [];
  for (const [kind, slots] of facts.get(IDENTITY_FACTS) ?? []) {
    for (const { value, at, by } of slots) {
      if (typeof value === 'string' && !isGone(kind as IdentifierKind, value, at)) {
        found.push({ kind: kind as IdentifierKind, id: value, at, by });
      }
    }
  }
  return found;
}

/** Whether a value that an event of this time set is no longer a customer's own. */
export type GoneCheck = (kind: IdentifierKind, id: string, at: number) => boolean;

/** What is gone of one customer of a lane is gone of all that were merged with it. */
export function goneCheckOf({ own, merged }: CustomerState): GoneCheck {
  const gone = new Map<string, number>();
  for (const { attributes } of [own, ...merged.values()]) {
    for (const [key, [fact]] of factsIn(attributes).get(GONE_FACTS) ?? []) {
      gone.set(key, Math.max(fact?.at ?? 0, gone.get(key) ?? 0));
    }
  }
  return gone.size === 0 ? () => false : (kind, id, at) => at <= (gone.get(goneKey(kind, id)) ?? -1);
}
