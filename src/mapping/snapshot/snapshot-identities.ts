import type { CustomerEntity } from '../../capillary/entities.ts';
import { type EventIdentity, normalize } from '../identities.ts';
import { isIgnoredContact } from '../ignored-contacts.ts';
import type { Notes } from '../mapping-notes.ts';
import type { MappingContext } from '../mapping-result.ts';

/**
 * The customer's current identities by the rules for those of events (`identitiesOf`): the
 * customerId, then the first of each kind and account, and any number of cards.
 */
export function snapshotIdentities(
  customer: CustomerEntity | undefined,
  source: MappingContext['source'],
  notes?: Notes,
): readonly EventIdentity[] {
  if (customer === undefined) {
    return [];
  }
  const found: EventIdentity[] = [{ kind: 'customerId', id: customer.customerId, slot: 'own' }];
  const slots = new Set<string>();
  for (const { kind, value, account } of customer.identifiers) {
    const checked = normalize({ kind, value }, source.country);
    if ('code' in checked || isIgnoredContact(source, kind, checked.id)) {
      notes?.add(
        `entities.customer.identifiers.${kind}`,
        'code' in checked ? checked.code : 'ignored-contact',
      );
      continue;
    }
    const slot = kind === 'cardNumber' ? checked.id : account;
    if (!slots.has(`${kind} ${slot}`)) {
      slots.add(`${kind} ${slot}`);
      found.push({ kind, id: checked.id, slot });
    }
  }
  return found;
}

/**
 * The identities whose contacts are to be counted before an event is mapped: its own, and those
 * that the API says its customer has. None of a customer who was erased.
 */
export function identitiesToCount(
  identities: readonly EventIdentity[],
  { entities, source }: Pick<MappingContext, 'entities' | 'source'>,
): readonly EventIdentity[] {
  const answer = entities?.customer;
  if (answer === undefined) {
    return identities;
  }
  return answer.kind === 'erased' ? [] : [...identities, ...snapshotIdentities(answer.customer, source)];
}
