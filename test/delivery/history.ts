import * as fc from 'fast-check';
import { parseEvent } from '../../src/capillary/envelope.ts';

/** 2026-11-06T21:20:00Z: the time of the first event of a history. */
export const BEGIN = 1_794_000_000_000;
const ORG_ID = 204_731;
const DEFAULT_PROGRAM = 2_041;

/** What the events of a customer tell, as a plain record would have it. */
export interface Attributes {
  readonly [attribute: string]: string | number;
}

/** Something that happened to a customer. */
type Happening =
  | { readonly do: 'named'; readonly customer: number; readonly names: readonly string[] }
  | { readonly do: 'points'; readonly customer: number; readonly program: number; readonly balance: number }
  | { readonly do: 'tier'; readonly customer: number; readonly tier: number }
  | { readonly do: 'bought'; readonly customer: number }
  | { readonly do: 'merged'; readonly customer: number; readonly victim: number }
  | { readonly do: 'deleted'; readonly customer: number };

/** An event of Capillary, and what it says. */
export interface Told {
  readonly body: string;
  readonly happening: Happening;
  /** ms after BEGIN. */
  readonly at: number;
  /** Its identity, by which two of the same ms are told apart. */
  readonly identity: string;
}

/** The last record of a customer, as far as these tests look at it. */
export interface Known {
  readonly attributes: Attributes;
  /** Ids of the customer and of those that were merged into it; the primary one first. */
  readonly ids: readonly string[];
}

const customer = fc.integer({ min: 1, max: 4 });
const named = fc.record({
  do: fc.constant('named' as const),
  customer,
  names: fc.array(fc.constantFrom('Asha', 'Meera', 'Zoya'), { minLength: 1, maxLength: 2 }),
});
const points = fc.record({
  do: fc.constant('points' as const),
  customer,
  program: fc.constantFrom(DEFAULT_PROGRAM, 7, 8),
  balance: fc.integer({ min: 1, max: 9 }),
});
const other = fc.oneof(
  fc.record({ do: fc.constant('tier' as const), customer, tier: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant('bought' as const), customer }),
  fc.record({ do: fc.constant('deleted' as const), customer }),
);
/** Customers are merged into one of a smaller number, each into one: so no two merges contradict each other. */
const merges = fc
  .tuple(...[2, 3, 4].map((victim) => fc.option(fc.integer({ min: 1, max: victim - 1 }))))
  .map((into) =>
    into.flatMap((survivor, at) =>
      survivor === null ? [] : [{ do: 'merged' as const, customer: survivor, victim: at + 2 }],
    ),
  );

const dataOf = (what: Happening): [eventName: string, data: object] => {
  const of = { customerIdentifiers: { customerId: what.customer } };
  const program = (id: number) => ({
    loyaltyProgramId: id,
    loyaltyProgramDetails: { id, name: `P${id}`, isDefault: id === DEFAULT_PROGRAM },
  });
  switch (what.do) {
    case 'named':
      return ['customerUpdated', { ...of, firstName: what.names[0], lastName: what.names[1] }];
    case 'points':
      return ['pointsIssued', { ...of, ...program(what.program), programCurrentPoints: what.balance }];
    case 'tier':
      return ['tierUpgraded', { ...of, ...program(DEFAULT_PROGRAM), upgradedTierNumber: what.tier }];
    case 'bought':
      return ['transactionAdded', { ...of, amount: 5 }];
    case 'deleted':
      return ['customerUpdated', { ...of, firstName: 'Asha', customerStatus: { currentLabel: 'Deleted' } }];
    case 'merged':
      return [
        'loyaltyCustomerMerge',
        {
          survivorCustomerIdentifiers: { customerId: what.customer },
          victimCustomerIdentifiers: { customerId: what.victim },
        },
      ];
  }
};

const toldOf = (happening: Happening, at: number, serial: number): Told => {
  const [eventName, data] = dataOf(happening);
  const body = JSON.stringify({
    eventName,
    eventId: `e-${serial}`,
    orgId: ORG_ID,
    createdAt: BEGIN + at,
    data,
  });
  const parsed = parseEvent(Buffer.from(body), {});
  if (!parsed.ok) throw new Error(parsed.detail);
  return { body, happening, at, identity: parsed.event.identity };
};

