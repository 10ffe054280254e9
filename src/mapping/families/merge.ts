import { customerIdOf, laneOf } from '../../capillary/identifiers.ts';
import type { Family } from './family.ts';
import { victimIdOf } from '../identities.ts';

/**
 * loyaltyCustomerMerge: two customers become one (reference: capillary.md §5). The identityMap holds both
 * ids, so that AEP links them, and what is kept of the victim's profile goes over to the survivor.
 */
export const mapMerge: Family = ({ event }) => {
  const survivorId = event.customerId ?? customerIdOf(event.data);
  const victimId = victimIdOf(event);
  const foldFrom =
    victimId === undefined || victimId === survivorId ? undefined : laneOf(event.orgId, victimId);
  return {
    eventType: 'loyalty.customerMerge',
    tenant: { merge: { survivorId, victimId } },
    ...(foldFrom === undefined ? {} : { foldFrom }),
  };
};
