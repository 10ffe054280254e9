import type { Family } from './family.ts';

/** badgeEarned (reference: events/documented). */
export const mapBadgeEarned: Family = ({ data }) => ({
  eventType: 'loyalty.badgeEarned',
  tenant: {
    badge: {
      id: data.id('badgeId'),
      issueId: data.id('issualId'),
      issuedDate: data.time('issuedOn'),
      earnedId: data.id('earnId'),
      earnedDate: data.time('earnedOn'),
    },
  },
});
