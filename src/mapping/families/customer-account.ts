import { customerIdOf } from '../../capillary/person.ts';
import { isMasked } from '../../capillary/placeholder-values.ts';
import {
  ACTIVE_FACT,
  joinedFact,
  LOYALTY_TYPE_FACT,
  normalLoyaltyType,
} from '../customer/loyalty-membership.ts';
import { goneFact, identityFact } from '../customer/contacts.ts';
import { isLabel } from '../../capillary/deletion.ts';
import { attributeTime } from '../event-time.ts';
import { factPath } from '../customer/facts.ts';
import { MERGED_FACTS } from '../customer/points-history.ts';
import { firstIdOf, victimIdOf, victimLaneOf } from '../identities.ts';
import { checkName, readName } from '../person-name.ts';
import type { Notes } from '../mapping-notes.ts';
import type { Reader } from '../reader.ts';
import { changedFields, changedText, demographics } from './demographics.ts';
import type { Draft, Facts, FamilyInput, FamilyResult } from './family.ts';
import { standingAfterMerge } from './merged-standing.ts';

/** customerAdded: a registration (docs/platforms/capillary.md#customer-events). */
export function mapCustomerAdded(input: FamilyInput): FamilyResult {
  const type = loyaltyTypeOf(input);
  return {
    eventType: 'loyalty.customerAdded',
    tenant: { customer: customerFields(input) },
    attributes: { ...personAttributes(input), ...demographics(input) },
    facts: [...loyaltyFacts(type), ...(type === 'NON_LOYALTY' ? [] : joinFacts(input)), ...idFacts(input)],
  };
}

/**
 * customerUpdated: a change of details or of status (docs/platforms/capillary.md#customer-events).
 */
export function mapCustomerUpdated(input: FamilyInput): FamilyResult {
  const status = input.data.object('customerStatus');
  return {
    eventType: 'loyalty.customerUpdated',
    tenant: {
      customer: { ...customerFields(input), ...statusFields(status) },
      changes: input.data.list('updatedFields').map((update) => ({
        field: update.text('fieldName'),
        previous: unmasked(update, 'previousValue', input.notes),
        current: unmasked(update, 'currentValue', input.notes),
        source: update.text('source'),
        accountId: update.id('accountId'),
        type: update.text('fieldType'),
      })),
    },
    attributes: {
      ...personAttributes(input),
      'loyalty.status': status.text('currentLabel') ?? status.text('currentStatus'),
      ...demographics(input),
    },
    facts: [...loyaltyFacts(loyaltyTypeOf(input)), ...activeFacts(status, input), ...idFacts(input)],
  };
}

function customerFields({ data }: FamilyInput): Draft {
  return {
    source: data.text('source'),
    accountId: data.id('accountId'),
    loyaltyType: data.text('loyaltyType'),
  };
}

function statusFields(status: Reader): Draft {
  return {
    status: status.text('currentStatus'),
    previousStatus: status.text('previousStatus'),
    statusLabel: status.text('currentLabel'),
    previousStatusLabel: status.text('previousLabel'),
    statusReason: status.text('reason'),
  };
}

/** The type of the customer itself; that of its identifiers can be older. */
function loyaltyTypeOf({ data }: FamilyInput): string | undefined {
  const [own, ofPerson] = [data.text('loyaltyType'), data.object('customerIdentifiers').text('loyaltyType')];
  const type = own ?? ofPerson;
  return type === undefined ? undefined : normalLoyaltyType(type);
}

function loyaltyFacts(type: string | undefined): Facts {
  return type === undefined ? [] : [[LOYALTY_TYPE_FACT, type]];
}

/**
 * Loyalty ids, and identities that the customer has no longer: unlike contact points they are no
 * attributes, and an event with nothing else changes the profile too.
 */
function idFacts({ identities, contactChanges: { cleared, gone } }: FamilyInput): Facts {
  const ids = identities.filter(({ kind }) => kind === 'externalId' || kind === 'cardNumber');
  return [
    ...gone.map((identity) => [goneFact(identity), true] as const),
    ...cleared.map(({ kind, slot }) => [identityFact(kind, slot), null] as const),
    ...ids.map(({ kind, slot, id }) => [identityFact(kind, slot), id] as const),
  ];
}

/** Never later than the event that reports the registration. */
function joinFacts({ data, event, context }: FamilyInput): Facts {
  const enteredAt = data.instant('enteredAt', 'start');
  return enteredAt === undefined
    ? []
    : [[joinedFact(Math.min(enteredAt, attributeTime(event, context))), true]];
}

function activeFacts(status: Reader, { context }: FamilyInput): Facts {
  const label = status.text('currentLabel');
  const { active } = context.source.labels;
  return label === undefined ? [] : [[ACTIVE_FACT, isLabel(label, active)]];
}

/** Name and contact points, which both customer events can have. */
function personAttributes(input: FamilyInput): Draft {
  const { data, identities, notes } = input;
  const person = data.object('customerIdentifiers');
  const changes = changedFields(input);
  // All places are read, so that none of them counts as unread.
  const nameOf = (field: string): string | null | undefined => {
    const [own, ofPerson] = [readName(data, field, notes), readName(person, field, notes)];
    const text = changedText(changes, field, own ?? ofPerson);
    if (text === undefined) {
      return nullIfBlank(data, field);
    }
    return text === null ? null : checkName(text, 'data.updatedFields', notes);
  };
  return {
    'person.name.firstName': nameOf('firstName'),
    'person.name.lastName': nameOf('lastName'),
    'personalEmail.address': firstIdOf(identities, 'email'),
    'mobilePhone.number': firstIdOf(identities, 'phone'),
  };
}

/** Any scalar as a string, unless characters of it are masked: nobody can use such a value. */
function unmasked(update: Reader, field: string, notes: Notes): string | undefined {
  const text = update.scalar(field);
  if (text !== undefined && isMasked(text)) {
    notes.add(`${update.path}.${field}`, 'masked');
    return undefined;
  }
  return text;
}

/** A name that is stated as blank text is cleared; null and an absent field state nothing. */
function nullIfBlank({ raw }: Reader, field: string): null | undefined {
  const value = raw[field];
  return typeof value === 'string' && value.trim() === '' ? null : undefined;
}

/**
 * loyaltyCustomerMerge: two customers become one (docs/platforms/capillary.md#merges). The
 * identityMap has both ids, so that AEP links them; `applyToCustomer` adds the victim's stored
 * attributes to the survivor.
 */
export function mapMerge(input: FamilyInput): FamilyResult {
  const { event } = input;
  const victimId = victimIdOf(event);
  const isOther = victimId !== undefined && victimLaneOf(event) !== undefined;
  return {
    eventType: 'loyalty.customerMerge',
    tenant: { merge: { survivorId: event.customerId ?? customerIdOf(event.data), victimId } },
    facts: [
      ...(isOther ? [[factPath(MERGED_FACTS, victimId), 1] as const] : []),
      ...standingAfterMerge(input),
    ],
  };
}
