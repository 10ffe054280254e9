import type { Draft, Family } from './family.ts';
import type { Reader } from '../reader.ts';

/** promotionEarned: the customer may use a promotion now (reference: capillary.md §4.12). */
export const mapPromotionEarned: Family = ({ data }) => ({
  eventType: 'loyalty.promotionEarned',
  fields: { commerce: { promotionID: data.id('promotionId') } },
  tenant: {
    promotion: {
      ...promotionFields(data),
      earnedId: data.id('earnedId'),
      issueId: data.id('issualId'),
      earnedDate: data.time('promotionEarnedDate'),
      expiryDate: data.time('promotionEarnedExpiryDate'),
    },
  },
});

/** promotionIssued: the customer may earn a promotion now (reference: events/documented). */
export const mapPromotionIssued: Family = ({ data }) => ({
  eventType: 'loyalty.promotionIssued',
  fields: { commerce: { promotionID: data.id('promotionId') } },
  tenant: { promotion: { ...promotionFields(data), issueId: data.id('issualId'), ...issueDates(data) } },
});

/** revokeIssuedPromotion: what promotionIssued gave is taken back (reference: events/documented). */
export const mapIssuedPromotionRevoked: Family = ({ data }) => ({
  eventType: 'loyalty.revokeIssuedPromotion',
  fields: { commerce: { promotionID: data.id('promotionId') } },
  tenant: {
    promotion: { ...promotionFields(data), issueId: data.id('revokedIssualId'), ...issueDates(data) },
  },
});

/** revokeEarnedPromotion: what promotionEarned gave is taken back, once or several times (reference: events/documented). */
export const mapEarnedPromotionRevoked: Family = ({ data }) => ({
  eventType: 'loyalty.revokeEarnedPromotion',
  fields: { commerce: { promotionID: data.id('promotionId') } },
  tenant: {
    promotion: promotionFields(data),
    revokedPromotions: data.list('revokedEarnedPromotionDetails').map((revoked) => ({
      earnedId: revoked.id('revokedEarnedId'),
      earnedDate: revoked.time('promotionEarnedDate'),
      expiryDate: revoked.time('promotionEarnedExpiryDate'),
    })),
  },
});

function promotionFields(data: Reader): Draft {
  return {
    id: data.id('promotionId'),
    name: data.text('promotionName'),
    startDate: data.time('promotionStartDate'),
    endDate: data.time('promotionEndDate'),
    offerType: data.text('pointsOfferType'),
  };
}

function issueDates(data: Reader): Draft {
  return {
    issuedDate: data.time('promotionIssuedDate'),
    expiryDate: data.time('promotionIssuedExpiryDate'),
  };
}
