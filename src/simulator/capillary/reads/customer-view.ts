import type { JsonObject } from '../../../capillary/json.ts';
import { consentOf } from '../correction-events.ts';
import { statusLabelOf } from '../customer-events.ts';
import { CARD_SERIES, type Till } from '../world/brand.ts';
import type { PointsLot } from '../world/points-account.ts';
import type { WorldCustomer } from '../world/world-customer.ts';
import {
  defaultAccount,
  expirySchedules,
  pointsSummary,
  programDetailsList,
  slabHistory,
} from './loyalty-view.ts';
import { embedsOf, isTrue, masked, type ReadContext } from './read-context.ts';
import { isoTime, legacyTime, serverDay } from './server-time.ts';

/** The till as `createdBy` and `modifiedBy` have it. */
export function attributedTo({ id, code }: Till): JsonObject {
  return { id, code, name: code, type: 'TILL', referenceId: -1, default: false };
}

function identifierList(customer: WorldCustomer, context: ReadContext): JsonObject[] {
  const all: (JsonObject & { value: string })[] = [
    { type: 'mobile', value: masked(context, customer.mobile) },
    { type: 'email', value: masked(context, customer.email) },
    { type: 'externalId', value: customer.externalId },
    { type: 'cardNumber', value: customer.cardNumber, seriesId: CARD_SERIES.id, statusLabel: 'ACTIVE' },
  ];
  return all.filter(({ value }) => value !== '');
}

function commChannels(customer: WorldCustomer, context: ReadContext): JsonObject[] {
  return (['mobile', 'email'] as const)
    .filter((type) => customer[type] !== '')
    .map((type) => ({
      type,
      value: masked(context, customer[type]),
      primary: true,
      verified: false,
      meta: { residence: false, office: false },
      attributes: {},
    }));
}

function profile(customer: WorldCustomer, context: ReadContext): JsonObject {
  const { zone } = context;
  const identifiers = identifierList(customer, context);
  return {
    firstName: masked(context, customer.firstName),
    lastName: masked(context, customer.lastName),
    attribution: {
      createDate: isoTime(customer.joinedAt, zone),
      modifiedDate: isoTime(customer.modifiedAt, zone),
      createdBy: attributedTo(customer.till),
      modifiedBy: { referenceId: -1 },
    },
    fields: { favourite_tea: customer.favouriteTea },
    allFields: {},
    identifiers,
    identifiersAll: identifiers,
    commChannels: commChannels(customer, context),
    source: 'INSTORE',
    userId: customer.customerId,
    accountId: '',
    conflictingProfileList: [],
    autoUpdateTime: isoTime(customer.modifiedAt, zone),
  };
}

function card(customer: WorldCustomer, { zone, world }: ReadContext): JsonObject {
  const cardId = customer.customerId - 500_000_000;
  const created = customer.joinedAt;
  return {
    cardId,
    cardNumber: customer.cardNumber,
    seriesId: CARD_SERIES.id,
    seriesCode: CARD_SERIES.code,
    seriesName: CARD_SERIES.name,
    type: 'DIGITAL',
    customerId: customer.customerId,
    issuedDate: isoTime(created, zone),
    createdDate: serverDay(created, zone),
    createdDateTimeISO: isoTime(created, zone),
    cardExternalId: '',
    extendedFields: {},
    customFields: {},
    maxActiveCards: 1,
    activeAndDigital: true,
    transactionNotAllowed: false,
    id: cardId,
    orgId: world.orgId,
    statusInfo: {
      label: 'ACTIVE',
      status: 'ACTIVE',
      isActive: true,
      labelId: 2,
      reason: '',
      actions: [],
      createdOn: isoTime(created, zone),
      autoUpdateTime: serverDay(created, zone),
      autoUpdateTimeISO: isoTime(created, zone),
      entityId: cardId,
      id: 1,
    },
  };
}

function loyaltyInfo(customer: WorldCustomer, { zone }: ReadContext): JsonObject {
  return {
    loyaltyType: 'loyalty',
    lifetimePurchases: (defaultAccount(customer)?.purchases ?? 0) / 100,
    score: 0,
    attributionV2: {
      createDate: isoTime(customer.joinedAt, zone),
      createdFromSource: 'instore',
      modifiedDate: isoTime(customer.modifiedAt, zone),
      createdBy: attributedTo(customer.till),
      modifiedBy: { referenceId: -1 },
    },
  };
}

