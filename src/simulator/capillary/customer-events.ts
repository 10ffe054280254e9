import type { JsonObject } from '../../capillary/json.ts';
import { randomOf } from '../random.ts';
import {
  enteredBy,
  type EventContent,
  type EventContext,
  type EventTemplate,
  forAnyCustomer,
  identifiers,
} from './event-template.ts';
import type { WorldCustomer } from './world/world-customer.ts';

function customerData({ customer, random, at }: EventContext): JsonObject {
  return {
    loyaltyType: randomOf(random, ['loyalty', 'LOYALTY']),
    source: 'INSTORE',
    accountId: '',
    firstName: customer.firstName,
    lastName: customer.lastName,
    enteredAt: at - 700,
    enteredBy: enteredBy(customer.till),
    customerIdentifiers: identifiers(customer),
    customFields: [{ key: 'favourite_tea', value: customer.favouriteTea }],
    extendedFields: [{ key: 'preferred_language', value: customer.language }],
  };
}

function customerContent({ customer }: EventContext, data: JsonObject): EventContent {
  return {
    data,
    ref: String(customer.customerId),
    loyaltyEventId: null,
  };
}

function customerAdded(context: EventContext): EventContent {
  return customerContent(context, customerData(context));
}

/** What answers and events call the status. */
export function statusLabelOf({ isActive }: WorldCustomer): string {
  return isActive ? 'Active' : 'Inactive';
}

function customerUpdated(context: EventContext): EventContent {
  const { customer, random, at } = context;
  const previousLabel = statusLabelOf(customer);
  customer.isActive = random() < 0.8;
  customer.modifiedAt = at;
  const currentLabel = statusLabelOf(customer);
  if (currentLabel !== previousLabel) customer.statusChangedAt = at;
  const gender = {
    fieldName: 'gender',
    previousValue: '',
    currentValue: customer.gender,
    source: 'INSTORE',
    accountId: '',
    fieldType: 'ExtendedField',
  };
  return customerContent(context, {
    ...customerData(context),
    updatedFields: [gender],
    customerStatus: { previousLabel, currentLabel, reason: 'asked for at the till' },
    triggeringActivity: { name: 'PROFILE_UPDATE', requestId: `req-${context.serial}` },
  });
}

/**
 * Erases the customer. The event still names who that was
 * (docs/platforms/capillary.md#deletion).
 */
export function customerDeleted(context: EventContext): EventContent {
  const { customFields: _, ...data } = customerData(context);
  const content = customerContent(context, {
    ...data,
    updatedFields: [],
    customerStatus: { currentLabel: 'Deleted', reason: 'erasure request' },
  });
  context.world.erase(context.customer, context.at);
  return { ...content, followUps: ['requestUpdated'] };
}

/** Customer events by name (docs/platforms/capillary.md#customer-events). */
export const CUSTOMER_TEMPLATES: Readonly<Record<string, EventTemplate>> = {
  customerAdded: { fits: () => true, isRegistration: true, make: customerAdded },
  customerUpdated: forAnyCustomer(customerUpdated),
};
