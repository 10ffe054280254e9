import type { BillEntity } from '../../capillary/entities.ts';
import { type BillLine, billLines, isBought, isReturnType } from './bill-lines.ts';
import type { Draft, FamilyInput } from './family.ts';
import { API_BILL, knownLines, unsigned } from './known-bill.ts';

/** What a bill is: whether it counts, and whether it is a purchase or a return. */
export interface Bill {
  /** What the API says about it; what the event says itself is not taken from there. */
  readonly known: BillEntity | undefined;
  readonly currencyCode: string | undefined;
  /** Of what the API states. */
  readonly apiCurrency: string | undefined;
  /** Of the lines. */
  readonly lineCurrency: string | undefined;
  readonly type: string | undefined;
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

/** @param known the bill as the API has it, which completes what the event says */
export function readBill(input: FamilyInput, known?: BillEntity): Bill {
  const { data } = input;
  const stated = { currency: currencyOf(input), amount: data.number('amount') };
  const type = data.text('billType') ?? known?.type;
  const kind = type?.toUpperCase();
  const isReturn = isReturnType(kind) || kind === 'NI_MIXED';
  const allReturned = isReturn && kind !== 'NI_MIXED';
  const ownLines = billLines(data, allReturned);
  const hasKnownLines = known !== undefined && ownLines.length === 0;
  const lines = hasKnownLines ? knownLines(known, allReturned, input) : ownLines;
  const amount = stated.amount ?? known?.amount;
  const isCounted = countsBill(input, known);
  const apiCurrency = known && knownCurrency(stated, known);
  // The currency belongs to the amount, whoever states it.
  const isApiAmount = stated.amount === undefined && known?.amount !== undefined;
  const currencyCode = isApiAmount ? apiCurrency : (stated.currency ?? known?.currency);
  return {
    known,
    currencyCode,
    apiCurrency,
    lineCurrency: hasKnownLines ? apiCurrency : currencyCode,
    type,
    amount,
    discount: data.number('discount') ?? known?.discount,
    outlierStatus: data.text('outlierStatus') ?? known?.outlierStatus,
    lines,
    isCounted,
    isReturn,
    hasPurchase: isCounted && !isReturn && wasBought(kind, amount, lines),
  };
}

/**
 * The currency of what the API states. Without a code there it is the event's, unless the amounts
 * show that the API's is another one (docs/platforms/capillary.md#transaction-reads).
 */
function knownCurrency(
  { currency, amount }: { readonly currency: string | undefined; readonly amount: number | undefined },
  known: BillEntity,
): string | undefined {
  const isSame =
    amount === undefined || known.amount === undefined || unsigned(amount) === unsigned(known.amount);
  return known.currency ?? (isSame ? currency : undefined);
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
function countsBill({ data, context, notes }: FamilyInput, known: BillEntity | undefined): boolean {
  const own = data.text('outlierStatus');
  const status = (own ?? known?.outlierStatus)?.toUpperCase();
  if (status === undefined || context.source.bills.count.includes(status)) {
    return true;
  }
  if (!UNCOUNTED_STATUSES.has(status) && status !== 'NORMAL' && status !== 'RETRO') {
    notes.add(`${own === undefined ? API_BILL : 'data'}.outlierStatus`, 'unknown-outlier-status');
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
