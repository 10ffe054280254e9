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
    facts: Object.assign({}, ...released.map((profile) => factsOf(profile, input))) as Facts,
  };
}

function factsOf({ customerId, identifiers }: ReleasedProfile, { event, context }: FamilyInput): Facts {
  if (identifiers.length === 0) {
    const lane = customerId === undefined ? undefined : laneOf(event.orgId, customerId);
    return lane === undefined ? {} : { [releasedFact(lane === event.lane ? undefined : lane)]: true };
  }
  const facts: Record<string, true> = {};
  for (const { kind, value } of identifiers) {
    const checked = kind && normalize({ kind, value }, context.source.country);
    if (kind !== undefined && checked !== undefined && 'id' in checked) {
      facts[goneFact({ kind, id: checked.id })] = true;
    }
  }
  return facts;
}
