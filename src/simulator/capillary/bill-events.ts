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
import { type Bill, returnableLines } from './world/world-bill.ts';
import { BASE_CURRENCY } from './world/brand.ts';
import type { WorldCustomer } from './world/world-customer.ts';

/** The head of the bill: its lines are only in the API. */
function billData(bill: Bill, { customer }: EventContext): JsonObject {
  return {
    amount: bill.amount / 100,
    billClientId: `till-${bill.id}`,
    billNumber: bill.number,
    billDate: bill.billedAt,
    enteredAt: bill.billedAt + 2_000,
    transactionId: bill.id,
    deliveryStatus: bill.deliveryStatus,
    billType: bill.type,
    lineItemCount: bill.lines.length,
    discount: bill.discount / 100,
    grossAmount: bill.gross / 100,
    currencyCode: BASE_CURRENCY.isoCode,
    enteredBy: enteredBy(bill.till),
    outlierStatus: bill.outlierStatus,
    customerIdentifiers: { ...identifiers(customer), loyaltyType: 'loyalty' },
    customFields: [{ key: 'channel', value: bill.channel }],
    extendedFields: [],
  };
}

function billContent(bill: Bill, data: JsonObject, followUps: readonly string[] = []): EventContent {
  return { data, ref: String(bill.id), loyaltyEventId: null, followUps };
}

function billAdded(context: EventContext): EventContent {
  const { world, customer, at, random } = context;
  const bill = world.addBill(customer, at, random);
  return billContent(bill, billData(bill, context), ['pointsIssued']);
}

/** A line of an earlier bill is returned. */
export function billReturned(context: EventContext): EventContent {
  const { world, customer, at, random } = context;
  const bill = world.returnBill(customer, at, random);
  return billContent(bill, billData(bill, context), ['issuedPointsReversed']);
}

export function canReturn({ bills }: WorldCustomer): boolean {
  return bills.some((bill) => returnableLines(bill).length > 0);
}

/** An update has fewer fields than the bill (docs/platforms/capillary.md#transactions). */
function billUpdated(context: EventContext): EventContent {
  const { world, customer, at, random } = context;
  const bill = randomOf(random, customer.bills);
  world.updateBill(bill, at);
  const { billNumber: _, currencyCode: __, lineItemCount: ___, ...data } = billData(bill, context);
  return billContent(bill, { ...data, enteredBy: { id: bill.till.id } });
}

/** Transaction events by name (docs/platforms/capillary.md#transactions). */
export const TRANSACTION_TEMPLATES: Readonly<Record<string, EventTemplate>> = {
  transactionAdded: forAnyCustomer(billAdded),
  transactionUpdated: { fits: ({ bills }) => bills.length > 0, make: billUpdated },
};
