import type { JsonObject } from '../capillary/json.ts';
import { identifiers, localDay, money, storeOf } from './event-parts.ts';
import { anybody, type EventContent, type EventContext, type EventTemplate } from './event-template.ts';
import { randomInteger, randomOf } from './random.ts';

const FIRST_TRANSACTION_ID = 3_100_000_000;

function bill(context: EventContext): JsonObject {
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

function content({ serial }: EventContext, data: JsonObject): EventContent {
  return {
    data,
    ref: String(FIRST_TRANSACTION_ID + serial),
    loyaltyEventId: null,
  };
}

/** A bill that brings goods back. */
export function returned(context: EventContext): EventContent {
  return content(context, { ...bill(context), billType: 'RETURN', deliveryStatus: 'RETURNED', discount: 0 });
}

/** An update tells less than the bill did (reference: capillary.md §4.5). */
function updated(context: EventContext): EventContent {
  const { billNumber: _, currencyCode: __, lineItemCount: ___, ...data } = bill(context);
  return content(context, { ...data, enteredBy: { id: 9_000 } });
}

/** Transaction events by name (reference: capillary.md §4.5). */
export const TRANSACTION_TEMPLATES: Readonly<Record<string, EventTemplate>> = {
  transactionAdded: anybody((context) => content(context, bill(context))),
  transactionUpdated: anybody(updated),
};
