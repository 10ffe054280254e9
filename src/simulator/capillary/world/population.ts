import { type Random, randomInteger, randomOf } from '../../random.ts';
import type { World } from './world.ts';
import type { WorldCustomer } from './world-customer.ts';

/** The customers that events are about. */
export interface Population {
  /** A customer that fits; if none does, one is replaced by a member who does. */
  choose(at: number, fits: (customer: WorldCustomer) => boolean): WorldCustomer;
  /** Another customer; a new one if there is no other. */
  other(at: number, customer: WorldCustomer): WorldCustomer;
  /** Replaces the customer with another member, who never was in the population. */
  replace(at: number, customer: WorldCustomer): void;
  /** A customer who registers at this moment, in a free place or instead of someone. */
  register(at: number): WorldCustomer;
}

/** Members who are created until one fits; about a third of them fits any condition. */
const MAX_CREATED = 200;

/**
 * @param size number of customers at a time: those who are in the world, then new members, who are
 *   created when they are chosen
 */
export function createPopulation(world: World, size: number, random: Random): Population {
  const places: (WorldCustomer | undefined)[] = [];
  for (const customer of world.customers.values()) {
    if (places.length >= size) break;
    if (customer.state === 'live') places.push(customer);
  }
  let used = places.length;
  places.length = Math.max(1, size);

  const put = (place: number, customer: WorldCustomer): WorldCustomer => {
    if (places[place] === undefined) used += 1;
    places[place] = customer;
    return customer;
  };

  const at = (place: number, now: number): WorldCustomer => {
    const found = places[place];
    // Events of another run may have merged or erased the customer meanwhile.
    if (found?.state === 'live') return found;
    return put(place, world.addMember(now));
  };

  return {
    choose: (now, fits) => {
      const start = randomInteger(random, 0, places.length - 1);
      for (let step = 0; step < places.length; step += 1) {
        const candidate = at((start + step) % places.length, now);
        if (fits(candidate)) return candidate;
      }
      for (let created = 0; created < MAX_CREATED; created += 1) {
        const member = put(start, world.addMember(now));
        if (fits(member)) return member;
      }
      throw new RangeError('no member fits');
    },
    other: (now, customer) => {
      const others = places.filter((candidate) => candidate?.state === 'live' && candidate !== customer);
      return others.length > 0 ? (randomOf(random, others) ?? world.addMember(now)) : world.addMember(now);
    },
    replace: (now, customer) => {
      places[places.indexOf(customer)] = world.addMember(now);
    },
    register: (now) => {
      const customer = world.register(now);
      let place = randomInteger(random, 0, places.length - 1);
      // Nobody has to go while there is a free place.
      if (used < places.length) while (places[place] !== undefined) place = (place + 1) % places.length;
      put(place, customer);
      return customer;
    },
  };
}