export function subscriptionList({ subscriptions }: WorldCustomer): JsonObject[] {
  return subscriptions.map(({ channel, priority, isOptedIn }) => ({
    channel,
    priority,
    type: consentOf(isOptedIn),
  }));
}

function promotionalPoints(customer: WorldCustomer, { zone, now }: ReadContext): JsonObject {
  const { code, name } = customer.till.store;
  const isOpen = ({ kind, available, expiresAt }: PointsLot): boolean =>
    kind === 'customer_promotions' && available > 0 && expiresAt > now;
  const customerPromotionType = customer.accounts.flatMap(({ lots, program }) =>
    lots.filter(isOpen).map((lot) => ({
      points: lot.available,
      issuedAt: { code, name },
      issuedOn: isoTime(lot.awardedAt, zone),
      expiryDate: isoTime(lot.expiresAt, zone),
      promotionSource: { promotionSourceId: -1, promotionSourceType: 'GOODWILL' },
      programId: program.id,
      promotionName: lot.promotion ?? '',
    })),
  );
  return { customerPromotionType, transactionPromotionType: [], lineitemPromotionType: [] };
}

function expiredPoints({ accounts }: WorldCustomer, { zone }: ReadContext): JsonObject[] {
  return accounts.flatMap(({ lots, program }) =>
    lots
      .filter(({ expired }) => expired > 0)
      .map((lot) => ({
        points: lot.expired,
        expiredOn: serverDay(lot.expiresAt, zone),
        programId: program.id,
        expiredPointsSummary: [
          {
            paType: 'POINT_AWARDED_CUSTOMER_PROMOTION',
            paId: lot.id,
            points: lot.expired,
            eventDate: `${legacyTime(lot.expiresAt, zone)}.0`,
            newExpiryDate: `${legacyTime(lot.expiresAt, zone)}.0`,
            strategyName: lot.promotion ?? 'regular',
            expiryUpdateReasonType: 'Expiry strategy',
            expiryUpdateReasonNote: 'NA',
          },
        ],
      })),
  );
}

/** The blocks that `embed` and other parameters add. */
function embedded(customer: WorldCustomer, context: ReadContext): JsonObject {
  const { query, zone } = context;
  const embeds = embedsOf(query);
  const main = defaultAccount(customer);
  const hasMlp = embeds.has('mlp');
  return {
    ...(embeds.has('points') && main ? { pointsSummary: pointsSummary(main, context) } : {}),
    ...(hasMlp ? { loyaltyProgramDetails: programDetailsList(customer, context) } : {}),
    ...(embeds.has('subscriptions')
      ? { subscriptionInfo: { subscriptions: subscriptionList(customer) } }
      : {}),
    ...(hasMlp && isTrue(query, 'slabHistory') ? { slabHistory: slabHistory(customer, context) } : {}),
    ...(embeds.has('expiryschedules')
      ? { expirySchedules: customer.accounts.flatMap((account) => expirySchedules(account, context)) }
      : {}),
    ...(embeds.has('promotionalpoints') ? { promotionalPoints: promotionalPoints(customer, context) } : {}),
    ...(embeds.has('expiredpoints') ? { expiredPoints: expiredPoints(customer, context) } : {}),
    ...(embeds.has('customerstatus')
      ? {
          statusLabel: statusLabelOf(customer),
          statusLabelReason: '',
          statusLastUpdatedOn: isoTime(customer.statusChangedAt, zone),
          statusModifiedBy: customer.till.id,
        }
      : {}),
    ...(isTrue(query, 'optinStatus') ? { optinStatus: 'OPTED_IN' } : {}),
    ...(isTrue(query, 'ndncStatus') ? { ndncStatus: 'NONE' } : {}),
  };
}

/** The body of `GET /v2/customers/{id}`. */
export function customerView(
  customer: WorldCustomer,
  context: ReadContext,
  warnings: readonly JsonObject[],
): JsonObject {
  const dob = `${customer.birthDay}T00:00:00${context.zone}`;
  return {
    id: customer.customerId,
    profiles: [profile(customer, context)],
    loyaltyInfo: loyaltyInfo(customer, context),
    segments: {},
    associatedWith: customer.till.code,
    extendedFields: {
      gender: customer.gender,
      dob: masked(context, dob),
      preferred_language: customer.language,
    },
    cardDetails: customer.cardNumber === '' ? [] : [card(customer, context)],
    ...embedded(customer, context),
    warnings: [...warnings],
  };
}
