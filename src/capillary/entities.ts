import type { JsonObject } from './json.ts';

/*
 * What Capillary's REST API says about the customer and the bill of an event, in a form of our own:
 * checked, without masked values, and only what the mapping uses. It is stored with the event, so
 * every change has to be able to read what an older relay stored.
 */

/** One call that was made for an event. */
export interface FetchedCall {
  /** Such as `GET /v2/transactions/{id}`: never with an id of a customer. */
  readonly call: string;
  /** `X-CAP-REQUEST-ID`, by which Capillary's support finds the call. */
  readonly requestId?: string;
  /** HTTP status; absent without an answer. */
  readonly status?: number;
}

/** When and how something was fetched. */
export interface Fetched {
  /**
   * Epoch ms: what the answer says was true then or later. The version of what it sets on the
   * profile.
   */
  readonly at: number;
  readonly calls: readonly FetchedCall[];
}

/** A loyalty program as the customer stands in it; absent values were not stated. */
export interface ProgramEntity {
  readonly programId: string;
  readonly name?: string;
  readonly isDefault?: boolean;
  /** Points that can be redeemed now. */
  readonly points?: number;
  readonly lifetimePoints?: number;
  readonly redeemed?: number;
  readonly expired?: number;
  readonly returned?: number;
  readonly adjusted?: number;
  /** Promised points. */
  readonly promised?: number;
  readonly purchases?: number;
  readonly tier?: { readonly number: number; readonly name?: string };
  /** Epoch ms; absent if the tier never expires. */
  readonly tierExpiresAt?: number;
  /** Absent in the highest tier. */
  readonly nextTier?: { readonly number: number; readonly name?: string };
  /** What is missing to the next tier, for each criterion, such as `CURRENT_POINTS`. */
  readonly upgradeGaps?: readonly { readonly by: string; readonly gap: number }[];
  readonly renewalGaps?: readonly { readonly by: string; readonly gap: number }[];
  /** All points that are going to expire, soonest first; absent if they were not read. */
  readonly lots?: readonly PointsLotEntity[];
  /** Newest first; epoch ms. */
  readonly tierChanges?: readonly {
    readonly at: number;
    readonly type: 'UPGRADE' | 'DOWNGRADE' | 'RENEWAL';
    readonly to?: string;
  }[];
}

export interface PointsLotEntity {
  readonly points: number;
  /** `YYYY-MM-DD`: the points expire at the end of this day of the organisation. */
  readonly expiryDate: string;
}

export interface CustomerEntity {
  readonly customerId: string;
  readonly firstName?: string;
  readonly lastName?: string;
  /** As Capillary writes them; their form has not been checked. */
  readonly identifiers: readonly {
    readonly kind: 'email' | 'phone' | 'externalId' | 'cardNumber';
    readonly value: string;
    /** `instore`, or channel and id of a linked account, as `Identifier.account` has it. */
    readonly account: string;
  }[];
  /**
   * True if contacts or names are masked for this API client, or were not in the answer: what is
   * absent may exist.
   */
  readonly isMasked?: boolean;
  /** Epoch ms of the registration. */
  readonly joinedAt?: number;
  readonly loyaltyType?: string;
  readonly status?: { readonly label: string; readonly reason?: string; readonly at?: number };
  readonly customFields?: JsonObject;
  readonly extendedFields?: JsonObject;
  /** Absent if they were not read. */
  readonly subscriptions?: readonly {
    readonly channel: string;
    /** `BULK` is marketing, `TRANS` is not. */
    readonly priority: string;
    readonly isOptedIn: boolean;
  }[];
  readonly cards?: readonly {
    readonly number: string;
    readonly series?: string;
    readonly status?: string;
    readonly expiresAt?: number;
  }[];
  /** Programs in which the customer is enrolled, the default one first. */
  readonly programs: readonly ProgramEntity[];
}

/** What the API answers about a customer. */
export type CustomerAnswer =
  | { readonly kind: 'found'; readonly customer: CustomerEntity }
  /** In no loyalty program: a valid answer. */
  | { readonly kind: 'no-loyalty'; readonly customer?: CustomerEntity }
  /** Merged into another customer, whose entity this is; `into` is absent if nobody says it. */
  | { readonly kind: 'merged'; readonly into?: string; readonly customer?: CustomerEntity }
  /** Erased: nothing about this customer may be stored or sent. */
  | { readonly kind: 'erased' };

export type FetchedCustomer = Fetched & CustomerAnswer;

export interface BillLineEntity {
  readonly sku?: string;
  /** Of the bill, else of the catalogue. */
  readonly name?: string;
  /** Quantity and amounts of a returned line have no sign. */
  readonly quantity?: number;
  /** Net amount of the line, without its discount. */
  readonly amount?: number;
  readonly discount?: number;
  readonly rate?: number;
  /** Gross amount; absent if the till has not sent it. */
  readonly value?: number;
  /** `REGULAR`, `RETURN`, … if the line says it. */
  readonly type?: string;
  /** The line is a return itself, as all of a return are. Not: it was returned later. */
  readonly isReturned?: boolean;
  readonly attributes?: JsonObject;
  readonly extendedFields?: JsonObject;
}

export interface BillEntity {
  readonly transactionId: string;
  readonly customerId?: string;
  readonly billNumber?: string;
  readonly type?: string;
  readonly returnType?: string;
  readonly outlierStatus?: string;
  readonly deliveryStatus?: string;
  /** Epoch ms. */
  readonly billedAt?: number;
  /** In the base currency; amounts and tenders of a return have no sign. */
  readonly amount?: number;
  readonly grossAmount?: number;
  readonly discount?: number;
  readonly store?: { readonly id?: string; readonly code?: string; readonly name?: string };
  /** ISO code of all amounts, which is that of the base currency; absent if it is not known. */
  readonly currency?: string;
  readonly lines: readonly BillLineEntity[];
  readonly tenders?: readonly { readonly id?: string; readonly mode: string; readonly amount: number }[];
  /** Points of this bill. */
  readonly points?: readonly {
    readonly programId: string;
    readonly issued?: number;
    readonly redeemed?: number;
    readonly returned?: number;
    readonly promised?: number;
  }[];
  readonly customFields?: JsonObject;
  readonly extendedFields?: JsonObject;
}

export type FetchedBill = Fetched & { readonly bill: BillEntity };

/** What was fetched for one event. */
export interface Entities {
  readonly customer?: FetchedCustomer;
  readonly bill?: FetchedBill;
}
