import type { BillEntity, BillLineEntity } from '../../capillary/entities.ts';
import type { Notes } from '../mapping-notes.ts';
import { createReader } from '../reader.ts';
import { type BillLine, isReturnType } from './bill-lines.ts';
import type { FamilyInput } from './family.ts';

/** Where the values of Capillary's API are, in the paths of notes. */
export const API_BILL = 'entities.bill';

/**
 * The bill of an event as Capillary's API has it; undefined if it was not fetched or is another
 * bill. Where it contradicts the event a note says so, and the event's own value counts: the API
 * says what is true now (docs/platforms/capillary.md#api-access).
 */
export function knownBill(input: FamilyInput): BillEntity | undefined {
  const bill = input.context.entities?.bill?.bill;
  if (bill === undefined) {
    return undefined;
  }
  const { event, data, notes } = input;
  const number = data.id('billNumber');
  const hasOtherAmount = differs(unsigned(data.number('amount')), unsigned(bill.amount));
  const hasOtherCustomer = differs(event.customerId, bill.customerId) && !isSurvivors(input, bill);
  const isOther =
    differs(data.id('transactionId'), bill.transactionId) ||
    differs(number, bill.billNumber) ||
    // Without a number to compare, a bill of someone else with another amount cannot be this one.
    (hasOtherCustomer && hasOtherAmount && (number === undefined || bill.billNumber === undefined));
  if (isOther) {
    notes.add(API_BILL, 'other-bill');
    return undefined;
  }
  noteDifferences(notes, {
    'data.amount': hasOtherAmount,
    'data.customerIdentifiers.customerId': hasOtherCustomer,
  });
  return bill;
}

/** After a merge the bills of the merged customer are the survivor's. */
function isSurvivors({ context }: FamilyInput, bill: BillEntity): boolean {
  const answer = context.entities?.customer;
  return answer?.kind === 'merged' && answer.into === bill.customerId;
}

/** False if one of them is not known. */
function differs<T>(own: T | undefined, theirs: T | undefined): boolean {
  return own !== undefined && theirs !== undefined && own !== theirs;
}

/** The amount of a return can have a sign in one place only. */
export function unsigned(amount: number | undefined): number | undefined {
  return amount === undefined ? undefined : Math.abs(amount);
}

function noteDifferences(notes: Notes, fields: Readonly<Record<string, boolean>>): void {
  for (const [path, isDifferent] of Object.entries(fields)) {
    if (isDifferent) {
      notes.add(path, 'bill-differs');
    }
  }
}

/**
 * The lines of a bill as Capillary's API has them.
 *
 * @param isReturn true if the whole bill is a return, so that all of its lines are
 */
export function knownLines(
  { lines, returnType }: BillEntity,
  isReturn: boolean,
  input: FamilyInput,
): readonly BillLine[] {
  const isRefundOnly = returnType?.toUpperCase() === 'AMOUNT';
  return lines.map((line, index) => {
    const path = `${API_BILL}.lines[${index}]`;
    return { ...knownLine(line, path, isReturn, input), isRefundOnly };
  });
}

function knownLine(
  line: BillLineEntity,
  path: string,
  isReturn: boolean,
  { context, notes }: FamilyInput,
): Omit<BillLine, 'isRefundOnly'> {
  const { sku, name, type, quantity, amount, discount, attributes, extendedFields } = line;
  const isNegative = (amount ?? 0) < 0 || (quantity ?? 0) < 0;
  const ownFields = { ...(attributes && { attributes }), ...(extendedFields && { extendedFields }) };
  return {
    details: createReader(ownFields, path, context.source.timezone, notes),
    skuPath: `${path}.sku`,
    quantityPath: `${path}.quantity`,
    sku,
    name,
    type,
    quantity,
    amount,
    discount,
    isReturned: isReturn || isReturnType(type) || line.isReturned === true || isNegative,
  };
}
