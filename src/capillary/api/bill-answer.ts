import { z } from 'zod';
import type { BillEntity, BillLineEntity } from '../entities.ts';
import type { JsonObject } from '../json.ts';
import { aFlag, aNumber, anId, anObject, aText, listOf, objectOf } from './answer-fields.ts';
import { unmaskedFields } from './masked-values.ts';
import { timeOf } from './read-times.ts';

const LINE = listOf({
  type: aText,
  niReturn: aFlag,
  details: objectOf({
    type: aText,
    itemCode: anId,
    description: aText,
    qty: aNumber,
    rate: aNumber,
    value: aNumber,
    discount: aNumber,
    amount: aNumber,
    attributes: anObject,
    extendedFields: anObject,
  }),
});

/** The answer of `GET /v2/transactions/{id}` (docs/platforms/capillary.md#transaction-reads). */
const answerSchema = z.object({
  customerId: anId,
  type: aText,
  returnType: aText,
  outlierStatus: aText,
  deliveryStatus: aText,
  billDetails: objectOf({
    billNumber: anId,
    billingTime: aText,
    billingTimeISO: aText,
    amount: aNumber,
    grossAmount: aNumber,
    discount: aNumber,
    billingStore: objectOf({ id: anId, code: aText, name: aText }),
  }),
  lineItems: LINE,
  paymentModes: listOf({ id: anId, mode: aText, amount: aNumber }),
  loyaltiesPointDetails: listOf({
    programId: anId,
    issuedPoints: aNumber,
    redeemedPoints: aNumber,
    returnedPoints: aNumber,
    delayedPoints: aNumber,
  }),
  customFields: anObject,
  extendedFields: anObject,
  currencyLogDto: objectOf({ baseCurrency: objectOf({ isoCode: aText }) }),
});

type Answer = z.output<typeof answerSchema>;
type Line = NonNullable<Answer['lineItems']>[number];

const ISO_CODE = /^[A-Z]{3}$/;

/** An ISO code of a currency; undefined for anything else, such as a name or a symbol. */
export function isoCodeOf(text: string | undefined): string | undefined {
  const code = text?.toUpperCase();
  return code !== undefined && ISO_CODE.test(code) ? code : undefined;
}

function isReturnType(type: string | undefined): boolean {
  return type?.toUpperCase().includes('RETURN') ?? false;
}

function absolute(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.abs(value);
}

function isReturned({ type, niReturn, details }: Line, isReturnBill: boolean): boolean {
  const isNegative = (details?.amount ?? 0) < 0 || (details?.qty ?? 0) < 0;
  return isReturnBill || niReturn === true || isReturnType(type ?? details?.type) || isNegative;
}

/** What a till has not sent is 0. */
function sentOf(value: number | undefined, amount: number | undefined): number | undefined {
  return value === 0 && amount !== 0 ? undefined : value;
}

function lineOf(line: Line, isReturnBill: boolean): BillLineEntity {
  const { type, details } = line;
  const returned = isReturned(line, isReturnBill);
  const signed = (value: number | undefined): number | undefined => (returned ? absolute(value) : value);
  return {
    sku: details?.itemCode,
    name: details?.description,
    quantity: signed(details?.qty),
    amount: signed(details?.amount),
    discount: signed(details?.discount),
    rate: signed(sentOf(details?.rate, details?.amount)),
    value: signed(sentOf(details?.value, details?.amount)),
    type: type ?? details?.type,
    ...(returned ? { isReturned: true } : {}),
    attributes: unmaskedFields(details?.attributes),
    extendedFields: unmaskedFields(details?.extendedFields),
  };
}

function tendersOf({ paymentModes }: Answer, isReturnBill: boolean): BillEntity['tenders'] {
  return paymentModes?.flatMap(({ id, mode, amount }) =>
    mode === undefined || amount === undefined
      ? []
      : [{ id, mode, amount: isReturnBill ? Math.abs(amount) : amount }],
  );
}

function pointsOf({ loyaltiesPointDetails }: Answer): BillEntity['points'] {
  return loyaltiesPointDetails?.flatMap(({ programId, ...points }) =>
    programId === undefined
      ? []
      : [
          {
            programId,
            issued: points.issuedPoints,
            redeemed: points.redeemedPoints,
            returned: points.returnedPoints,
            promised: points.delayedPoints,
          },
        ],
  );
}

/**
 * Reads a bill. Its currency is that of its amounts, which `billDetails.currency` is not.
 * @returns undefined if the answer has no bill
 */
export function billIn(body: JsonObject, transactionId: string, serverZone: string): BillEntity | undefined {
  const answer = answerSchema.parse(body);
  const { billDetails: bill, lineItems, customerId, type } = answer;
  if (bill === undefined && lineItems === undefined) return undefined;
  const isReturnBill = isReturnType(type);
  const signed = (value: number | undefined): number | undefined => (isReturnBill ? absolute(value) : value);
  return {
    transactionId,
    customerId: customerId === '0' ? undefined : customerId,
    billNumber: bill?.billNumber,
    type: type?.toUpperCase(),
    returnType: answer.returnType?.toUpperCase(),
    outlierStatus: answer.outlierStatus?.toUpperCase(),
    deliveryStatus: answer.deliveryStatus?.toUpperCase(),
    billedAt: timeOf(bill?.billingTimeISO, bill?.billingTime, serverZone),
    amount: signed(bill?.amount),
    grossAmount: signed(bill?.grossAmount),
    discount: signed(bill?.discount),
    store: bill?.billingStore,
    currency: isoCodeOf(answer.currencyLogDto?.baseCurrency?.isoCode),
    lines: (lineItems ?? []).map((line) => lineOf(line, isReturnBill)),
    tenders: tendersOf(answer, isReturnBill),
    points: pointsOf(answer),
    customFields: unmaskedFields(answer.customFields),
    extendedFields: unmaskedFields(answer.extendedFields),
  };
}
