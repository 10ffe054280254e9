import { createRandom, type Random, randomInteger, randomOf } from '../../random.ts';
import {
  advanceBill,
  type Bill,
  createBill,
  createReturn,
  type NewBill,
  returnableLines,
} from './world-bill.ts';
import { DEFAULT_PROGRAM, endOfDay } from './brand.ts';
import { addHistory, enrol } from './member-history.ts';
import { issuePoints, type LedgerEntry, mergeAccounts, type PointsAccount } from './points-account.ts';
import { accountOf, createCustomer, type WorldCustomer } from './world-customer.ts';

export interface NewWorld {
  /** The same seed makes the same customers; default 1. */
  readonly seed?: number;
  /** Capillary's organisation. */
  readonly orgId: number;
  /**
   * Whether everything can be read later; else only what further events need is kept, which many
   * events of many customers need. Default true.
   */
  readonly keepsHistory?: boolean;
  /** Share of bills with another outlier status than NORMAL; default 0. */
  readonly outliers?: number;
}

/** One brand's customers, bills and points, as Capillary knows them. */
export interface World {
  readonly orgId: number;
  readonly seed: number;
  readonly keepsHistory: boolean;
  /** By customer id, also merged and erased ones. */
  readonly customers: ReadonlyMap<number, WorldCustomer>;
  /** By transaction id. */
  readonly bills: ReadonlyMap<number, Bill>;
  /** A number that no other call returns. */
  nextSerial(): number;
  /** Someone who has been a member for some time. */
  addMember(at: number): WorldCustomer;
  /** Someone who registers at this moment. */
  register(at: number): WorldCustomer;
  addBill(customer: WorldCustomer, at: number, random: Random): Bill;
  /** @throws RangeError if the customer has nothing to return */
  returnBill(customer: WorldCustomer, at: number, random: Random): Bill;
  updateBill(bill: Bill, at: number): void;
  recordLedger(account: PointsAccount, entry: LedgerEntry): void;
  /** The victim's bills and points become the survivor's. */
  merge(survivor: WorldCustomer, victim: WorldCustomer, at: number): void;
  /** Takes identifiers from a merged customer and returns them by type. */
  release(victim: WorldCustomer): Readonly<Record<string, string>>;
  /** Forgets who the customer was; id, bills and points stay. */
  erase(customer: WorldCustomer, at: number): void;
}

const DAY_MS = 86_400_000;
const FIRST_TRANSACTION_ID = 3_100_000_000;
/** Of an earlier bill of a member. */
const BILL_POINTS_DAYS = 365;

interface Store {
  readonly customers: Map<number, WorldCustomer>;
  readonly bills: Map<number, Bill>;
  readonly keepsHistory: boolean;
  readonly outliers: number;
  readonly nextId: () => number;
  billCount: number;
}

function keepBill(store: Store, customer: WorldCustomer, bill: Bill): Bill {
  if (!store.keepsHistory) customer.bills.length = 0;
  customer.bills.push(bill);
  if (store.keepsHistory) store.bills.set(bill.id, bill);
  return bill;
}

function newBill(store: Store, { customerId }: WorldCustomer, at: number, random: Random): NewBill {
  store.billCount += 1;
  const { outliers, billCount } = store;
  return { id: FIRST_TRANSACTION_ID + billCount, customerId, at, random, outliers };
}

function addBill(store: Store, customer: WorldCustomer, at: number, random: Random): Bill {
  const bill = createBill(newBill(store, customer, at, random));
  accountOf(customer).purchases += bill.amount;
  return keepBill(store, customer, bill);
}

function returnBill(store: Store, customer: WorldCustomer, at: number, random: Random): Bill {
  const original = randomOf(
    random,
    customer.bills.filter((bill) => returnableLines(bill).length > 0),
  );
  const bill = createReturn(newBill(store, customer, at, random), original);
  accountOf(customer).purchases -= bill.amount;
  return keepBill(store, customer, bill);
}

/** Share of members with promised points whose date has come. */
const PROMISE_SHARE = 0.5;
const PROMISED_POINTS = 12;

