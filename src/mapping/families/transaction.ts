import { enteredBy } from '../common-fields.ts';
import type { Draft, Family, FamilyInput } from './family.ts';
import { lineItems } from './line-items.ts';

/**
 * transactionAdded: a purchase, or the credit memo of a return bill (reference: capillary.md §4.5, adobe.md
 * §5.1).
 */
export const mapTransactionAdded: Family = (input) => ({
  eventType: isReturn(input) ? 'commerce.backofficeCreditMemoIssued' : 'commerce.purchases',
  ...billFields(input, isReturn(input) ? {} : { purchases: { value: 1 } }),
});

/** transactionUpdated: what is known of the bill now. It counts no second purchase. */
export const mapTransactionUpdated: Family = (input) => ({
  eventType: 'loyalty.transactionUpdated',
  ...billFields(input, {}),
});

function isReturn({ data }: FamilyInput): boolean {
  return data.text('billType')?.toUpperCase() === 'RETURN';
}

/** A bill as far as the event tells it; what it counts for is for the caller to say. */
export function billFields(input: FamilyInput, measures: Draft): { fields: Draft; tenant: Draft } {
  const { data, notes } = input;
  const currencyCode = currencyOf(input);
  const amount = data.number('amount');
  const total = isReturn(input)
    ? { refundTotal: amount === undefined ? undefined : Math.abs(amount) }
    : { priceTotal: amount };
  const order = {
    purchaseID: data.id('billNumber'),
    purchaseOrderNumber: data.id('transactionId'),
    ...total,
    discountAmount: data.number('discount'),
    currencyCode,
  };
  return {
    fields: {
      commerce: {
        order,
        ...measures,
        commerceScope: { storeCode: enteredBy(data).object('store').id('code') },
      },
      productListItems: lineItems(data, currencyCode, notes),
    },
    tenant: {
      transaction: {
        id: data.id('transactionId'),
        type: data.text('billType'),
        deliveryStatus: data.text('deliveryStatus'),
        grossAmount: data.number('grossAmount'),
        lineItemCount: data.integer('lineItemCount'),
      },
    },
  };
}

/** One space stands for no currency in real bodies (reference: capillary.md §4.5). */
function currencyOf({ data, notes }: FamilyInput): string | undefined {
  const code = data.text('currencyCode');
  if (code === undefined || /^[A-Z]{3}$/.test(code)) {
    return code;
  }
  notes.add('data.currencyCode', 'wrong-pattern');
  return undefined;
}
