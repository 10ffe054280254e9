import type { JsonObject } from '../../../capillary/json.ts';
import { BASE_CURRENCY, type Currency, type Store, ZONE } from '../world/brand.ts';
import type { Bill, BillLine } from '../world/world-bill.ts';
import { pointsOfBill } from './bill-points-view.ts';
import { attributedTo } from './customer-view.ts';
import type { ReadContext } from './read-context.ts';
import { isoTime, legacyTime, serverDay } from './server-time.ts';

function storeView({ id, code, name }: Store): JsonObject {
  return {
    id,
    code,
    name,
    description: '',
    type: 'STORE',
    referenceId: -1,
    adminType: 'GENERAL',
    isActive: true,
    isOuEnabled: false,
    timeZoneId: ZONE.id,
    currencyId: BASE_CURRENCY.id,
    languageId: 7,
    default: false,
  };
}

function currencyView({ id, name, symbol, isoCode }: Currency): JsonObject {
  return { id, name, symbol, isoCode, refId: 0, ratio: 0 };
}

/** Amounts in hundredths, as the answers have them. */
function amountOf(hundredths: number): number {
  return hundredths / 100;
}

/** The only place with ISO codes of currencies; only of bills in another currency. */
function currencyLog(bill: Bill, currency: Currency, { zone, world }: ReadContext): JsonObject {
  const inLocal = (hundredths: number): number => Math.round(hundredths / currency.ratio) / 100;
  return {
    id: bill.id + 1,
    orgId: world.orgId,
    refId: bill.id,
    refType: bill.type,
    ratio: currency.ratio,
    baseCurrencyId: BASE_CURRENCY.id,
    baseCurrency: currencyView(BASE_CURRENCY),
    transactionCurrencyId: currency.id,
    transactionCurrency: currencyView(currency),
    value: amountOf(bill.amount),
    localValue: inLocal(bill.amount),
    localDiscount: inLocal(bill.discount),
    localGrossAmount: inLocal(bill.gross),
    addedBy: bill.till.id,
    addedOn: serverDay(bill.recordedAt, zone),
    addedOnISO: isoTime(bill.recordedAt, zone),
    autoUpdateTimestamp: serverDay(bill.recordedAt, zone),
    autoUpdateTimestampISO: isoTime(bill.recordedAt, zone),
  };
}

function lineView(line: BillLine, serial: number, bill: Bill): JsonObject {
  return {
    id: line.id,
    customerId: 0,
    outlierStatus: bill.outlierStatus,
    valid: true,
    niReturn: false,
    details: {
      itemCode: line.product.sku,
      description: bill.till.sendsNames ? line.product.name : '',
      qty: line.quantity,
      rate: amountOf(line.rate),
      value: bill.till.sendsLineValue ? amountOf(line.value) : 0,
      discount: amountOf(line.discount),
      amount: amountOf(line.amount),
      serial,
      returnable: bill.type === 'REGULAR',
      returnableDays: -1,
      attributes: { category: line.product.category },
      attributesSet: [{ category: line.product.category }],
      extendedFields: {},
      newExtendedFields: {},
    },
    returnDetails: {},
    returnLineItemsDtos: [],
    niReturnLineItemsDtos: [],
    addonDetails: [],
    splitItemsDetails: [],
  };
}

function lineViews(bill: Bill): JsonObject[] {
  return bill.lines.map((line, index) => lineView(line, index + 1, bill));
}

export function paymentModes({ tenders }: Bill): JsonObject[] {
  return tenders.map(({ id, mode, amount, orgId }) => ({
    id,
    mode,
    amount: amountOf(amount),
    notes: '',
    orgPaymentModeId: orgId,
    attributes: [],
  }));
}

/** Tax has no field of its own. */
function extendedFieldsOf(bill: Bill): JsonObject {
  const half = Math.floor(bill.amount / 40);
  return {
    ...(bill.till.sendsOffset ? { event_input_date_offset: ZONE.offset } : {}),
    CentralGST: amountOf(half),
    StateGST: amountOf(half),
  };
}

/** The offset is there only if the till has sent it. */
function billingTime({ billedAt, till }: Bill, { zone, bareBillingTimes }: ReadContext): JsonObject {
  return {
    billingTime: bareBillingTimes ? legacyTime(billedAt, zone) : isoTime(billedAt, zone),
    ...(till.sendsOffset ? { billingTimeInputOffset: ZONE.offset } : {}),
  };
}

