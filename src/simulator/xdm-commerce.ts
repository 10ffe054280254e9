import type { XdmField, XdmObject } from './xdm-field.ts';

/** Commerce Details as far as they are stored for loyalty (reference: adobe.md §5.5 and the XDM schema files). */

const currency: XdmField = { pattern: /^[A-Z]{3}$/ };
const measure: XdmObject = { fields: { id: 'string', value: 'number' }, required: ['value'] };

const payment: XdmObject = {
  fields: { transactionID: 'string', paymentAmount: 'number', paymentType: 'string', currencyCode: currency },
};

const refund: XdmObject = {
  fields: {
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
    currencyCode: currency,
  },
};

const order: XdmObject = {
  fields: {
    purchaseID: 'string',
    purchaseOrderNumber: 'string',
    payments: { list: payment },
    refunds: { list: refund },
    returns: 'anything',
    currencyCode: currency,
    taxAmount: 'number',
    discountAmount: 'number',
    priceTotal: 'number',
    orderType: { oneOf: ['checkout', 'instant_purchase'] },
    lastUpdatedDate: 'date-time',
    createdDate: 'date-time',
    cancelDate: 'date-time',
    refundTotal: 'number',
  },
};

const MEASURES = [
  'cartAbandons',
  'checkouts',
  'productListAdds',
  'productListOpens',
  'productListRemovals',
  'productListReopens',
  'productListViews',
  'productViews',
  'purchases',
  'saveForLaters',
  'inStorePurchase',
  'instantPurchase',
];

/** `commerce` of an event. */
export const commerce: XdmObject = {
  fields: {
    ...Object.fromEntries(MEASURES.map((name) => [name, measure])),
    order,
    promotionID: 'string',
    cart: 'anything',
    shipping: 'anything',
    billing: 'anything',
    requisitionList: 'anything',
    commerceScope: {
      fields: {
        environmentID: 'string',
        websiteCode: 'string',
        storeCode: 'string',
        storeViewCode: 'string',
      },
    },
  },
};

const option: XdmObject = {
  fields: { attribute: 'string', value: 'string' },
  required: ['attribute', 'value'],
};

const returnItem: XdmObject = {
  fields: {
    returnStatus: 'string',
    returnReason: 'string',
    returnItemCondition: 'string',
    returnResolution: 'string',
    returnQuantityRequested: 'integer',
    returnQuantityAuthorized: 'integer',
    returnQuantityReceived: 'integer',
    returnQuantityApproved: 'integer',
  },
};

/** One of `productListItems`. */
export const productListItem: XdmObject = {
  fields: {
    SKU: 'string',
    _id: 'uri-reference',
    product: 'uri-reference',
    name: 'string',
    productImageUrl: 'string',
    productAddMethod: 'string',
    currencyCode: currency,
    quantity: 'integer',
    unitOfMeasureCode: 'string',
    priceTotal: 'number',
    discountAmount: 'number',
    refundAmount: 'number',
    selectedOptions: { list: option },
    productCategories: { list: 'anything' },
    returnItem,
  },
  required: ['SKU'],
};
