import type { BillEntity } from '../../capillary/entities.ts';
import type { Bill } from './bill-kind.ts';
import type { Draft } from './family.ts';

type Tender = NonNullable<BillEntity['tenders']>[number];

/**
 * Means of payment whose name says XDM's `paymentType`, without spaces and punctuation. The names
 * are the brand's. A card can be of either kind, so it is in none of XDM's
 * (docs/platforms/adobe.md#commerce).
 */
const PAYMENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['cash', 'cash'],
  ['creditcard', 'credit_card'],
  ['debitcard', 'debit_card'],
  ['giftcard', 'gift_card'],
  ['check', 'check'],
  ['cheque', 'check'],
  ['paypal', 'paypal'],
  ['wiretransfer', 'wire_transfer'],
  ['other', 'other'],
  ['others', 'other'],
]);

function paymentType(mode: string): string | undefined {
  return PAYMENT_TYPES.get(mode.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, ''));
}

/** What was paid, and what was paid back: all tenders of a return, else the negative ones. */
export function paymentsOf({ known, isReturn, apiCurrency }: Bill): Draft {
  const tenders = known?.tenders ?? [];
  const isRefund = ({ amount }: Tender): boolean => isReturn || amount < 0;
  return {
    payments: tenders
      .filter((tender) => !isRefund(tender))
      .map(({ id, mode, amount }) => ({
        transactionID: id,
        paymentAmount: amount,
        paymentType: paymentType(mode),
        currencyCode: apiCurrency,
      })),
    refunds: tenders.filter(isRefund).map(({ id, mode, amount }) => ({
      transactionID: id,
      refundAmount: Math.abs(amount),
      refundPaymentType: paymentType(mode),
      currencyCode: apiCurrency,
    })),
  };
}

/**
 * The tenders that `paymentsOf` cannot say in full, or all of a bill that does not count: as
 * payments these would be money that was spent.
 */
export function tenantTenders({ known, isCounted }: Bill): readonly Draft[] {
  return (known?.tenders ?? [])
    .filter(({ mode }) => !isCounted || paymentType(mode) === undefined)
    .map(({ id, mode, amount }) => ({ id, mode, amount }));
}
