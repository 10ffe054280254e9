import { FAMILIES } from '../../../src/mapping/families/index.ts';
import { type GeneratedEvent, makeEvents } from '../../../src/simulator/capillary/capillary-events.ts';
import { type Random, shuffled } from '../../../src/simulator/random.ts';

/** Share of posts that repeat an earlier event. */
const DUPLICATE_SHARE = 0.1;
/** Number of recent events that may be repeated. */
const RECENT_EVENTS = 200;
/** Share of repeats that follow immediately, while the first copy may still be in flight. */
const IMMEDIATE_REPEAT_SHARE = 0.3;

/**
 * Number of customers in a group with merges. They belong to no other group, so that no customer is
 * merged twice, or merged and deleted.
 */
const MERGING_CUSTOMERS = 5;
/** All names except the one that can report a deletion. */
const NAMES_WITHOUT_DELETION = [...FAMILIES.keys()].filter((name) => name !== 'customerUpdated');

/** Events of many customers, of a few busy ones, and of every name that the mapping knows. */
function mixedGroup(seed: number, orgId: number): GeneratedEvent[] {
  const common = { now: Date.now() - 1_000, orgId, stepMs: 10 };
  return [
    ...makeEvents({ ...common, seed, count: 60, customers: 150 }),
    ...makeEvents({ ...common, seed: seed + 1, count: 20, customers: 3 }),
    ...makeEvents({ ...common, seed: seed + 2, count: 15, customers: 30, names: [...FAMILIES.keys()] }),
  ];
}

/** The numbers of customers in ids, phone numbers, external ids, cards and e-mail addresses. */
const CUSTOMER_NUMBERS = [
  /(?<=\b52)00000(\d\d)\b/gu,
  /(?<=\b91980)00000(\d\d)\b/gu,
  /(?<=\bTL-)00000(\d\d)\b/gu,
  /(?<=\b707000000)00000(\d\d)\b/gu,
  /(?<=\.)(\d\d?)(?=@example\.org)/gu,
];

/**
 * Events of a few customers, some of whom are merged. `round` makes their ids and contacts unique:
 * a contact of many customers identifies none of them.
 */
function mergingGroup(seed: number, orgId: number, round: number): GeneratedEvent[] {
  const common = {
    now: Date.now() - 1_000,
    orgId,
    stepMs: 10,
    names: NAMES_WITHOUT_DELETION,
    awkward: 0.4,
  };
  const inRound = (body: string, pattern: RegExp): string =>
    body.replaceAll(pattern, (_, number: string) => String(1_000_000 + round * 100 + Number(number)));
  return makeEvents({ ...common, seed, count: 30, customers: MERGING_CUSTOMERS }).map((event) => ({
    ...event,
    body: CUSTOMER_NUMBERS.reduce(inRound, event.body),
  }));
}

/** Endless bodies to post: new events in random order, mixed with repeats of recent ones. */
export function* eventStream(random: Random, seed: number, orgId: number): Generator<string> {
  let recent: string[] = [];
  for (let round = 0; ; round += 1) {
    const first = seed * 1_000_003 + round * 4;
    const events = [
      ...mixedGroup(first, orgId).filter(({ name }) => name !== 'loyaltyCustomerMerge'),
      ...mergingGroup(first + 3, orgId, round),
    ];
    for (const { body } of shuffled(random, events)) {
      recent = [...recent.slice(-RECENT_EVENTS), body];
      yield body;
      while (random() < DUPLICATE_SHARE) {
        const index =
          random() < IMMEDIATE_REPEAT_SHARE ? recent.length - 1 : Math.floor(random() * recent.length);
        yield recent[index]!;
      }
    }
  }
}
