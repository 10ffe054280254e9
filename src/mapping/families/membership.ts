import { GROUP_MEMBERS } from '../../capillary/person.ts';
import type { Reader } from '../reader.ts';
import type { Draft, Facts, FamilyInput, FamilyResult } from './family.ts';
import { ownPointsFacts, ownProgramId } from './program-balance.ts';

/**
 * All events of groups and their members (docs/platforms/capillary.md#groups). The event belongs to
 * the member it concerns (`personOf`); the others appear only below the tenant.
 */
export function mapGroup(input: FamilyInput): FamilyResult {
  const { event, data } = input;
  const isContribution = event.eventName === 'pointsContributionToGroup';
  return {
    eventType: `loyalty.${event.eventName}`,
    tenant: {
      group: {
        id: data.id('groupId'),
        name: data.text('groupName'),
        type: data.text('groupType'),
        pointsContributed: data.number('pointsContributedToGroup'),
        members: members(data),
      },
    },
    ...(isContribution ? { facts: contributionFacts(input) } : {}),
  };
}

/**
 * Whether the points that a member contributes were part of the own balance before is not
 * documented, so the balance is not known until an event states it.
 */
function contributionFacts(input: FamilyInput): Facts {
  return ownPointsFacts(input, { programId: ownProgramId(input.data), points: undefined }, { u: 1 });
}

/** The members by id, each once: the primary member can be the one that the event is about. */
function members(data: Reader): readonly Draft[] {
  const named = GROUP_MEMBERS.map((field) => data.object(field)).map((member) => ({
    customerId: member.object('customerIdentifiers').id('customerId'),
    role: member.text('role'),
  }));
  const known = named.filter(({ customerId }) => customerId !== undefined);
  return known.filter(
    ({ customerId }, index) => known.findIndex((other) => other.customerId === customerId) === index,
  );
}

/**
 * All events of a membership in a partner program (docs/platforms/capillary.md#partner-programs).
 * The brand's own program is in `T.program`, as in every event.
 */
export function mapPartnerProgram({ event, data }: FamilyInput): FamilyResult {
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
}

/**
 * cardUpdated (docs/platforms/capillary.md#badges-and-cards). It names no customer, so it is
 * delivered only where card numbers have a namespace. It does not change the profile:
 * `loyalty.cardsDetails` lists all cards of a customer, and the event has one.
 */
export function mapCardUpdated({ data }: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.cardUpdated',
    tenant: {
      card: {
        number: data.id('cardNumber'),
        type: data.text('cardType'),
        series: data.scalar('cardSeries'),
        status: data.text('currentStatusLabel'),
        previousStatus: data.text('previousStatusLabel'),
        statusReason: data.text('currentStatusChangeReason'),
        previousStatusReason: data.text('previousStatusChangeReason'),
      },
    },
  };
}
