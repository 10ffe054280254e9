import { laneOf } from '../../capillary/event-identity.ts';
import { type ReleasedProfile, releasedProfilesIn } from '../../capillary/identifier-release.ts';
import { goneFact } from '../customer/contacts.ts';
import { releasedFact } from '../customer/identity-facts.ts';
import { normalize } from '../identities.ts';
import type { Facts, FamilyInput, FamilyResult } from './family.ts';

/**
 * identifierReleased: identifiers of a merged customer can belong to others from now on
 * (docs/platforms/capillary.md#merges). If the event names none, all of that customer are meant.
 */
export function mapIdentifierRelease(input: FamilyInput): FamilyResult {
  const { data, event } = input;
  const released = releasedProfilesIn(event.data);
  return {
    eventType: 'loyalty.identifierReleased',
    tenant: { release: { mergeEventId: data.id('mergeEventId'), date: data.time('releasedAt') } },
    facts: released.flatMap((profile) => factsOf(profile, input)),
  };
}

function factsOf({ customerId, identifiers }: ReleasedProfile, { event, context }: FamilyInput): Facts {
  if (identifiers.length === 0) {
    const lane = customerId === undefined ? undefined : laneOf(event.orgId, customerId);
    return lane === undefined ? [] : [[releasedFact(lane === event.lane ? undefined : lane), true]];
  }
  return identifiers.flatMap(({ kind, value }) => {
    const checked = kind && normalize({ kind, value }, context.source.country);
    return kind !== undefined && checked !== undefined && 'id' in checked
      ? [[goneFact({ kind, id: checked.id }), true] as const]
      : [];
  });
}
