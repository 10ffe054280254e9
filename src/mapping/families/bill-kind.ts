import { type BillLine, billLines, isBought, isReturnType } from './bill-lines.ts';
import type { Draft, FamilyInput } from './family.ts';

/** What a bill is: whether it counts, and whether it is a purchase or a return. */
export interface Bill {
  readonly currencyCode: string | undefined;
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

export function readBill(input: FamilyInput): Bill {
  const { data } = input;
  const currencyCode = currencyOf(input);
  const type = data.text('billType')?.toUpperCase();
  const isReturn = isReturnType(type) || type === 'NI_MIXED';
  const amount = data.number('amount');
  const lines = billLines(data, isReturn && type !== 'NI_MIXED');
  const isCounted = countsBill(input);
  return {
    currencyCode,
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

/** True if the bill was assigned to the customer later. */
export function isRetro({ event }: FamilyInput, { outlierStatus }: Bill): boolean {
  return event.eventName === 'retroBillAdded' || outlierStatus?.toUpperCase() === 'RETRO';
}

/**
 * The net amount as a price, or without its sign as a refund; undefined if it is neither. The price
 * of an exchange is what the customer paid in the end, so prices minus refunds are the money spent.
 */
export function totalOf({ amount, isCounted, isReturn, hasPurchase }: Bill): Draft | undefined {
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
