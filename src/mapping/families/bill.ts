import type { BillEntity } from '../../capillary/entities.ts';
import { toTimestamp } from '../../capillary/times.ts';
import { attributeTime } from '../event-time.ts';
import { lineFields } from '../line-fields.ts';
import { type Bill, isRetro, readBill, totalOf } from './bill-kind.ts';
import { isPartial, productListItem, tenantLine } from './bill-lines.ts';
import { paymentsOf, tenantTenders } from './bill-tenders.ts';
import { storeOf, transactionIdOf } from './common-fields.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';
import { knownBill } from './known-bill.ts';

const PURCHASE = 'commerce.purchases';
const CREDIT_MEMO = 'commerce.backofficeCreditMemoIssued';
const EXCLUDED = 'loyalty.transactionExcluded';
const UPDATE = 'transactionUpdated';

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
  const bill = readBill(input, knownBill(input));
  if (input.context.isCorrection === true) {
    return mapOtherBill(input, bill, tenant);
  }
  const soldOrReturned = bill.hasPurchase ? PURCHASE : CREDIT_MEMO;
  return {
    eventType: bill.isCounted ? soldOrReturned : EXCLUDED,
    ...billFields(input, bill, bill.hasPurchase ? { purchases: { value: 1 } } : {}, tenant),
  };
}

/** transactionUpdated: the new state of a known bill. It is never a second purchase. */
export function mapTransactionUpdated(input: FamilyInput): FamilyResult {
  return mapOtherBill(input, readBill(input, knownBill(input)), {});
}

/**
 * notInterestedBillAdded: a bill outside the loyalty program
 * (docs/platforms/capillary.md#other-bills).
 */
export function mapNotInterestedBill(input: FamilyInput): FamilyResult {
  return mapOtherBill(input, readBill(input, knownBill(input)), {});
}

/**
 * A correction adds the lines to a bill that was sent without them, so it is an update.
 *
 * @param tenant tenant fields in addition to those of every bill
 */
function mapOtherBill(input: FamilyInput, bill: Bill, tenant: Draft): FamilyResult {
  const name = input.context.isCorrection === true ? UPDATE : input.event.eventName;
  return {
    eventType: bill.isCounted ? `loyalty.${name}` : EXCLUDED,
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
  const { known, currencyCode, isCounted, lines } = bill;
  const total = totalOf(bill);
  if (total === undefined && isCounted && (bill.amount ?? 0) > 0) {
    notes.add('data.amount', 'unclear-amount');
  }
  const order = {
    purchaseID: data.id('billNumber') ?? known?.billNumber,
    ...total,
    discountAmount: isCounted ? bill.discount : undefined,
    currencyCode,
    ...(known !== undefined && isCounted ? paymentsOf(bill) : {}),
  };
  return {
    fields: {
      commerce: {
        order,
        ...measures,
        commerceScope: { storeCode: storeOf(input).code },
      },
      productListItems: isCounted
        ? lines
            .map((line) => productListItem(line, bill.lineCurrency, notes, lineFields(line.details, input)))
            .filter((line) => line !== undefined)
        : undefined,
    },
    tenant: {
      customer: { loyaltyType: data.object('customerIdentifiers').text('loyaltyType') },
      transaction: {
        id: data.id('transactionId') ?? transactionIdOf(data) ?? known?.transactionId,
        clientId: data.id('billClientId'),
        type: bill.type,
        outlierStatus: bill.outlierStatus,
        retro: isRetro(input, bill) || undefined,
        date: data.startTime('billDate') ?? (known?.billedAt && toTimestamp(known.billedAt)),
        enteredDate: data.startTime('enteredAt'),
        deliveryStatus: data.text('deliveryStatus') ?? known?.deliveryStatus,
        // In the standard fields, these would be counted as money that was spent.
        amount: total === undefined ? bill.amount : undefined,
        discount: isCounted ? undefined : bill.discount,
        grossAmount: data.number('grossAmount') ?? known?.grossAmount,
        lineItemCount: data.integer('lineItemCount') ?? (known && lines.length),
        ...(known === undefined ? {} : readFields(input, known)),
      },
      lineItems: lines.filter((line) => !isCounted || isPartial(line)).map(tenantLine),
      ...(known === undefined ? {} : { tenders: tenantTenders(bill) }),
      ...more,
    },
  };
}

/** What only the API says about a bill, and when it said so: points of a bill can change later. */
function readFields({ context, programs }: FamilyInput, { points }: BillEntity): Draft {
  const at = context.entities?.bill?.at;
  return {
    readDate: at === undefined ? undefined : toTimestamp(at),
    points: points?.map((point) => ({ ...point, programName: programs.nameOf(point.programId) })),
  };
}
