import { isCalendarDay } from '../../capillary/times.ts';
import type { Draft, Family, FamilyInput } from './family.ts';
import { firstOf } from '../identities.ts';
import type { Reader } from '../reader.ts';

/** customerAdded: a registration (reference: capillary.md §4.3). */
export const mapCustomerAdded: Family = (input) => ({
  eventType: 'loyalty.customerAdded',
  tenant: { customer: { source: input.data.text('source'), loyaltyType: input.data.text('loyaltyType') } },
  attributes: { ...personAttributes(input), 'loyalty.joinDate': input.data.time('enteredAt') },
});

/** customerUpdated: a change of details or of status (reference: capillary.md §4.4). */
export const mapCustomerUpdated: Family = (input) => {
  const updates = input.data.list('updatedFields');
  return {
    eventType: 'loyalty.customerUpdated',
    tenant: {
      changes: updates.map((update) => ({
        field: update.text('fieldName'),
        previous: update.scalar('previousValue'),
        current: update.scalar('currentValue'),
      })),
    },
    attributes: {
      ...personAttributes(input),
      'loyalty.status': input.data.object('customerStatus').text('currentLabel'),
      ...demographics(updates, input),
    },
  };
};

/** Names and contact as every customer event tells them. */
function personAttributes({ data, identities }: FamilyInput): Draft {
  const person = data.object('customerIdentifiers');
  const loyaltyIds = identities.filter(({ kind }) => kind === 'externalId' || kind === 'cardNumber');
  return {
    'person.name.firstName': data.text('firstName') ?? person.text('firstName'),
    'person.name.lastName': data.text('lastName') ?? person.text('lastName'),
    'personalEmail.address': firstOf(identities, 'email'),
    'mobilePhone.number': firstOf(identities, 'phone'),
    'loyalty.loyaltyID': [...new Set(loyaltyIds.map(({ id }) => id))],
  };
}

/**
 * Gender and date of birth come only as changed fields. A gender is matched to XDM's names by its spelling,
 * never guessed.
 */
function demographics(updates: readonly Reader[], { notes }: FamilyInput): Draft {
  const attributes: Record<string, unknown> = {};
  for (const update of updates) {
    const field = update.text('fieldName')?.toLowerCase();
    if (field === 'gender') {
      attributes['person.gender'] = genderOf(update.text('currentValue'));
    }
    if (field === 'dob' || field === 'dob_date') {
      const day = dayOf(update.text('currentValue'));
      attributes['person.birthDate'] = day;
      if (day === undefined && update.text('currentValue') !== undefined) {
        notes.add(`${update.path}.currentValue`, 'not-a-date');
      }
    }
  }
  return attributes;
}

function genderOf(text: string | undefined): string | undefined {
  return text?.toLowerCase().replaceAll(/[\s-]+/g, '_');
}

/**
 * The day that a text begins with; a birth date has no zone and may well be before 2000. Years such as 0001
 * and 9999 stand for "not known".
 */
function dayOf(text: string | undefined): string | undefined {
  const day = /^((?:19|20)\d{2}-\d{2}-\d{2})(?:$|[T ])/.exec(text ?? '')?.[1];
  return day !== undefined && isCalendarDay(day) ? day : undefined;
}
