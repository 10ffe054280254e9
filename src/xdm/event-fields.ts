import { oncePerSchema } from './once-per-schema.ts';
import { list, object } from './shape.ts';
import { TENANT_EVENT_FIELDS, tenantShape } from './tenant-fields.ts';

/** Which optional parts of Adobe's field groups are on the schemas of a destination. */
export interface SchemaFeatures {
  readonly loyalty2026: boolean;
  readonly loyaltyEvents: boolean;
  readonly placeContext: boolean;
  readonly sourceAudit: boolean;
  readonly consents: boolean;
}

const CURRENCY = { matching: /^[A-Z]{3}$/ } as const;
/** A measure counts for nothing without its value (reference: adobe.md §5.5). */
const MEASURE = object({ id: 'string', value: 'number' }, ['value']);

const ORDER = object({
  purchaseID: 'string',
  purchaseOrderNumber: 'string',
  priceTotal: 'number',
  discountAmount: 'number',
  taxAmount: 'number',
  refundTotal: 'number',
  currencyCode: CURRENCY,
  orderType: { oneOf: ['checkout', 'instant_purchase'] },
  createdDate: 'date-time',
  lastUpdatedDate: 'date-time',
  cancelDate: 'date-time',
  payments: list(
    object({
      transactionID: 'string',
      paymentAmount: 'number',
      paymentType: 'string',
      currencyCode: CURRENCY,
    }),
  ),
});

const COMMERCE = object({
  order: ORDER,
  promotionID: 'string',
  purchases: MEASURE,
  inStorePurchase: MEASURE,
  checkouts: MEASURE,
  commerceScope: object({
    environmentID: 'string',
    websiteCode: 'string',
    storeCode: 'string',
    storeViewCode: 'string',
  }),
});

const LINE_ITEM = object(
  {
    SKU: 'string',
    name: 'string',
    quantity: 'integer',
    priceTotal: 'number',
    discountAmount: 'number',
    refundAmount: 'number',
    currencyCode: CURRENCY,
    productImageUrl: 'string',
    unitOfMeasureCode: 'string',
    selectedOptions: list(object({ attribute: 'string', value: 'string' }, ['attribute', 'value'])),
    productCategories: list(object({ categoryID: 'string', categoryName: 'string', categoryPath: 'string' })),
  },
  ['SKU'],
);

const POINTS = list(
  object({ value: 'number', promotionId: 'string', loyaltyProgramId: 'string', transactionId: 'string' }),
);

const LOYALTY = object({
  pointsGained: POINTS,
  pointsRedemption: POINTS,
  couponRedemption: list(
    object({ id: 'string', series: 'string', seriesName: 'string', promotionId: 'string' }),
  ),
  referralRedemption: list(object({ code: 'string', promotionId: 'string' })),
  discounts: list(
    object({
      value: 'number',
      source: 'string',
      triggeredForItem: 'string',
      scope: 'string',
      promotionId: 'string',
    }),
  ),
});

const PLACE_CONTEXT = object({
  localTime: 'date-time',
  ianaTimezone: 'string',
  localTimezoneOffset: 'integer',
  POIinteraction: object({
    poiDetail: object({ poiID: 'string', name: 'string', category: 'string', type: 'string' }),
  }),
});

/**
 * What may stand in an ExperienceEvent of a destination besides `identityMap` (reference: adobe.md §5.1, 5.4,
 * 5.5, 5.8). AEP refuses a record with a field its schema does not have, so the parts that not every sandbox
 * has are switched.
 */
export const eventShape = oncePerSchema((features, tenant) =>
  object({
    _id: 'uri-reference',
    timestamp: 'date-time',
    eventType: { matching: /^\S.{0,255}$/su },
    eventMergeId: 'string',
    producedBy: 'string',
    commerce: COMMERCE,
    productListItems: list(LINE_ITEM),
    ...(features.loyaltyEvents ? { loyalty: LOYALTY } : {}),
    ...(features.placeContext ? { placeContext: PLACE_CONTEXT } : {}),
    ...(tenant === undefined ? {} : { [tenant]: tenantShape(TENANT_EVENT_FIELDS) }),
  }),
);
