import type { CustomerEntity } from '../../capillary/entities.ts';
import { contactAttribute, identityFact } from '../customer/contacts.ts';
import { COMPLETE_IDS_FACT } from '../customer/identity-facts.ts';
import { demographics } from '../families/demographics.ts';
import type { Draft, Facts, FamilyInput } from '../families/family.ts';
import { firstIdOf, normalize } from '../identities.ts';
import { isIgnoredContact } from '../ignored-contacts.ts';
import { readName } from '../person-name.ts';

/**
 * Name, contact points, details, status and cards of the customer. What an answer that is complete
 * does not have is cleared.
 */
export function personOfSnapshot(
  input: FamilyInput,
  customer: CustomerEntity | undefined,
): { readonly attributes: Draft; readonly identityFacts: Facts } {
  if (customer === undefined) {
    return { attributes: {}, identityFacts: [] };
  }
  const { data, identities, notes } = input;
  const isComplete = isCompletePerson(customer);
  const absent = isComplete ? null : undefined;
  const nameOf = (field: 'firstName' | 'lastName'): string | null | undefined =>
    customer[field] === undefined ? absent : readName(data, field, notes);
  return {
    attributes: {
      'person.name.firstName': nameOf('firstName'),
      'person.name.lastName': nameOf('lastName'),
      ...Object.fromEntries(
        (['email', 'phone'] as const).map((kind) => [
          contactAttribute(kind) ?? '',
          firstIdOf(identities, kind) ?? absent,
        ]),
      ),
      'loyalty.status': data.text('status'),
      ...cardsOf(input, customer),
      ...demographics(input),
    },
    identityFacts: [
      ...(isComplete ? [[COMPLETE_IDS_FACT, true] as const] : []),
      ...identities.map(({ kind, slot, id }) => [identityFact(kind, slot), id] as const),
    ],
  };
}

/**
 * True if what the answer does not have does not exist: nothing is masked, and the person was read
 * at all.
 */
function isCompletePerson({ isMasked, identifiers, firstName, lastName }: CustomerEntity): boolean {
  return isMasked !== true && (identifiers.length > 0 || firstName !== undefined || lastName !== undefined);
}

/**
 * All cards: in `loyalty.cardsDetails`, or below the tenant if the schema is older
 * (docs/platforms/adobe.md#profile-loyalty).
 */
function cardsOf({ context }: FamilyInput, { cards }: CustomerEntity): Draft {
  const { schemaFeatures, tenant } = context.destination;
  const path = schemaFeatures.loyalty2026
    ? 'loyalty.cardsDetails'
    : tenant === undefined
      ? undefined
      : `${tenant}.capillary.cards`;
  if (cards === undefined || path === undefined) {
    return {};
  }
  const usable = cards.flatMap(({ number: value, series, status }) => {
    const checked = normalize({ kind: 'cardNumber', value }, context.source.country);
    return 'code' in checked || isIgnoredContact(context.source, 'cardNumber', checked.id)
      ? []
      : [{ number: checked.id, series, status }];
  });
  return { [path]: usable.length === 0 ? null : usable };
}
