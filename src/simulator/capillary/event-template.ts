import type { JsonObject } from '../../capillary/json.ts';
import { type Random, randomInteger, randomOf } from '../random.ts';
import type { Customer } from './simulated-customer.ts';

export interface EventContext {
  readonly random: Random;
  /** `createdAt`, epoch ms. */
  readonly at: number;
  /** Unique within a run. */
  readonly serial: number;
  readonly customer: Customer;
}

/** An event without its envelope. */
export interface EventContent {
  readonly data: JsonObject;
  /** `refId` without its prefix, the organisation. */
  readonly ref: string;
  /** null in events of batch jobs and of the customer database. */
  readonly loyaltyEventId: string | null;
  /** Ledger key, only in points events. */
  readonly eventLogId?: number;
}

/** Generates the events of one name. Each event updates its customer. */
export interface EventTemplate {
  /** Whether the customer can have this event. */
  readonly fits: (customer: Customer) => boolean;
  /** Changes the customer so that it fits, as if an earlier event had been lost. */
  readonly prepare: (customer: Customer) => void;
  readonly make: (context: EventContext) => EventContent;
}

/** A template for an event that every customer can have. */
export function forAnyCustomer(make: EventTemplate['make']): EventTemplate {
  return {
    fits: () => true,
    prepare: () => undefined,
    make,
  };
}

// Objects that Capillary's events share, for an invented brand
// (docs/platforms/capillary.md#shared-objects).

export const PROGRAM_ID = 4_102;
const TIERS = ['Leaf', 'Bloom', 'Canopy', 'Evergreen'];
export const TOP_TIER = TIERS.length;

/** India's time zone, where the brand's stores are. */
const ZONE_OFFSET_MS = 5.5 * 3_600_000;
const DAY_MS = 86_400_000;

const STORES = ['indiranagar', 'juhu', 'salt-lake', 'banjara'];

export function storeOf(random: Random): JsonObject {
  const place = randomOf(random, STORES);
  const till = `tl.${place}.${randomInteger(random, 1, 4)}`;
  return {
    id: 9_000 + STORES.indexOf(place),
    till: { code: till, name: till },
    store: {
      code: `tl.${place}`,
      name: `Tealeaf ${place}`,
      externalId: `TL-${place.toUpperCase()}`,
      externalId1: '',
      externalId2: '',
    },
  };
}

export function programDetails(): JsonObject {
  return {
    id: PROGRAM_ID,
    name: 'TealeafRewards',
    isDefault: true,
    pointsToCurrencyRatio: 0.5,
    tiers: TIERS.map((tierName, index) => ({ tierNumber: index + 1, tierName })),
  };
}

export function identifiers(customer: Customer): JsonObject {
  return {
    customerId: customer.customerId,
    instore: {
      mobile: customer.mobile,
      email: customer.email,
      externalId: customer.externalId,
      cardNumbers: [customer.cardNumber],
    },
  };
}

/** The identifiers in events of batch jobs. */
export function bareIdentifiers(customer: Customer): JsonObject {
  return { customerId: customer.customerId };
}

export function userEntity(customer: Customer): JsonObject {
  return {
    entityType: 'USER',
    entityId: customer.customerId,
  };
}

/** The local day, `YYYY-MM-DD`. */
export function localDay(at: number): string {
  return new Date(at + ZONE_OFFSET_MS).toISOString().slice(0, 10);
}

/** The last second of the local day `days` after `at`. */
export function endOfDay(at: number, days: number): number {
  const start = Math.floor((at + ZONE_OFFSET_MS) / DAY_MS) * DAY_MS - ZONE_OFFSET_MS;
  return start + (days + 1) * DAY_MS - 1_000;
}

/** A date field as a day and in milliseconds (docs/platforms/capillary.md#dates-inside-data). */
export function dated(name: string, at: number): JsonObject {
  return {
    [name]: localDay(at),
    [`${name}InMillis`]: at,
  };
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** An id of the loyalty engine: ten letters or digits. */
export function loyaltyId(random: Random): string {
  return Array.from({ length: 10 }, () => LETTERS[randomInteger(random, 0, LETTERS.length - 1)]).join('');
}

/** An amount with two decimals. */
export function money(random: Random, min: number, max: number): number {
  return randomInteger(random, min * 100, max * 100) / 100;
}
