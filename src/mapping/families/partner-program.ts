import type { Family } from './family.ts';

/**
 * Every event of a customer's membership in a partner program (reference: capillary.md §4.1). Its own program
 * stands in `T.program` as always.
 */
export const mapPartnerProgram: Family = ({ event, data }) => {
  const membership = data.object('customerPartnerProgramDetails');
  return {
    eventType: `loyalty.${event.eventName}`,
    tenant: {
      partnerProgram: {
        id: data.id('partnerProgramId'),
        name: data.text('partnerProgramName'),
        type: data.text('partnerProgramType'),
        updateType: data.text('updateType'),
        membershipNumber: membership.id('membershipNumber'),
        tierNumber: membership.integer('partnerTierNumber'),
        tierExpiryDate: membership.time('partnerTierExpiryDate'),
        membershipExpiryDate: membership.time('membershipExpiryDate'),
        scheduledExpiryDate: data.time('scheduledExpiryDate'),
      },
    },
  };
};