/**
 * The currency of a bill in another one is the currency of the transaction, although its amounts
 * are in the base currency (docs/platforms/capillary.md#transaction-reads).
 */
function billDetails(bill: Bill, context: ReadContext): JsonObject {
  const { id, name, symbol, ratio } = bill.currency ?? BASE_CURRENCY;
  return {
    billNumber: bill.number,
    ...billingTime(bill, context),
    amount: amountOf(bill.amount),
    grossAmount: amountOf(bill.gross),
    discount: amountOf(bill.discount),
    note: '',
    invalidBill: false,
    billingStore: storeView(bill.till.store),
    currency: { id, name, symbol, refId: 0, ratio },
    returnDetails: { canceled: false },
    niReturnDetails: {},
  };
}

/** What a read adds on request. */
export interface TransactionParts {
  readonly tenders: boolean;
  readonly points: boolean;
}

/** The body of `GET /v2/transactions/{id}`. */
export function transactionView(bill: Bill, context: ReadContext, parts: TransactionParts): JsonObject {
  const { zone } = context;
  return {
    id: bill.id,
    customerId: bill.customerId,
    type: bill.type,
    source: 'instore',
    outlierStatus: bill.outlierStatus,
    deliveryStatus: bill.deliveryStatus,
    basketSize: bill.lines.reduce((total, { quantity }) => total + quantity, 0),
    lifeTimePurchases: 0,
    ignorePoints: false,
    retroTxn: false,
    addWithLocalCurrency: bill.currency !== undefined,
    async: false,
    useV2: false,
    simulation: false,
    useDefaultFleetGroup: false,
    ...(bill.returnOf ? { returnType: 'LINE_ITEM' } : {}),
    billDetails: billDetails(bill, context),
    lineItems: lineViews(bill),
    ...(parts.tenders ? { paymentModes: paymentModes(bill) } : {}),
    ...(parts.points ? { loyaltiesPointDetails: pointsOfBill(bill, context) } : {}),
    billPointsBreakup: [],
    customFields: { channel: bill.channel },
    extendedFields: extendedFieldsOf(bill),
    ...(bill.currency ? { currencyLogDto: currencyLog(bill, bill.currency, context) } : {}),
    attribution: {
      createDate: isoTime(bill.recordedAt, zone),
      modifiedDate: isoTime(bill.modifiedAt, zone),
      createdBy: attributedTo(bill.till),
      modifiedBy: { referenceId: -1, default: false },
    },
    autoUpdateTime: isoTime(bill.modifiedAt, zone),
    returnDetails: { canceled: false, ...(bill.returnOf ? { parentTransactionId: bill.returnOf.id } : {}) },
    niReturnDetails: {},
    warnings: [],
  };
}

/** An element of `GET /v2/customers/{id}/transactions`: flat, and without lines unless asked. */
export function transactionItem(bill: Bill, context: ReadContext, embeds: ReadonlySet<string>): JsonObject {
  const { query } = context;
  const asks = (name: string): boolean => query.get(name)?.toLowerCase() === 'true';
  return {
    id: bill.id,
    customerId: bill.customerId,
    ...billingTime(bill, context),
    billNumber: bill.number,
    type: bill.type,
    ...(bill.returnOf ? { returnType: 'LINE_ITEM' } : {}),
    notes: '',
    amount: amountOf(bill.amount),
    grossAmount: amountOf(bill.gross),
    discount: amountOf(bill.discount),
    outlierStatus: bill.outlierStatus,
    ...(embeds.has('bill_store_details') ? { billingStore: storeView(bill.till.store) } : {}),
    ...(embeds.has('bill_cf') ? { customFields: { channel: bill.channel } } : {}),
    ...(embeds.has('bill_ef') ? { extendedFields: extendedFieldsOf(bill) } : {}),
    ...(embeds.has('payment_modes') ? { paymentModes: paymentModes(bill) } : {}),
    ...(asks('includeLineItemDetails') ? { lineItems: lineViews(bill) } : {}),
    ...(asks('includeLoyaltiesPointDetails') ? { loyaltiesPointDetails: pointsOfBill(bill, context) } : {}),
    ...(bill.currency ? { currencyLogDto: currencyLog(bill, bill.currency, context) } : {}),
  };
}
