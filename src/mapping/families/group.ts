import { GROUP_MEMBERS } from '../../capillary/group-members.ts';
import type { Draft, Family } from './family.ts';
import type { Reader } from '../reader.ts';

/**
 * Every event of a group of customers and of its members (reference: capillary.md §4.1). The event belongs to
 * the member that it is about, see `personOf`; the others are named below the tenant and nowhere else.
 */
export const mapGroup: Family = ({ event, data }) => ({
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
});

/** The members by id, each once: the primary member may be the one that the event is about. */
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
