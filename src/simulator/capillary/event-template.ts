import type { JsonObject } from '../../capillary/json.ts';
import { type Random, randomInteger, randomOf } from '../random.ts';
import type { Customer } from './simulated-customer.ts';

/** What one event is made from. */
export interface EventContext {
  readonly random: Random;
  /** `createdAt`, epoch ms. */
  readonly at: number;
  /** Different for each event of a run. */
  readonly serial: number;
  readonly customer: Customer;
}

/** An event before it gets its envelope. */
export interface EventContent {
  readonly data: JsonObject;
  /** What `refId` names besides the organisation. */
  readonly ref: string;
  /** null for events of batch jobs and of the customer database. */
  readonly loyaltyEventId: string | null;
  /** Ledger key of points events. */
  readonly eventLogId?: number;
}

/** How events of one name are made. Making one changes the customer accordingly. */
export interface EventTemplate {
  /** Whether the event can happen to the customer. */
  readonly fits: (customer: Customer) => boolean;
  /** Makes it possible, as if an event in between had gone missing. */
  readonly mend: (customer: Customer) => void;
  readonly make: (context: EventContext) => EventContent;
}

/** A template for an event that can happen to anybody. */
export function anybody(make: EventTemplate['make']): EventTemplate {
  return {
    fits: () => true,
    mend: () => undefined,
    make,
  };
}

/** Sub-objects that Capillary's events share (reference: capillary.md §4.2, §5), filled with a brand that does not exist. */

export const PROGRAM_ID = 4_102;
const TIERS = ['Leaf', 'Bloom', 'Canopy', 'Evergreen'];
export const TOP_TIER = TIERS.length;

/** The brand's stores are in India. */
const OFFSET_MS = 5.5 * 3_600_000;
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

/** What batch jobs say of a customer. */
export function bareIdentifiers(customer: Customer): JsonObject {
  return { customerId: customer.customerId };
}

export function userEntity(customer: Customer): JsonObject {
  return {
    entityType: 'USER',
    entityId: customer.customerId,
  };
}

/** The local day of a time as `YYYY-MM-DD`. */
export function localDay(at: number): string {
  return new Date(at + OFFSET_MS).toISOString().slice(0, 10);
}

/** The last second of the local day that lies `days` after `at`. */
export function endOfDay(at: number, days: number): number {
  const start = Math.floor((at + OFFSET_MS) / DAY_MS) * DAY_MS - OFFSET_MS;
  return start + (days + 1) * DAY_MS - 1_000;
}

/** A date-only string and its shadow in milliseconds (reference: capillary.md §2.3). */
export function dated(name: string, at: number): JsonObject {
  return {
    [name]: localDay(at),
    [`${name}InMillis`]: at,
  };
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** A loyalty-engine id: ten letters or digits. */
export function loyaltyId(random: Random): string {
  return Array.from({ length: 10 }, () => LETTERS[randomInteger(random, 0, LETTERS.length - 1)]).join('');
}

/** Money with two digits. */
export function money(random: Random, min: number, max: number): number {
  return randomInteger(random, min * 100, max * 100) / 100;
}
