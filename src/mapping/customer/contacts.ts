import type { IdentifierKind } from '../../capillary/identifiers.ts';
import type { Identity } from '../identities.ts';
import type { AttributeVersion } from './attribute-version.ts';
import type { FactGroups } from './facts.ts';
import { IDENTITY_FACTS } from './identity-facts.ts';

export { goneFact, IDENTITY_FACTS, identityFact } from './identity-facts.ts';

/** An identity and the version of the fact that it comes from. */
export type DatedIdentity = Identity & Pick<AttributeVersion, 'at' | 'by'>;

/** The identities of one customer, in the order of their kinds and slots. */
export function identitiesInFacts(facts: FactGroups): readonly DatedIdentity[] {
  const found: DatedIdentity[] = [];
  for (const [kind, slots] of facts.get(IDENTITY_FACTS) ?? []) {
    for (const { value, at, by } of slots) {
      if (typeof value === 'string') {
        found.push({ kind: kind as IdentifierKind, id: value, at, by });
      }
    }
  }
  return found;
}

/** Attributes that are contact points, by the kind of identity that they are. */
const CONTACT_ATTRIBUTES: readonly (readonly [IdentifierKind, string])[] = [
  ['email', 'personalEmail.address'],
  ['phone', 'mobilePhone.number'],
];

/** The attribute with the contact point of a kind. */
export function contactAttribute(kind: IdentifierKind): string | undefined {
  return CONTACT_ATTRIBUTES.find(([candidate]) => candidate === kind)?.[1];
}

/** The kind of identity that an attribute is; undefined for all others. */
export function contactKindOf(path: string): IdentifierKind | undefined {
  return CONTACT_ATTRIBUTES.find(([, attribute]) => attribute === path)?.[0];
}