function promisePoints(customer: WorldCustomer, { id }: Bill, at: number): void {
  accountOf(customer).promised.push({
    points: PROMISED_POINTS,
    convertsAt: endOfDay(at, -1),
    billId: id,
  });
}

/** Some bills before the world began, whose points were issued at once. */
function addEarlierBills(store: Store, customer: WorldCustomer, at: number, random: Random): void {
  const count = store.keepsHistory ? randomInteger(random, 1, 3) : 1;
  for (let index = count; index > 0; index -= 1) {
    const billedAt = at - index * 40 * DAY_MS - randomInteger(random, 0, DAY_MS);
    const bill = addBill(store, customer, billedAt, random);
    issuePoints(accountOf(customer), {
      id: store.nextId(),
      kind: 'bill_regular',
      issued: bill.unissuedPoints,
      awardedAt: billedAt,
      expiresAt: endOfDay(billedAt, BILL_POINTS_DAYS),
      billId: bill.id,
    });
    bill.unissuedPoints = 0;
    if (index === 1 && random() < PROMISE_SHARE) promisePoints(customer, bill, at);
  }
}

function mergeCustomers(survivor: WorldCustomer, victim: WorldCustomer, at: number): void {
  for (const account of victim.accounts.splice(0)) {
    const own = survivor.accounts.find(({ program }) => program.id === account.program.id);
    if (own) mergeAccounts(own, account);
    else survivor.accounts.push(account);
  }
  const bills = victim.bills.splice(0);
  for (const bill of bills) bill.customerId = survivor.customerId;
  survivor.bills.push(...bills);
  survivor.bills.sort((a, b) => a.billedAt - b.billedAt);
  survivor.modifiedAt = at;
  Object.assign(victim, { state: 'merged', mergedInto: survivor.customerId, mergedAt: at, modifiedAt: at });
}

const NO_IDENTIFIERS = { mobile: '', email: '', externalId: '', cardNumber: '' };

/** Members join up to four years before the world begins. */
const MAX_MEMBER_DAYS = 1_500;
const MIN_MEMBER_DAYS = 200;

export function createWorld({ seed = 1, orgId, keepsHistory = true, outliers = 0 }: NewWorld): World {
  let serial = 0;
  let lastId = 88_000_000;
  const store: Store = {
    customers: new Map(),
    bills: new Map(),
    keepsHistory,
    outliers,
    nextId: () => (lastId += 1),
    billCount: 0,
  };
  let customerCount = 0;

  /** Customers do not depend on what happened before they were created. */
  const create = (joinedAt: (random: Random) => number): [WorldCustomer, Random] => {
    customerCount += 1;
    const random = createRandom(seed * 7_919 + customerCount);
    const customer = createCustomer(customerCount, joinedAt(random), random);
    if (keepsHistory) store.customers.set(customer.customerId, customer);
    return [customer, random];
  };

  return {
    orgId,
    seed,
    keepsHistory,
    customers: store.customers,
    bills: store.bills,
    nextSerial: () => (serial += 1),
    addMember: (at) => {
      const [customer, random] = create(
        (own) => at - randomInteger(own, MIN_MEMBER_DAYS, MAX_MEMBER_DAYS) * DAY_MS,
      );
      addHistory(customer, { random, at, nextId: store.nextId });
      addEarlierBills(store, customer, at, random);
      return customer;
    },
    register: (at) => {
      const [customer] = create(() => at);
      enrol(customer, DEFAULT_PROGRAM, at, store.nextId);
      return customer;
    },
    addBill: (customer, at, random) => addBill(store, customer, at, random),
    returnBill: (customer, at, random) => returnBill(store, customer, at, random),
    updateBill: advanceBill,
    recordLedger: (account, entry) => {
      if (keepsHistory) account.ledger.push(entry);
    },
    merge: (survivor, victim, at) => mergeCustomers(survivor, victim, at),
    release: (victim) => {
      const { mobile, email, externalId } = victim;
      Object.assign(victim, NO_IDENTIFIERS);
      return { mobile, email, externalId };
    },
    erase: (customer, at) => {
      Object.assign(customer, NO_IDENTIFIERS, {
        state: 'erased',
        modifiedAt: at,
        firstName: '',
        lastName: '',
      });
    },
  };
}
