import { toTimestamp } from '../../capillary/times.ts';
import { attributeTime } from '../event-time.ts';
import type { Reader } from '../reader.ts';
import {
  type BillLine,
  billLines,
  isBought,
  isPartial,
  isReturnType,
  productListItem,
  tenantLine,
} from './bill-lines.ts';
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
  const activity = data.object('triggeringActivity');
  const rejection = {
    type: data.text('rejectionType'),
    retriggerId: data.id('retriggerId'),
    attempts: data.integer('retrialCount'),
    date: data.time('eventDateTime'),
    reasons: details.map((detail) => ({
      reason: detail.text('rejectionReason'),
      details: detail.text('reasonDetails'),
    })),
    activity: activity.text('name'),
    identifiers: keyedValues(activity, 'identifiers'),
    attributes: keyedValues(activity, 'additionalAttributes'),
  };
  return {
    eventType: `loyalty.${input.event.eventName}`,
    ...billFields(input, { ...readBill(input), isCounted: false }, {}, { rejection }),
  };
}

function keyedValues(data: Reader, list: string): readonly Draft[] {
  return data.list(list).map((entry) => ({ key: entry.scalar('key'), value: entry.scalar('value') }));
}

interface Bill {
  readonly amount: number | undefined;
  readonly discount: number | undefined;
  readonly outlierStatus: string | undefined;
  readonly lines: readonly BillLine[];
  /** The bill is a real one: neither rejected nor of an outlier status such as FRAUD. */
  readonly isCounted: boolean;
  readonly isReturn: boolean;
  /** The bill is counted and something in it was bought. */
  readonly hasPurchase: boolean;
}

function readBill(input: FamilyInput): Bill {
  const { data } = input;
  const type = data.text('billType')?.toUpperCase();
  const isReturn = isReturnType(type) || type === 'NI_MIXED';
  const amount = data.number('amount');
  const lines = billLines(data, isReturn && type !== 'NI_MIXED');
  const isCounted = countsBill(input);
  return {
    amount,
    discount: data.number('discount'),
    outlierStatus: data.text('outlierStatus'),
    lines,
    isCounted,
    isReturn,
    hasPurchase: isCounted && !isReturn && wasBought(type, amount, lines),
  };
}

/**
 * Whether something was bought. The type says so, except for an exchange or a negative amount: then
 * a bought line does or, without lines, an amount to pay.
 */
function wasBought(
  type: string | undefined,
  amount: number | undefined,
  lines: readonly BillLine[],
): boolean {
  if (type !== 'MIXED' && (amount === undefined || amount >= 0)) {
    return true;
  }
  return lines.length > 0 ? lines.some(isBought) : amount !== undefined && amount > 0;
}

/** The statuses of bills that are not real purchases. */
const UNCOUNTED_STATUSES: ReadonlySet<string> = new Set([
  'FRAUD',
  'INTERNAL',
  'OUTLIER',
  'TEST',
  'DELETED',
  'INVALID',
  'FAILED',
]);

/**
 * Whether the source counts bills of this outlier status; a bill without one counts. Capillary does
 * not document the values, so an unknown one is not taken for a purchase
 * (docs/platforms/capillary.md#outlier-status).
 */
function countsBill({ data, context, notes }: FamilyInput): boolean {
  const status = data.text('outlierStatus')?.toUpperCase();
  if (status === undefined || context.source.bills.count.includes(status)) {
    return true;
  }
  if (!UNCOUNTED_STATUSES.has(status) && status !== 'NORMAL' && status !== 'RETRO') {
    notes.add('data.outlierStatus', 'unknown-outlier-status');
  }
  return false;
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
  const { isCounted, lines } = bill;
  const currencyCode = currencyOf(input);
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
        date: data.time('billDate'),
        enteredDate: data.time('enteredAt'),
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

function isRetro({ event }: FamilyInput, { outlierStatus }: Bill): boolean {
  return event.eventName === 'retroBillAdded' || outlierStatus?.toUpperCase() === 'RETRO';
}

/**
 * The net amount as a price, or without its sign as a refund; undefined if it is neither. The price
 * of an exchange is what the customer paid in the end, so prices minus refunds are the money spent.
 */
function totalOf({ amount, isCounted, isReturn, hasPurchase }: Bill): Draft | undefined {
  if (amount === undefined || !isCounted) {
    return undefined;
  }
  if (isReturn || amount < 0) {
    return { refundTotal: Math.abs(amount) };
  }
  return hasPurchase ? { priceTotal: amount } : undefined;
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
