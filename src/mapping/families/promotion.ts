import type { Family } from './family.ts';

/** promotionEarned: the customer may use a promotion now (reference: capillary.md §4.12). */
export const mapPromotionEarned: Family = ({ data }) => ({
  eventType: 'loyalty.promotionEarned',
  fields: { commerce: { promotionID: data.id('promotionId') } },
  tenant: {
    promotion: {
      id: data.id('promotionId'),
      name: data.text('promotionName'),
      earnedId: data.id('earnedId'),
      issueId: data.id('issualId'),
      startDate: data.time('promotionStartDate'),
      endDate: data.time('promotionEndDate'),
      earnedDate: data.time('promotionEarnedDate'),
      expiryDate: data.time('promotionEarnedExpiryDate'),
      offerType: data.text('pointsOfferType'),
    },
  },
});
