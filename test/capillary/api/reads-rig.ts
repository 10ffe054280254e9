import type { JsonObject } from '../../../src/capillary/json.ts';
import { createCapillaryReads, type CapillaryReads } from '../../../src/capillary/api/capillary-reads.ts';
import { sendJson } from '../../adobe/scripted-server.ts';
import { type ApiRig, startApi } from './api-rig.ts';

/** A signal that nobody aborts. */
export const NEVER = new AbortController().signal;

export const CUSTOMER_ID = '610200345';

/** The moment at which the tests read: tiers that end in 2126 never end. */
export const READ_AT = Date.UTC(2026, 9, 1, 9, 20);

export interface ReadsRig extends ApiRig {
  readonly reads: CapillaryReads;
}

/** Reads of a server that answers everything with one body. */
export async function readsOf(
  body: unknown,
  { status = 200, headers = {}, serverZone = 'UTC', defaultProgram = '4101' } = {},
): Promise<ReadsRig> {
  const rig = await startApi((_, response) =>
    typeof body === 'string'
      ? void response.writeHead(status, headers).end(body)
      : sendJson(response, status, body, headers),
  );
  const { client } = rig;
  return {
    ...rig,
    reads: createCapillaryReads({
      client,
      serverZone,
      defaultProgram: () => defaultProgram,
      now: () => READ_AT,
    }),
  };
}

/** A customer as the API answers; changes replace fields, undefined removes one. */
export function aCustomer(changes: Record<string, unknown> = {}): JsonObject {
  const till = { id: 82_001, code: 'nw.leeds.01.t1', type: 'TILL', referenceId: -1, default: false };
  const standing = {
    loyaltyId: 71,
    loyaltyPoints: 145,
    lifetimePoints: 1_345,
    redeemed: 1_100,
    expired: 100,
    returned: 0,
    adjusted: 0,
    cumulativePurchases: 1_834.5,
    currentSlab: 'Silver',
    slabSNo: 2,
    slabExpiryDate: '2027-09-30T23:59:59Z',
    nextSlab: 'Gold',
    nextSlabSerialNumber: 3,
    nextSlabDescription: 'Gold tier',
  };
  const customer = {
    id: Number(CUSTOMER_ID),
    profiles: [
      {
        firstName: 'Ines',
        lastName: 'Okafor',
        attribution: { createDate: '2024-05-02T10:15:10Z', createdBy: till, modifiedBy: { referenceId: -1 } },
        fields: { preferred_store: 'nw.leeds.01' },
        identifiers: [
          { type: 'mobile', value: '447700900321' },
          { type: 'email', value: 'ines@example.com' },
          { type: 'externalId', value: 'LOY-77120' },
          { type: 'cardNumber', value: 'NWC0001', seriesId: 3, statusLabel: 'ACTIVE' },
        ],
        commChannels: [],
        source: 'INSTORE',
        userId: Number(CUSTOMER_ID),
        accountId: '',
      },
    ],
    loyaltyInfo: { loyaltyType: 'loyalty', attributionV2: { createDate: '2024-05-02T10:15:10Z' } },
    statusLabel: 'Active',
    statusLabelReason: '',
    statusLastUpdatedOn: '2026-01-05T11:38:20Z',
    extendedFields: { city: 'Leeds', gender: 'Female', dob: '1990-04-11T00:00:00Z' },
    cardDetails: [
      {
        cardNumber: 'NWC0001',
        seriesCode: 'NW',
        seriesName: 'Northwind Card',
        expiryDate: '2029-05-01T00:00:00Z',
        statusInfo: { label: 'ACTIVE', status: 'ACTIVE' },
      },
    ],
    pointsSummary: standing,
    loyaltyProgramDetails: [
      {
        programId: 4_101,
        programTitle: 'NorthwindDefault',
        ...standing,
        delayedPoints: 3,
        totalAvailablePoints: 148,
        linkedPartnerPrograms: [],
        upgradeStrategies: [
          {
            upgradeBasedOn: 'CURRENT_POINTS',
            upgradeThreshold: 2_000,
            customerUpgradeEntityValues: { currentValue: 145, gapToUpgrade: 1_855 },
          },
        ],
        gapToRenewSummary: {
          tierExpiryDate: '2027-09-30',
          renewStrategies: [{ renewBasedOn: 'POINTS', renewThreshold: 500, customerGapToRenewValue: 355 }],
        },
      },
    ],
    subscriptionInfo: {
      subscriptions: [
        { channel: 'EMAIL', priority: 'BULK', type: 'OPTIN' },
        { channel: 'SMS', priority: 'BULK', type: 'OPTOUT' },
      ],
    },
    slabHistory: [
      {
        from: 'Bronze',
        to: 'Silver',
        changedOn: '2026-10-01T09:15:03Z',
        changedOnISO: '2026-10-01T09:15:03Z',
        type: 'UPGRADE',
        programId: 4_101,
      },
    ],
    expirySchedules: [
      { points: 45, expiryDate: '2026-12-31', expiryDateISO: '2026-12-31T00:00:00Z', programId: 4_101 },
    ],
    warnings: [],
    ...changes,
  };
  return JSON.parse(JSON.stringify(customer)) as JsonObject;
}

/** A bill as the API answers. */
export function aBill(changes: Record<string, unknown> = {}): JsonObject {
  const bill = {
    id: 3_300_500_171,
    customerId: Number(CUSTOMER_ID),
    type: 'REGULAR',
    outlierStatus: 'NORMAL',
    deliveryStatus: 'DELIVERED',
    billDetails: {
      billNumber: 'NW-317',
      billingTime: '2026-10-01T09:14:00Z',
      amount: 64.5,
      grossAmount: 70,
      discount: 5.5,
      billingStore: { id: 8_200, code: 'nw.leeds.01', name: 'Northwind Leeds', type: 'STORE' },
      currency: { id: 45, name: 'Euro', symbol: '€', isoCode: 'EUR', ratio: 0.86 },
    },
    lineItems: [
      {
        id: 7_700_100_001,
        niReturn: false,
        details: {
          itemCode: 'SKU-9',
          description: 'Trail socks',
          qty: 2,
          rate: 15,
          value: 30,
          discount: 2.5,
          amount: 27.5,
          attributes: { POINTS_ELIGIBILITY: 'Yes' },
          extendedFields: { size: 'medium' },
        },
        returnDetails: {},
      },
    ],
    paymentModes: [{ id: 5_500_100, mode: 'Card', amount: 64.5, attributes: [] }],
    loyaltiesPointDetails: [
      { programId: 4_101, issuedPoints: 18, returnedPoints: 0, redeemedPoints: 0, delayedPoints: 0 },
    ],
    customFields: { origin: 'instore' },
    extendedFields: { tax_amount: '5.10' },
    currencyLogDto: {
      baseCurrency: { id: 44, isoCode: 'GBP' },
      transactionCurrency: { id: 45, isoCode: 'EUR' },
    },
    warnings: [],
    ...changes,
  };
  return JSON.parse(JSON.stringify(bill)) as JsonObject;
}
