import { toTimestamp } from '../../capillary/times.ts';
import { attributeTime } from '../event-time.ts';
import type { Notes } from '../mapping-notes.ts';
import type { Reader } from '../reader.ts';
import { enteredBy } from './common-fields.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';

/**
 * transactionAdded: a purchase, or the credit memo of a return bill
 * (docs/platforms/capillary.md#transactions, docs/platforms/adobe.md#schema-classes).
 */
export function mapTransactionAdded(input: FamilyInput): FamilyResult {
  return {
    eventType: isReturn(input) ? 'commerce.backofficeCreditMemoIssued' : 'commerce.purchases',
    ...billFields(input, isReturn(input) ? {} : { purchases: { value: 1 } }),
  };
}

/** transactionUpdated: the new state of a known bill. It is never a second purchase. */
export function mapTransactionUpdated(input: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.transactionUpdated',
    ...billFields(input, {}),
  };
}

function isReturn({ data }: FamilyInput): boolean {
  return data.text('billType')?.toUpperCase() === 'RETURN';
}

/** @param measures commerce measures of the bill, such as `purchases` */
function billFields(input: FamilyInput, measures: Draft): { fields: Draft; tenant: Draft } {
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

/** Real bodies have a single space for no currency (docs/platforms/capillary.md#transactions). */
function currencyOf({ data, notes }: FamilyInput): string | undefined {
  const code = data.text('currencyCode');
  if (code === undefined || /^[A-Z]{3}$/.test(code)) {
    return code;
  }
  notes.add('data.currencyCode', 'wrong-pattern');
  return undefined;
}

/**
 * notInterestedBillAdded: a bill outside the loyalty program
 * (docs/platforms/capillary.md#other-bills).
 */
export function mapNotInterestedBill(input: FamilyInput): FamilyResult {
  return mapOtherBill(input, {});
}

/**
 * retroBillAdded: an older bill that was attached to a customer later. Its time is that of the
 * bill. It is not counted as a purchase: Capillary may send transactionAdded for the same bill, and
 * a purchase counted twice cannot be undone (docs/platforms/capillary.md#other-bills).
 */
export function mapRetroBill(input: FamilyInput): FamilyResult {
  return mapOtherBill(input, {
    retroBill: { attachedDate: toTimestamp(attributeTime(input.event, input.context)) },
  });
}

/**
 * transactionRejected and rejectedTransactionRetrigger: a bill that does not count, or not yet
 * (docs/platforms/capillary.md#other-bills).
 */
export function mapRejectedBill(input: FamilyInput): FamilyResult {
  const { data } = input;
  const details = [...data.list('rejectionDetails'), ...data.list('rejectionDetailsOnRetrigger')];
  return mapOtherBill(input, {
    rejection: {
      type: data.text('rejectionType'),
      retriggerId: data.id('retriggerId'),
      attempts: data.integer('retrialCount'),
      date: data.startTime('eventDateTime'),
      reasons: details.map((detail) => ({
        reason: detail.text('rejectionReason'),
        details: detail.text('reasonDetails'),
      })),
    },
  });
}

/** @param tenant tenant fields in addition to those of every bill */
function mapOtherBill(input: FamilyInput, tenant: Draft): FamilyResult {
  const bill = billFields(input, {});
  return {
    eventType: `loyalty.${input.event.eventName}`,
    fields: bill.fields,
    tenant: { ...bill.tenant, ...tenant },
  };
}

const LINE_ITEM_LISTS = ['lineItems', 'lineItemsV2'] as const;

/**
 * The lines of a bill. Capillary itself sends none; brands can add them
 * (docs/platforms/capillary.md#thin-payloads). A line without a SKU is left out, because
 * XDM requires it; `quantity` is an integer in XDM, so a weight is left out too
 * (docs/platforms/adobe.md#commerce).
 */
function lineItems(data: Reader, currencyCode: string | undefined, notes: Notes): readonly Draft[] {
  const lines = LINE_ITEM_LISTS.map((name) => data.list(name)).find((list) => list.length > 0) ?? [];
  return lines.flatMap((line) => {
    const SKU = line.id('itemCode') ?? line.id('sku') ?? line.id('productCode');
    if (SKU === undefined) {
      notes.add(`${line.path}.itemCode`, 'missing-required');
      return [];
    }
    return [
      {
        SKU,
        name: line.text('name') ?? line.text('description'),
        quantity: line.integer('qty') ?? line.integer('quantity'),
        priceTotal: line.number('amount') ?? line.number('value'),
        discountAmount: line.number('discount'),
        currencyCode,
      },
    ];
  });
}
