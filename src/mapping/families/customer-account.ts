import { customerIdOf } from '../../capillary/person.ts';
import { isCalendarDay } from '../../capillary/times.ts';
import { factPath } from '../customer/facts.ts';
import { JOINED_FACTS, MERGED_FACTS } from '../customer/points-history.ts';
import { firstIdOf, victimIdOf, victimLaneOf } from '../identities.ts';
import type { Reader } from '../reader.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';
import { standingAfterMerge } from './merged-standing.ts';

/** customerAdded: a registration (docs/platforms/capillary.md#customer-events). */
export function mapCustomerAdded(input: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.customerAdded',
    tenant: { customer: { source: input.data.text('source'), loyaltyType: input.data.text('loyaltyType') } },
    attributes: { ...personAttributes(input), 'loyalty.joinDate': input.data.time('enteredAt') },
    facts: { [factPath(JOINED_FACTS, String(input.occurredAt))]: 1 },
  };
}

/**
 * customerUpdated: a change of details or of status (docs/platforms/capillary.md#customer-events).
 */
export function mapCustomerUpdated(input: FamilyInput): FamilyResult {
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
}

/** Name, contact points and loyalty ids, which both customer events can have. */
function personAttributes({ data, identities }: FamilyInput): Draft {
  const person = data.object('customerIdentifiers');
  return {
    'person.name.firstName': data.text('firstName') ?? person.text('firstName'),
    'person.name.lastName': data.text('lastName') ?? person.text('lastName'),
    'personalEmail.address': firstIdOf(identities, 'email'),
    'mobilePhone.number': firstIdOf(identities, 'phone'),
  };
}

/**
 * Gender and date of birth are sent only as changed fields. A gender must match one of XDM's
 * values; it is never guessed (docs/platforms/adobe.md#person-and-contact).
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
 * The date at the start of a string. A date of birth has no time zone and can be before 2000; years
 * such as 0001 and 9999 mean unknown.
 */
function dayOf(text: string | undefined): string | undefined {
  const day = /^((?:19|20)\d{2}-\d{2}-\d{2})(?:$|[T ])/.exec(text ?? '')?.[1];
  return day !== undefined && isCalendarDay(day) ? day : undefined;
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
    facts: {
      ...(isOther ? { [factPath(MERGED_FACTS, victimId)]: 1 } : {}),
      ...standingAfterMerge(input),
    },
  };
}
