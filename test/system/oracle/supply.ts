import { FAMILIES } from '../../../src/mapping/families/families.ts';
import { type GeneratedEvent, makeEvents } from '../../../src/simulator/capillary-events.ts';
import { type Random, shuffled } from '../../../src/simulator/random.ts';

/** Share of posts that are an event sent before. */
const DUPLICATES = 0.1;
/** Events that may be sent again. */
const REMEMBERED = 200;

/** Customers of a portion with merges. They are of no other portion: nobody is merged twice, or deleted too. */
const MERGING = 5;
/** All but the one that can tell of a deletion. */
const NAMES = [...FAMILIES.keys()].filter((name) => name !== 'customerUpdated');

/** Events of many customers, of a hot few, and of every name that the mapping knows. */
const portion = (seed: number, orgId: number): GeneratedEvent[] => {
  const common = { now: Date.now() - 1_000, orgId, stepMs: 10 };
  return [
    ...makeEvents({ ...common, seed, count: 60, customers: 150 }),
    ...makeEvents({ ...common, seed: seed + 1, count: 20, customers: 3 }),
    ...makeEvents({ ...common, seed: seed + 2, count: 15, customers: 30, names: [...FAMILIES.keys()] }),
  ];
};

/** Events of a few customers who are merged now and then, `round` telling them from those of other rounds. */
const merging = (seed: number, orgId: number, round: number): GeneratedEvent[] => {
  const common = { now: Date.now() - 1_000, orgId, stepMs: 10, names: NAMES, awkward: 0.4 };
  return makeEvents({ ...common, seed, count: 30, customers: MERGING }).map((event) => ({
    ...event,
    body: event.body.replaceAll(/\b5200000(\d\d)/gu, (_, number: string) =>
      String(521_000_000 + round * 100 + Number(number)),
    ),
  }));
};

/** Bodies to post, without end: new events in disorder, now and then one of the last again. */
export function* supply(random: Random, seed: number, orgId: number): Generator<string> {
  let recent: string[] = [];
  for (let round = 0; ; round += 1) {
    const first = seed * 1_000_003 + round * 4;
    const events = [
      ...portion(first, orgId).filter(({ name }) => name !== 'loyaltyCustomerMerge'),
      ...merging(first + 3, orgId, round),
    ];
    for (const { body } of shuffled(random, events)) {
      recent = [...recent.slice(-REMEMBERED), body];
      yield body;
      while (random() < DUPLICATES) {
        // The very same again while the first is under way, or an older one.
        const place = random() < 0.3 ? recent.length - 1 : Math.floor(random() * recent.length);
        yield recent[place]!;
      }
    }
  }
}
