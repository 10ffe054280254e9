import { type Random, randomInteger, randomOf } from '../../random.ts';
import {
  type Currency,
  FOREIGN_CURRENCY,
  localDay,
  type Product,
  PRODUCTS,
  TENDERS,
  type Till,
  TILLS,
} from './brand.ts';

// Money is in hundredths of the base currency.

export interface BillLine {
  readonly id: number;
  readonly product: Product;
  /** In quarters: loose tea is sold by weight. */
  readonly quantity: number;
  /** Price of one. */
  readonly rate: number;
  /** Before the discount. */
  readonly value: number;
  readonly discount: number;
  readonly amount: number;
  /** Whether it was returned. */
  isReturned: boolean;
}

export interface Tender {
  readonly id: number;
  readonly mode: string;
  readonly orgId: number;
  readonly amount: number;
}

export interface Bill {
  readonly id: number;
  customerId: number;
  readonly number: string;
  readonly type: 'REGULAR' | 'RETURN';
  /** Of a return: the bill whose lines were returned. */
  readonly returnOf?: Bill;
  /** When the customer bought, epoch ms. */
  readonly billedAt: number;
  /** When Capillary got it. */
  readonly recordedAt: number;
  modifiedAt: number;
  readonly till: Till;
  readonly lines: readonly BillLine[];
  readonly gross: number;
  /** Of all lines and of the whole bill. */
  readonly discount: number;
  readonly amount: number;
  readonly tenders: readonly Tender[];
  /** If it was not paid in the base currency. */
  readonly currency?: Currency;
  readonly channel: string;
  readonly outlierStatus: string;
  deliveryStatus: 'PLACED' | 'PROCESSED' | 'SHIPPED' | 'DELIVERED' | 'RETURNED';
  /** Points that it earns and that have not been issued. */
  unissuedPoints: number;
}

/** What a bill can be instead of NORMAL (docs/platforms/capillary.md#transaction-reads). */
const OUTLIER_STATUSES = ['OUTLIER', 'INTERNAL', 'INVALID', 'FRAUD', 'TEST', 'RETRO'] as const;

const DELIVERY_STEPS = ['PLACED', 'PROCESSED', 'SHIPPED', 'DELIVERED'] as const;
const MAX_LINES = 4;
/** Share of bills that are paid in another currency. */
const FOREIGN_SHARE = 0.15;
/** Amount, in hundredths, for which there is one point. */
const AMOUNT_PER_POINT = 4_000;
/** From the sale to the till's report, and from there to Capillary. */
const RECORDING_DELAY_MS = 4_000;

function createLine(random: Random, id: number): BillLine {
  const product = randomOf(random, PRODUCTS);
  const quantity = randomInteger(random, 1, 3) * (product.isWeighed ? 0.25 : 1);
  const rate = product.price * 100;
  const value = rate * quantity;
  const discount = random() < 0.3 ? Math.floor(value / 10) : 0;
  return { id, product, quantity, rate, value, discount, amount: value - discount, isReturned: false };
}

/** One means of payment, or two. */
function createTenders(random: Random, amount: number, billId: number): Tender[] {
  const parts = random() < 0.2 ? [Math.floor(amount / 3), amount - Math.floor(amount / 3)] : [amount];
  const first = randomInteger(random, 0, TENDERS.length - 1);
  return parts.map((part, index) => {
    const tender = TENDERS[(first + index) % TENDERS.length] ?? TENDERS[0];
    return { id: billId * 10 + index, mode: tender.mode, orgId: tender.id, amount: part };
  });
}

function sumOf(lines: readonly BillLine[], key: 'value' | 'discount' | 'amount'): number {
  return lines.reduce((total, line) => total + line[key], 0);
}

export interface NewBill {
  readonly id: number;
  readonly customerId: number;
  /** `createdAt` of its event, epoch ms. */
  readonly at: number;
  readonly random: Random;
  /** Share of bills that are no ordinary purchases. */
  readonly outliers: number;
}

function numberOf({ at, id }: NewBill): string {
  return `TL/${localDay(at)}/${String(id).slice(-6)}`;
}

/** Points that an amount earns. */
export function pointsFor(amount: number): number {
  return Math.max(1, Math.floor(amount / AMOUNT_PER_POINT));
}

/**
 * Another currency only if all amounts are exact in it: the API's base amounts are its own times
 * the rate.
 */
function currencyOf(random: Random, amounts: readonly number[]): Currency | undefined {
  const isForeign = random() < FOREIGN_SHARE;
  return isForeign && amounts.every((amount) => amount % FOREIGN_CURRENCY.ratio === 0)
    ? FOREIGN_CURRENCY
    : undefined;
}

function outlierStatusOf({ outliers, random }: NewBill): string {
  return outliers > 0 && random() < outliers ? randomOf(random, OUTLIER_STATUSES) : 'NORMAL';
}

export function createBill(bill: NewBill): Bill {
  const { id, customerId, at, random } = bill;
  const lines = Array.from({ length: randomInteger(random, 1, MAX_LINES) }, (_, index) =>
    createLine(random, id * 10 + index),
  );
  const net = sumOf(lines, 'amount');
  const billDiscount = random() < 0.2 ? Math.floor(net / 20) : 0;
  const amount = net - billDiscount;
  const gross = sumOf(lines, 'value');
  const discount = sumOf(lines, 'discount') + billDiscount;
  const till = randomOf(random, TILLS);
  const tenders = createTenders(random, amount, id);
  const currency = currencyOf(random, [amount, gross, discount]);
  return {
    id,
    customerId,
    number: numberOf(bill),
    type: 'REGULAR',
    billedAt: at - RECORDING_DELAY_MS,
    recordedAt: at,
    modifiedAt: at,
    till,
    lines,
    gross,
    discount,
    amount,
    tenders,
    ...(currency ? { currency } : {}),
    channel: randomOf(random, ['store', 'kiosk', 'app']),
    deliveryStatus: randomOf(random, DELIVERY_STEPS),
    unissuedPoints: pointsFor(amount),
    outlierStatus: outlierStatusOf(bill),
  };
}

/** Lines of a bill that can be returned. */
export function returnableLines({ type, lines }: Bill): BillLine[] {
  return type === 'REGULAR' ? lines.filter(({ isReturned }) => !isReturned) : [];
}

/**
 * Returns a line. Its discount is its own; the discount of the whole bill is lost. Amounts are
 * positive (docs/platforms/capillary.md#transactions).
 *
 * @throws RangeError if no line is left
 */
export function createReturn(bill: NewBill, original: Bill): Bill {
  const line = randomOf(bill.random, returnableLines(original));
  line.isReturned = true;
  const lines = [{ ...line, id: bill.id * 10 }];
  return {
    id: bill.id,
    customerId: bill.customerId,
    number: numberOf(bill),
    type: 'RETURN',
    returnOf: original,
    billedAt: bill.at - RECORDING_DELAY_MS,
    recordedAt: bill.at,
    modifiedAt: bill.at,
    till: original.till,
    lines,
    gross: line.value,
    discount: line.discount,
    amount: line.amount,
    tenders: createTenders(bill.random, line.amount, bill.id),
    channel: original.channel,
    outlierStatus: original.outlierStatus,
    deliveryStatus: 'RETURNED',
    unissuedPoints: 0,
  };
}

/** The next step of the delivery, which an update of the bill reports. */
export function advanceBill(bill: Bill, at: number): void {
  const step = DELIVERY_STEPS.findIndex((status) => status === bill.deliveryStatus);
  bill.deliveryStatus = DELIVERY_STEPS[step + 1] ?? bill.deliveryStatus;
  bill.modifiedAt = at;
}
