import { list, object, memoizePerSchema } from './shape.ts';
import { TENANT_EVENT_FIELDS, tenantShape } from './tenant-fields.ts';

const CURRENCY = { matching: /^[A-Z]{3}$/ } as const;
/** The value is required (docs/platforms/adobe.md#commerce). */
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
  refunds: list(
    object({
      transactionID: 'string',
      refundAmount: 'number',
      refundReason: { oneOf: ['return', 'price_adjustment'] },
      refundPaymentType: {
        oneOf: [
          'cash',
          'credit_card',
          'debit_card',
          'gift_card',
          'check',
          'paypal',
          'wire_transfer',
          'credit_card_reference',
          'other',
        ],
      },
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
    returnItem: object({ returnQuantityReceived: 'integer' }),
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
 * The fields that an ExperienceEvent of a destination may have, apart from `identityMap`
 * (docs/platforms/adobe.md#xdm-fields). AEP refuses a record with a field that its schema lacks
 * (docs/platforms/adobe.md#unknown-fields), so the parts that not every sandbox has are optional.
 */
export const eventShape = memoizePerSchema((features, tenant) =>
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
