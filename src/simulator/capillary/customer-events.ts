import type { JsonObject } from '../../capillary/json.ts';
import { randomInteger, randomOf } from '../random.ts';
import {
  forAnyCustomer,
  type EventContent,
  type EventContext,
  type EventTemplate,
  identifiers,
  localDay,
  money,
  storeOf,
} from './event-template.ts';

function customerData({ customer, random, at }: EventContext): JsonObject {
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

function customerContent({ customer }: EventContext, data: JsonObject): EventContent {
  return {
    data,
    ref: String(customer.customerId),
    loyaltyEventId: null,
  };
}

function customerAdded(context: EventContext): EventContent {
  context.customer.isRegistered = true;
  return customerContent(context, customerData(context));
}

function customerUpdated(context: EventContext): EventContent {
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
  return customerContent(context, {
    ...customerData(context),
    updatedFields: [gender],
    customerStatus: { previousLabel, currentLabel: label(), reason: 'asked for at the till' },
    triggeringActivity: { name: 'PROFILE_UPDATE', requestId: `req-${context.serial}` },
  });
}

/** The event still names the erased customer (docs/platforms/capillary.md#deletion). */
export function customerDeleted(context: EventContext): EventContent {
  const { customFields: _, ...data } = customerData(context);
  return customerContent(context, {
    ...data,
    updatedFields: [],
    customerStatus: { currentLabel: 'Deleted', reason: 'erasure request' },
  });
}

/** Customer events by name (docs/platforms/capillary.md#customer-events). */
export const CUSTOMER_TEMPLATES: Readonly<Record<string, EventTemplate>> = {
  customerAdded: { fits: ({ isRegistered }) => !isRegistered, prepare: () => undefined, make: customerAdded },
  customerUpdated: forAnyCustomer(customerUpdated),
};

const FIRST_TRANSACTION_ID = 3_100_000_000;

function billData(context: EventContext): JsonObject {
  const { random, at, serial, customer } = context;
  const grossAmount = money(random, 80, 2_400);
  const discount = random() < 0.4 ? money(random, 1, 60) : 0;
  return {
    amount: Math.round((grossAmount - discount) * 100) / 100,
    billClientId: `till-${serial}`,
    billNumber: `TL/${localDay(at)}/${String(serial).padStart(6, '0')}`,
    billDate: at - 4_000,
    enteredAt: at - 2_000,
    transactionId: FIRST_TRANSACTION_ID + serial,
    deliveryStatus: randomOf(random, ['DELIVERED', 'PLACED', 'SHIPPED']),
    billType: 'REGULAR',
    lineItemCount: randomInteger(random, 1, 9),
    discount,
    grossAmount,
    currencyCode: 'INR',
    enteredBy: storeOf(random),
    outlierStatus: 'NORMAL',
    customerIdentifiers: { ...identifiers(customer), loyaltyType: 'loyalty' },
    customFields: [{ key: 'channel', value: randomOf(random, ['store', 'kiosk', 'app']) }],
    extendedFields: [],
  };
}

function billContent({ serial }: EventContext, data: JsonObject): EventContent {
  return {
    data,
    ref: String(FIRST_TRANSACTION_ID + serial),
    loyaltyEventId: null,
  };
}

/** A return. */
export function billReturned(context: EventContext): EventContent {
  return billContent(context, {
    ...billData(context),
    billType: 'RETURN',
    deliveryStatus: 'RETURNED',
    discount: 0,
  });
}

/** An update has fewer fields than the bill (docs/platforms/capillary.md#transactions). */
function billUpdated(context: EventContext): EventContent {
  const { billNumber: _, currencyCode: __, lineItemCount: ___, ...data } = billData(context);
  return billContent(context, { ...data, enteredBy: { id: 9_000 } });
}

/** Transaction events by name (docs/platforms/capillary.md#transactions). */
export const TRANSACTION_TEMPLATES: Readonly<Record<string, EventTemplate>> = {
  transactionAdded: forAnyCustomer((context) => billContent(context, billData(context))),
  transactionUpdated: forAnyCustomer(billUpdated),
};
