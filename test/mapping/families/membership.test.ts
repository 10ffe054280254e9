import { describe, expect, it } from 'vitest';
import { mapEvent } from '../../../src/mapping/map-event.ts';
import { codesOf, contextOf, eventWith, fixtureEvent, messagesOf } from '../mapping-rig.ts';

const NAMES = [
  'groupCreated',
  'groupUpdated',
  'groupMemberAdded',
  'groupMemberRemoved',
  'pointsContributionToGroup',
];
const nobody = { customerIdentifiers: {} };

describe('an event of a group', () => {
  it.each(NAMES)('%s has the identities of one member only', async (name) => {
    const { event } = await messagesOf(fixtureEvent(name));
    const identities = JSON.stringify(event['identityMap']);
    const members = ['518200431', '518200977'].filter((id) => identities.includes(id));

    expect(members).toHaveLength(1);
    expect(identities.includes('meera')).toBe(identities.includes('loyaltyId') && members[0] === '518200431');
    expect(identities.includes('arjun')).toBe(identities.includes('loyaltyId') && members[0] === '518200977');
  });

  it('about another member is in the lane of that member', () => {
    expect(fixtureEvent('groupMemberAdded').lane).not.toBe(fixtureEvent('groupCreated').lane);
    expect(fixtureEvent('groupMemberAdded').lane).toBe(fixtureEvent('groupMemberRemoved').lane);
  });

  it.each(NAMES)('%s without a member is ignored', async (name) => {
    const event = eventWith(name, { ...nobody, groupId: 3308, groupName: 'Iyer family' });

    expect(await mapEvent(event, contextOf())).toMatchObject({ outcome: 'ignored', reason: 'no-identity' });
  });

  it('notes the path of a member’s invalid identifier', async () => {
    const memberAdded = { customerIdentifiers: { customerId: 7, instore: { email: 'none' } } };
    const mapped = await messagesOf(eventWith('groupMemberAdded', { ...nobody, memberAdded }));

    expect(codesOf(mapped)).toEqual(['placeholder data.memberAdded.customerIdentifiers.instore.email']);
  });

  it('lists a primary member that adds itself once', async () => {
    const one = { role: 'PRIMARY', customerIdentifiers: { customerId: 7 } };
    const mapped = await messagesOf(
      eventWith('groupMemberAdded', {
        ...nobody,
        memberAdded: { ...one, role: 'FIRST' },
        primaryMember: one,
      }),
    );

    expect(mapped.event).toMatchObject({
      _acme: { capillary: { group: { members: [{ customerId: '7', role: 'FIRST' }] } } },
    });
  });
});

describe('an event of a card', () => {
  const card = eventWith('cardUpdated', { ...nobody, cardNumber: 'C-9', currentStatusLabel: 'Active' });

  it('without a customer is identified by the card if there is a namespace for it', async () => {
    const destination = { identity: { primary: 'customerId', namespaces: { cardNumber: 'loyaltyCard' } } };
    const mapped = await messagesOf(card, contextOf({ destination }));

    expect(mapped.event['identityMap']).toEqual({
      loyaltyCard: [{ id: 'C-9', authenticatedState: 'ambiguous', primary: true }],
    });
    expect(mapped.profile).toBeUndefined();
  });

  it('is ignored otherwise', async () => {
    const mapped = await mapEvent(card, contextOf());

    expect(mapped).toMatchObject({ outcome: 'ignored', reason: 'no-identity' });
    expect(codesOf(mapped)).toEqual(['no-namespace identityMap']);
  });
});
