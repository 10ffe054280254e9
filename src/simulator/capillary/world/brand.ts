/** A tier of a program. */
export interface Tier {
  /** From 1. */
  readonly number: number;
  readonly name: string;
  readonly description: string;
  /** Lifetime points from which on a member belongs to it. */
  readonly threshold: number;
}

export interface Program {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  /** Value of a point in the base currency. */
  readonly pointsToCurrencyRatio: number;
  readonly isDefault: boolean;
  /** Lowest first. */
  readonly tiers: readonly [Tier, ...Tier[]];
}

export interface Till {
  readonly id: number;
  readonly code: string;
  readonly store: Store;
  /** Whether its bills have the gross value of each line; others send 0. */
  readonly sendsLineValue: boolean;
  /** Whether its lines have names; others have codes only. */
  readonly sendsNames: boolean;
  /** Whether its bills say in which time zone they were made. */
  readonly sendsOffset: boolean;
}

export interface Store {
  readonly id: number;
  readonly code: string;
  readonly name: string;
  readonly externalId: string;
  readonly city: string;
}

export interface Product {
  readonly sku: string;
  readonly name: string;
  /** Price of one, or of a kilogram, in whole units of the base currency. */
  readonly price: number;
  /** Sold by weight: quantities have decimals. */
  readonly isWeighed: boolean;
  readonly category: string;
}

export interface Currency {
  readonly id: number;
  readonly name: string;
  readonly symbol: string;
  readonly isoCode: string;
  /** Value of one unit in the base currency. */
  readonly ratio: number;
}

/** Everything that the brand sells, and where, is invented. */
export const DEFAULT_PROGRAM: Program = {
  id: 4_102,
  name: 'TealeafRewards',
  description: 'Points for every cup',
  pointsToCurrencyRatio: 0.5,
  isDefault: true,
  tiers: [
    { number: 1, name: 'Leaf', description: 'Everyone', threshold: 0 },
    { number: 2, name: 'Bloom', description: 'From 500 points', threshold: 500 },
    { number: 3, name: 'Canopy', description: 'From 1500 points', threshold: 1_500 },
    { number: 4, name: 'Evergreen', description: 'From 3000 points', threshold: 3_000 },
  ],
};

/** Its members are some of those of the default program. */
export const CLUB_PROGRAM: Program = {
  id: 4_103,
  name: 'TealeafTastingClub',
  description: 'Points for tastings',
  pointsToCurrencyRatio: 1,
  isDefault: false,
  tiers: [
    { number: 1, name: 'Taster', description: 'Everyone', threshold: 0 },
    { number: 2, name: 'Sommelier', description: 'From 400 points', threshold: 400 },
  ],
};

export const PROGRAMS: readonly Program[] = [DEFAULT_PROGRAM, CLUB_PROGRAM];

const PLACES = [
  ['indiranagar', 'Bengaluru'],
  ['juhu', 'Mumbai'],
  ['salt-lake', 'Kolkata'],
  ['banjara', 'Hyderabad'],
] as const;

const TILLS_PER_STORE = 4;

export const STORES: readonly Store[] = PLACES.map(([place, city], index) => ({
  id: 8_200 + index,
  code: `tl.${place}`,
  name: `Tealeaf ${place}`,
  externalId: `TL-${place.toUpperCase()}`,
  city,
}));

export const TILLS: readonly Till[] = STORES.flatMap((store, index) =>
  Array.from({ length: TILLS_PER_STORE }, (_, till) => ({
    id: 9_000 + index * 10 + till + 1,
    code: `${store.code}.${till + 1}`,
    store,
    sendsLineValue: till !== TILLS_PER_STORE - 1,
    sendsNames: till !== TILLS_PER_STORE - 2,
    sendsOffset: till !== 0,
  })),
);

export const PRODUCTS: readonly Product[] = [
  { sku: 'TL-ASM-1', name: 'Assam second flush', price: 1_200, isWeighed: true, category: 'black' },
  { sku: 'TL-NIL-1', name: 'Nilgiri frost', price: 960, isWeighed: true, category: 'black' },
  { sku: 'TL-OOL-1', name: 'Oolong, roasted', price: 1_840, isWeighed: true, category: 'oolong' },
  { sku: 'TL-GRN-1', name: 'Green tea, 20 bags', price: 240, isWeighed: false, category: 'green' },
  { sku: 'TL-CHA-1', name: 'Masala chai, 500 g', price: 320, isWeighed: false, category: 'blend' },
  { sku: 'TL-POT-1', name: 'Teapot, cast iron', price: 1_450, isWeighed: false, category: 'ware' },
  { sku: 'TL-CUP-1', name: 'Cup, hand-thrown', price: 180, isWeighed: false, category: 'ware' },
  { sku: 'TL-STR-1', name: 'Strainer', price: 90, isWeighed: false, category: 'ware' },
];

/** Means of payment, with the organisation's ids. */
export const TENDERS = [
  { mode: 'Cash', id: 3_301 },
  { mode: 'Card', id: 3_302 },
  { mode: 'UPI', id: 3_303 },
] as const;

export const BASE_CURRENCY: Currency = {
  id: 44,
  name: 'Indian Rupee',
  symbol: '₹',
  isoCode: 'INR',
  ratio: 1,
};

/** In which some bills are paid. */
export const FOREIGN_CURRENCY: Currency = {
  id: 45,
  name: 'UAE dirham',
  symbol: 'د.إ',
  isoCode: 'AED',
  ratio: 25,
};

export const CARD_SERIES = { id: 3, code: 'TL', name: 'Tealeaf card' };

/** Where the stores are. */
export const ZONE = { name: 'Asia/Kolkata', id: 12, offset: '+05:30', offsetMs: 5.5 * 3_600_000 };

const DAY_MS = 86_400_000;

/** The local day, `YYYY-MM-DD`. */
export function localDay(at: number): string {
  return new Date(at + ZONE.offsetMs).toISOString().slice(0, 10);
}

/** The last second of the local day `days` after `at`. */
export function endOfDay(at: number, days: number): number {
  const start = Math.floor((at + ZONE.offsetMs) / DAY_MS) * DAY_MS - ZONE.offsetMs;
  return start + (days + 1) * DAY_MS - 1_000;
}

/** @throws RangeError if the program has no such tier */
export function tierOf(program: Program, number: number): Tier {
  const tier = program.tiers[number - 1];
  if (tier === undefined) throw new RangeError(`${program.name} has no tier ${number}`);
  return tier;
}

/** The tier that lifetime points are enough for. */
export function earnedTier(program: Program, lifetimePoints: number): Tier {
  return program.tiers.findLast(({ threshold }) => lifetimePoints >= threshold) ?? program.tiers[0];
}
