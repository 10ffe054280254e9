import { type Random, randomInteger, randomOf } from '../random.ts';

/** A loyalty member. Events update its points and tier, so that they stay consistent. */
export interface Customer {
  readonly customerId: number;
  readonly firstName: string;
  readonly lastName: string;
  readonly mobile: string;
  readonly email: string;
  readonly externalId: string;
  readonly cardNumber: string;
  readonly gender: string;
  points: number;
  lifetimePoints: number;
  /** From 1 to the number of tiers. */
  tier: number;
  isActive: boolean;
  isRegistered: boolean;
}

const FIRST_NAMES = ['Tara', 'Ishaan', 'Meher', 'Ravi', 'Zoya', 'Kabir', 'Nila', 'Dev', 'Leela', 'Arjun'];
const LAST_NAMES = ['Bhasin', 'Kotwal', 'Menon', 'Sarkar', 'Dutta', 'Pillai', 'Grewal', 'Nair'];

const FIRST_CUSTOMER_ID = 520_000_000;

/** Phone numbers are in India's mobile range, e-mail addresses in a reserved domain. */
function createCustomer(number: number, random: Random): Customer {
  const firstName = randomOf(random, FIRST_NAMES);
  const lastName = randomOf(random, LAST_NAMES);
  const points = randomInteger(random, 50, 900);
  return {
    customerId: FIRST_CUSTOMER_ID + number,
    firstName,
    lastName,
    mobile: `9198${String(number).padStart(8, '0')}`,
    email: `${firstName}.${lastName}.${number}@example.org`.toLowerCase(),
    externalId: `TL-${String(number).padStart(7, '0')}`,
    cardNumber: `7070${String(number).padStart(12, '0')}`,
    gender: randomOf(random, ['Female', 'Male', 'Other']),
    points,
    lifetimePoints: points + randomInteger(random, 0, 2_000),
    tier: randomInteger(random, 1, 4),
    isActive: true,
    isRegistered: false,
  };
}

/** The customers that events are about. */
export interface Population {
  /** A customer that fits; if none does, one that `prepare` has changed, or a new one. */
  choose(fits: (customer: Customer) => boolean, prepare: (customer: Customer) => void): Customer;
  /** Another customer; a new one if there is no other. */
  other(customer: Customer): Customer;
  /** Replaces the customer with a new one, which it returns. */
  replace(customer: Customer): Customer;
}

export function createPopulation(size: number, random: Random): Population {
  let created = 0;
  const create = (): Customer => {
    created += 1;
    return createCustomer(created, random);
  };
  const customers = Array.from({ length: Math.max(1, size) }, create);

  const replace = (customer: Customer): Customer => {
    const newcomer = create();
    customers[customers.indexOf(customer)] = newcomer;
    return newcomer;
  };

  return {
    choose: (fits, prepare) => {
      const start = randomInteger(random, 0, customers.length - 1);
      for (let step = 0; step < customers.length; step += 1) {
        const candidate = customers[(start + step) % customers.length];
        if (candidate && fits(candidate)) return candidate;
      }
      const customer = randomOf(random, customers);
      prepare(customer);
      // `prepare` cannot always help: a customer registers only once.
      return fits(customer) ? customer : replace(customer);
    },
    other: (customer) => {
      const others = customers.filter((candidate) => candidate !== customer);
      return others.length > 0 ? randomOf(random, others) : create();
    },
    replace,
  };
}
