import type { XdmField, XdmObject } from './xdm-field.ts';

function dated(fields: Readonly<Record<string, XdmField>>): XdmObject {
  return {
    fields: { ...fields, startDate: 'date-time', endDate: 'date-time' },
  };
}
const named = { id: 'string', name: 'string', series: 'string', state: 'string' } as const;

const challenge = dated({
  ...named,
  description: 'string',
  frequencyType: 'string',
  tasks: {
    list: dated({
      name: 'string',
      type: 'string',
      entity: 'string',
      goal: 'number',
      progress: 'number',
      state: 'string',
    }),
  },
});

const rewards: XdmObject = {
  fields: {
    badges: { list: dated(named) },
    coupons: {
      list: dated({
        ...named,
        discountValue: 'number',
        redemptionCount: 'integer',
        redemptionLimit: 'integer',
        storeName: 'string',
      }),
    },
    giveaways: { list: dated({ ...named, type: 'string', partnerId: 'string', partnerName: 'string' }) },
    referrals: { list: dated({ ...named, recipient: 'string' }) },
  },
};

/** `loyalty` of a profile, with the fields of 2026 (reference: adobe.md §5.3). */
export const profileLoyalty: XdmObject = {
  fields: {
    loyaltyID: { list: 'string' },
    program: 'string',
    status: 'string',
    tier: 'string',
    nextTier: 'string',
    upgradeDate: 'string',
    joinDate: 'date-time',
    tierUpgradeDate: 'date-time',
    tierExpiryDate: 'date-time',
    points: 'number',
    pointsRedeemed: 'number',
    adjustedPoints: 'number',
    expiredPoints: 'number',
    lifetimePoints: 'number',
    lifetimePurchases: 'number',
    promisedPoints: 'number',
    returnedPoints: 'number',
    pointsToNextTier: 'number',
    pointsExpiration: {
      list: { fields: { pointsExpiring: 'number', pointsExpirationDate: 'date-time' } },
    },
    cardsDetails: { list: { fields: { number: 'string', series: 'string', status: 'string' } } },
    challenges: { list: challenge },
    rewards,
  },
};

const movement: XdmObject = {
  fields: { value: 'number', promotionId: 'string', loyaltyProgramId: 'string', transactionId: 'string' },
};

/** `loyalty` of an event (reference: adobe.md §5.4). */
export const eventLoyalty: XdmObject = {
  fields: {
    pointsGained: { list: movement },
    pointsRedemption: { list: movement },
    couponRedemption: {
      list: { fields: { id: 'string', series: 'string', seriesName: 'string', promotionId: 'string' } },
    },
    referralRedemption: { list: { fields: { code: 'string', promotionId: 'string' } } },
    discounts: {
      list: {
        fields: {
          value: 'number',
          source: 'string',
          triggeredForItem: 'string',
          scope: 'string',
          promotionId: 'string',
        },
      },
    },
  },
};