/** Few times, so that many events are of the same ms. */
const at = fc.integer({ min: 0, max: 8 });

/** What happened to a few customers, in no order. The same merge may be told twice. */
export const history: fc.Arbitrary<readonly Told[]> = fc
  .tuple(fc.array(fc.oneof(named, points, other), { minLength: 2, maxLength: 14 }), merges, merges)
  .chain(([happenings, some, more]) => {
    const again = more.filter(({ victim }) => some.some((one) => one.victim === victim));
    const twice = again.map(({ victim }) => some.find((one) => one.victim === victim)!);
    const all = [...happenings, ...some, ...twice];
    return fc
      .array(at, { minLength: all.length, maxLength: all.length })
      .map((times) => all.map((happening, place) => toldOf(happening, times[place]!, place)));
  });

const attributesTold = (what: Happening): Attributes => {
  switch (what.do) {
    case 'named':
      return {
        first: what.names[0]!,
        ...(what.names[1] === undefined ? {} : { last: what.names[1] }),
      };
    case 'points':
      return { [what.program === DEFAULT_PROGRAM ? 'points' : `program ${what.program}`]: what.balance };
    case 'tier':
      return { tier: String(what.tier) };
    case 'bought':
    case 'deleted':
    case 'merged':
      return {};
  }
};

/** The same history to one who sees it as a whole and in order. By customer, those who were merged into another left out. */
export const plainModel = (told: readonly Told[]): ReadonlyMap<number, Known | undefined> => {
  const inOrder = told.toSorted((a, b) => a.at - b.at || (a.identity < b.identity ? -1 : 1));
  const into = new Map<number, number>();
  const deleted = new Map<number, number>();
  for (const { happening, at: time } of inOrder) {
    if (happening.do === 'merged') into.set(happening.victim, happening.customer);
    if (happening.do === 'deleted') deleted.set(happening.customer, time);
  }
  const lineOf = (one: number): number[] => {
    const next = into.get(one);
    return next === undefined ? [one] : [one, ...lineOf(next)];
  };
  const isGone = ({ happening, at: time }: Told): boolean =>
    lineOf(happening.customer).some((one) => time <= (deleted.get(one) ?? -1));

  const left = inOrder.filter((one) => !isGone(one) && !['deleted', 'bought'].includes(one.happening.do));
  const customers = [1, 2, 3, 4].filter((one) => !into.has(one));
  return new Map(
    customers.map((one) => {
      const own = left.filter(({ happening }) => happening.customer === one);
      const victims = left.filter(
        ({ happening }) => happening.customer !== one && lineOf(happening.customer).includes(one),
      );
      // What is told last stands; what the survivor has told stands above all.
      const attributes = Object.assign({}, ...[...victims, ...own].map((by) => attributesTold(by.happening)));
      const ids = [...own, ...victims].map(({ happening }) => String(happening.customer));
      return [one, ids.length === 0 ? undefined : { attributes, ids: [...new Set(ids)] }] as const;
    }),
  );
};

/** The parts of a profile record that `plainModel` knows. */
export const knownOf = (entity: object): Known => {
  const record = entity as {
    person?: { name?: { firstName?: string; lastName?: string } };
    loyalty?: { points?: number; tier?: string };
    _acme?: { capillary?: { programs?: { id: string; points: number }[] } };
    identityMap?: { capillaryId?: { id: string; primary: boolean }[] };
  };
  const { person, loyalty, _acme: tenant, identityMap } = record;
  const attributes = {
    first: person?.name?.firstName,
    last: person?.name?.lastName,
    points: loyalty?.points,
    tier: loyalty?.tier,
    ...Object.fromEntries(
      (tenant?.capillary?.programs ?? []).map((one) => [`program ${one.id}`, one.points]),
    ),
  };
  const ids = (identityMap?.capillaryId ?? []).toSorted((a, b) => Number(b.primary) - Number(a.primary));
  return {
    attributes: Object.fromEntries(
      Object.entries(attributes).filter(([, value]) => value !== undefined),
    ) as Attributes,
    ids: ids.map(({ id }) => id),
  };
};
