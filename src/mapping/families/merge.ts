import { customerIdOf } from '../../capillary/identifiers.ts';
import type { Family } from './family.ts';
import { victimIdOf } from '../identities.ts';

/**
 * loyaltyCustomerMerge: two customers become one (reference: capillary.md §5). The identityMap holds both
 * ids, so that AEP links them; what is kept of the victim's profile goes over to the survivor (`keep.ts`).
 */
export const mapMerge: Family = ({ event }) => ({
  eventType: 'loyalty.customerMerge',
  tenant: {
    merge: { survivorId: event.customerId ?? customerIdOf(event.data), victimId: victimIdOf(event) },
  },
});
