import { type Random, randomInteger, randomOf } from '../../random.ts';
import type { Bill } from './world-bill.ts';
import { DEFAULT_PROGRAM, type Till, TILLS } from './brand.ts';
import type { PointsAccount } from './points-account.ts';

/** A consent, as `subscriptions` in answers has it. */
export interface Subscription {
  readonly channel: 'EMAIL' | 'SMS' | 'WHATSAPP';
  readonly priority: 'BULK' | 'TRANS';
  isOptedIn: boolean;
}

/** An entry of a customer's log of loyalty events. */
export interface LoyaltyLogEntry {
  readonly id: number;
  readonly at: number;
  readonly eventName: string;
  /** The event's `loyaltyEventId`. */
  readonly uniqueId: string;
}

/** What identifies a customer. Merges and erasures release it. */
export interface CustomerIdentity {
  readonly firstName: string;
  readonly lastName: string;
  readonly mobile: string;
  readonly email: string;
  readonly externalId: string;
  readonly cardNumber: string;
}

/** A customer of the brand. Events change it, so that it always agrees with them. */
export interface WorldCustomer extends CustomerIdentity {
  readonly customerId: number;
  readonly gender: string;
  readonly birthDay: string;
  readonly favouriteTea: string;
  readonly language: string;
  readonly joinedAt: number;
  /** Of the registration. */
  readonly till: Till;
  /** One for each program that the customer is a member of, the default program first. */
  readonly accounts: PointsAccount[];
  /** Oldest first. */
  readonly bills: Bill[];
  readonly subscriptions: readonly Subscription[];
  readonly loyaltyLog: LoyaltyLogEntry[];
  modifiedAt: number;
  isActive: boolean;
  statusChangedAt: number;
  state: 'live' | 'merged' | 'erased';
  /** Of a merged customer: the survivor's id. */
  mergedInto?: number;
  mergedAt?: number;
}

const FIRST_NAMES = ['Tara', 'Ishaan', 'Meher', 'Ravi', 'Zoya', 'Kabir', 'Nila', 'Dev', 'Leela', 'Arjun'];
const LAST_NAMES = ['Bhasin', 'Kotwal', 'Menon', 'Sarkar', 'Dutta', 'Pillai', 'Grewal', 'Nair'];

const FIRST_CUSTOMER_ID = 520_000_000;

function identityOf(number: number, random: Random): CustomerIdentity {
  const firstName = randomOf(random, FIRST_NAMES);
  const lastName = randomOf(random, LAST_NAMES);
  return {
    firstName,
    lastName,
    mobile: `9198${String(number).padStart(8, '0')}`,
    email: `${firstName}.${lastName}.${number}@example.org`.toLowerCase(),
    externalId: `TL-${String(number).padStart(7, '0')}`,
    cardNumber: `7070${String(number).padStart(12, '0')}`,
  };
}

function createSubscriptions(random: Random): Subscription[] {
  return [
    { channel: 'EMAIL', priority: 'BULK', isOptedIn: random() < 0.8 },
    { channel: 'EMAIL', priority: 'TRANS', isOptedIn: true },
    { channel: 'SMS', priority: 'BULK', isOptedIn: random() < 0.6 },
    { channel: 'SMS', priority: 'TRANS', isOptedIn: true },
    { channel: 'WHATSAPP', priority: 'BULK', isOptedIn: random() < 0.4 },
  ];
}

function randomBirthDay(random: Random): string {
  const day = Date.UTC(randomInteger(random, 1950, 2005), 0, randomInteger(random, 1, 365));
  return new Date(day).toISOString().slice(0, 10);
}

/**
 * A customer without accounts, bills and points. Phone numbers are in India's mobile range, e-mail
 * addresses in a reserved domain.
 *
 * @param number from 1, unique in the world
 */
export function createCustomer(number: number, joinedAt: number, random: Random): WorldCustomer {
  return {
    customerId: FIRST_CUSTOMER_ID + number,
    ...identityOf(number, random),
    gender: randomOf(random, ['Female', 'Male', 'Other']),
    birthDay: randomBirthDay(random),
    favouriteTea: randomOf(random, ['assam', 'nilgiri', 'oolong']),
    language: 'en',
    joinedAt,
    till: randomOf(random, TILLS),
    accounts: [],
    bills: [],
    subscriptions: createSubscriptions(random),
    loyaltyLog: [],
    modifiedAt: joinedAt,
    isActive: true,
    statusChangedAt: joinedAt,
    state: 'live',
  };
}

/** @throws RangeError if the customer is not a member of the program */
export function accountOf(
  { accounts, customerId }: WorldCustomer,
  programId = DEFAULT_PROGRAM.id,
): PointsAccount {
  const account = accounts.find(({ program }) => program.id === programId);
  if (account === undefined) throw new RangeError(`${customerId} is not a member of program ${programId}`);
  return account;
}
