import type { JsonObject } from '../../capillary/json.ts';
import { type Random, randomInteger } from '../random.ts';
import { localDay, type Program, type Till } from './world/brand.ts';
import type { World } from './world/world.ts';
import type { WorldCustomer } from './world/world-customer.ts';

export interface EventContext {
  readonly random: Random;
  /** `createdAt`, epoch ms. */
  readonly at: number;
  /** Unique in the world. */
  readonly serial: number;
  readonly customer: WorldCustomer;
  readonly world: World;
  /** Share of points events about another program than the default one, for its members. */
  readonly clubShare: number;
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
  /** Names of the events of the same customer that this one causes. */
  readonly followUps?: readonly string[];
}

/** Generates the events of one name. Each event is a change of the world. */
export interface EventTemplate {
  /** Whether the customer can have this event. */
  readonly fits: (customer: WorldCustomer, at: number) => boolean;
  /** Whether the event is about someone who has just registered. */
  readonly isRegistration?: boolean;
  readonly make: (context: EventContext) => EventContent;
}

/** A template for an event that every customer can have. */
export function forAnyCustomer(make: EventTemplate['make']): EventTemplate {
  return { fits: () => true, make };
}

// Objects that Capillary's events share (docs/platforms/capillary.md#shared-objects).

export function enteredBy({ id, code, store }: Till): JsonObject {
  return {
    id,
    till: { code, name: code },
    store: {
      code: store.code,
      name: store.name,
      externalId: store.externalId,
      externalId1: '',
      externalId2: '',
    },
  };
}

export function programDetails(program: Program): JsonObject {
  return {
    id: program.id,
    name: program.name,
    isDefault: program.isDefault,
    pointsToCurrencyRatio: program.pointsToCurrencyRatio,
    tiers: program.tiers.map(({ number, name }) => ({ tierNumber: number, tierName: name })),
  };
}

export function identifiers(customer: WorldCustomer): JsonObject {
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
export function bareIdentifiers(customer: WorldCustomer): JsonObject {
  return { customerId: customer.customerId };
}

export function userEntity(customer: WorldCustomer): JsonObject {
  return {
    entityType: 'USER',
    entityId: customer.customerId,
  };
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
