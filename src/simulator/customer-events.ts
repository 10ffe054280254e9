import type { JsonObject } from '../capillary/json.ts';
import { identifiers, storeOf } from './event-parts.ts';
import { anybody, type EventContent, type EventContext, type EventTemplate } from './event-template.ts';
import { randomOf } from './random.ts';

function common({ customer, random, at }: EventContext): JsonObject {
  return {
    loyaltyType: randomOf(random, ['loyalty', 'LOYALTY']),
    source: 'INSTORE',
    accountId: '',
    firstName: customer.firstName,
    lastName: customer.lastName,
    enteredAt: at - 700,
    enteredBy: storeOf(random),
    customerIdentifiers: identifiers(customer),
    customFields: [{ key: 'favourite_tea', value: randomOf(random, ['assam', 'nilgiri', 'oolong']) }],
    extendedFields: [{ key: 'preferred_language', value: 'en' }],
  };
}

function content({ customer }: EventContext, data: JsonObject): EventContent {
  return {
    data,
    ref: String(customer.customerId),
    loyaltyEventId: null,
  };
}

function added(context: EventContext): EventContent {
  context.customer.isRegistered = true;
  return content(context, common(context));
}

function updated(context: EventContext): EventContent {
  const { customer, random } = context;
  const label = (): string => (customer.isActive ? 'Active' : 'Inactive');
  const previousLabel = label();
  customer.isActive = random() < 0.8;
  const gender = {
    fieldName: 'gender',
    previousValue: '',
    currentValue: customer.gender,
    source: 'INSTORE',
    accountId: '',
    fieldType: 'ExtendedField',
  };
  return content(context, {
    ...common(context),
    updatedFields: [gender],
    customerStatus: { previousLabel, currentLabel: label(), reason: 'asked for at the till' },
    triggeringActivity: { name: 'PROFILE_UPDATE', requestId: `req-${context.serial}` },
  });
}

/** The customer is erased; the event still names them (reference: capillary.md §4.4). */
export function deleted(context: EventContext): EventContent {
  const { customFields: _, ...data } = common(context);
  return content(context, {
    ...data,
    updatedFields: [],
    customerStatus: { currentLabel: 'Deleted', reason: 'erasure request' },
  });
}

/** Customer events by name (reference: capillary.md §4.3, §4.4). */
export const CUSTOMER_TEMPLATES: Readonly<Record<string, EventTemplate>> = {
  customerAdded: { fits: ({ isRegistered }) => !isRegistered, mend: () => undefined, make: added },
  customerUpdated: anybody(updated),
};
