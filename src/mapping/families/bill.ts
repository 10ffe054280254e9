import { toTimestamp } from '../../capillary/times.ts';
import { attributeTime } from '../event-time.ts';
import type { Draft, Family, FamilyInput } from './family.ts';
import { billFields } from './transaction.ts';

/** notInterestedBillAdded: the bill of somebody outside the program (reference: capillary.md §4.1). */
export const mapNotInterestedBill: Family = (input) => bill(input, {});

/**
 * retroBillAdded: an older bill attached to a customer (reference: capillary.md §4.1). Its time is that of the
 * bill. It counts no purchase: nothing says that Capillary does not send transactionAdded for the bill too, and
 * a purchase counted twice cannot be taken back.
 */
export const mapRetroBill: Family = (input) =>
  bill(input, {
    retroBill: { attachedDate: toTimestamp(attributeTime(input.event, input.context)) },
  });

/**
 * transactionRejected and rejectedTransactionRetrigger: a bill that counts for nothing, at least for now
 * (reference: capillary.md §4.1).
 */
export const mapRejectedBill: Family = (input) => {
  const { data } = input;
  const details = [...data.list('rejectionDetails'), ...data.list('rejectionDetailsOnRetrigger')];
  return bill(input, {
    rejection: {
      type: data.text('rejectionType'),
      retriggerId: data.id('retriggerId'),
      attempts: data.integer('retrialCount'),
      date: data.time('eventDateTime'),
      reasons: details.map((one) => ({
        reason: one.text('rejectionReason'),
        details: one.text('reasonDetails'),
      })),
    },
  });
};

function bill(input: FamilyInput, tenant: Draft): ReturnType<Family> {
  const told = billFields(input, {});
  return {
    eventType: `loyalty.${input.event.eventName}`,
    fields: told.fields,
    tenant: { ...told.tenant, ...tenant },
  };
}
