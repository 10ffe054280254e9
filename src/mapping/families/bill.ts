import { toTimestamp } from '../../capillary/times.ts';
import { attributeTime } from '../event-time.ts';
import { type Bill, isRetro, readBill, totalOf } from './bill-kind.ts';
import { isPartial, productListItem, tenantLine } from './bill-lines.ts';
import { enteredBy, transactionIdOf } from './common-fields.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';

const PURCHASE = 'commerce.purchases';
const CREDIT_MEMO = 'commerce.backofficeCreditMemoIssued';
const EXCLUDED = 'loyalty.transactionExcluded';

/**
 * transactionAdded: a purchase, or the credit memo of a return
 * (docs/platforms/capillary.md#transactions, docs/platforms/adobe.md#schema-classes).
 */
export function mapTransactionAdded(input: FamilyInput): FamilyResult {
  return mapSale(input, {});
}

/**
 * retroBillAdded: an older bill that was assigned to a customer later. It is a purchase at the time
 * of the bill. `retro` tells it apart, in case Capillary sends transactionAdded for the same bill
 * too (docs/platforms/capillary.md#other-bills).
 */
export function mapRetroBill(input: FamilyInput): FamilyResult {
  return mapSale(input, {
    retroBill: { attachedDate: toTimestamp(attributeTime(input.event, input.context)) },
  });
}

/** @param tenant tenant fields in addition to those of every bill */
function mapSale(input: FamilyInput, tenant: Draft): FamilyResult {
  const bill = readBill(input);
  const soldOrReturned = bill.hasPurchase ? PURCHASE : CREDIT_MEMO;
  return {
    eventType: bill.isCounted ? soldOrReturned : EXCLUDED,
    ...billFields(input, bill, bill.hasPurchase ? { purchases: { value: 1 } } : {}, tenant),
  };
}

/** transactionUpdated: the new state of a known bill. It is never a second purchase. */
export function mapTransactionUpdated(input: FamilyInput): FamilyResult {
  return mapOtherBill(input, readBill(input), {});
}

/**
 * notInterestedBillAdded: a bill outside the loyalty program
 * (docs/platforms/capillary.md#other-bills).
 */
export function mapNotInterestedBill(input: FamilyInput): FamilyResult {
  return mapOtherBill(input, readBill(input), {});
}

/** @param tenant tenant fields in addition to those of every bill */
function mapOtherBill(input: FamilyInput, bill: Bill, tenant: Draft): FamilyResult {
  return {
    eventType: bill.isCounted ? `loyalty.${input.event.eventName}` : EXCLUDED,
    ...billFields(input, bill, {}, tenant),
  };
}

/**
 * transactionRejected and rejectedTransactionRetrigger: a bill that does not count, or not yet
 * (docs/platforms/capillary.md#other-bills).
 */
export function mapRejectedBill(input: FamilyInput): FamilyResult {
  const { data } = input;
  const details = [...data.list('rejectionDetails'), ...data.list('rejectionDetailsOnRetrigger')];
  const rejection = {
    type: data.text('rejectionType'),
    retriggerId: data.id('retriggerId'),
    attempts: data.integer('retrialCount'),
    date: data.startTime('eventDateTime'),
    reasons: details.map((detail) => ({
      reason: detail.text('rejectionReason'),
      details: detail.text('reasonDetails'),
    })),
  };
  return {
    eventType: `loyalty.${input.event.eventName}`,
    ...billFields(input, { ...readBill(input), isCounted: false }, {}, { rejection }),
  };
}

/**
 * @param measures commerce measures of the bill, such as `purchases`
 * @param more tenant fields in addition to those of every bill
 */
function billFields(
  input: FamilyInput,
  bill: Bill,
  measures: Draft,
  more: Draft,
): { fields: Draft; tenant: Draft } {
  const { data, notes } = input;
  const { currencyCode, isCounted, lines } = bill;
  const total = totalOf(bill);
  if (total === undefined && isCounted && (bill.amount ?? 0) > 0) {
    notes.add('data.amount', 'unclear-amount');
  }
  const order = {
    purchaseID: data.id('billNumber'),
    ...total,
    discountAmount: isCounted ? bill.discount : undefined,
    currencyCode,
  };
  return {
    fields: {
      commerce: {
        order,
        ...measures,
        commerceScope: { storeCode: enteredBy(data).object('store').id('code') },
      },
      productListItems: isCounted
        ? lines.map((line) => productListItem(line, currencyCode, notes)).filter((line) => line !== undefined)
        : undefined,
    },
    tenant: {
      customer: { loyaltyType: data.object('customerIdentifiers').text('loyaltyType') },
      transaction: {
        id: data.id('transactionId') ?? transactionIdOf(data),
        clientId: data.id('billClientId'),
        type: data.text('billType'),
        outlierStatus: bill.outlierStatus,
        retro: isRetro(input, bill) || undefined,
        date: data.startTime('billDate'),
        enteredDate: data.startTime('enteredAt'),
        deliveryStatus: data.text('deliveryStatus'),
        // In the standard fields, these would be counted as money that was spent.
        amount: total === undefined ? bill.amount : undefined,
        discount: isCounted ? undefined : bill.discount,
        grossAmount: data.number('grossAmount'),
        lineItemCount: data.integer('lineItemCount'),
      },
      lineItems: lines.filter((line) => !isCounted || isPartial(line)).map(tenantLine),
      ...more,
    },
  };
}
