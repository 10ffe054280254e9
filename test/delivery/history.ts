import * as fc from 'fast-check';
import { parseEvent } from '../../src/capillary/event-parser.ts';

/** 2026-11-06T21:20:00Z, the earliest time of an event in a history. */
export const START_TIME = 1_794_000_000_000;
const ORG_ID = 204_731;
const DEFAULT_PROGRAM = 2_041;

/** Each tier has its number as its name. */
const TIERS = [1, 2, 3, 4].map((tier) => ({ tierNumber: tier, tierName: String(tier) }));

/** Attributes of a customer's profile, by name. */
export interface Attributes {
  readonly [attribute: string]: string | number;
}

/** A change of a customer that an event reports. */
type CustomerChange =
  | { readonly kind: 'named'; readonly customer: number; readonly names: readonly string[] }
  | { readonly kind: 'points'; readonly customer: number; readonly program: number; readonly balance: number }
  | { readonly kind: 'tier'; readonly customer: number; readonly tier: number }
  | { readonly kind: 'bought'; readonly customer: number }
  | { readonly kind: 'merged'; readonly customer: number; readonly victim: number }
  | { readonly kind: 'deleted'; readonly customer: number };

/** A Capillary event with the change that it reports. */
export interface HistoryEvent {
  readonly body: string;
  readonly change: CustomerChange;
  /** ms after START_TIME. */
  readonly at: number;
  /** Its identity, which orders two events of the same ms. */
  readonly identity: string;
}

/** The part of a profile record that these tests compare. */
export interface ProfileContent {
  readonly attributes: Attributes;
  /** Ids of the customer and of customers merged into it; the primary one first. */
  readonly ids: readonly string[];
}

const customer = fc.integer({ min: 1, max: 4 });
const named = fc.record({
  kind: fc.constant('named' as const),
  customer,
  names: fc.array(fc.constantFrom('Asha', 'Meera', 'Zoya'), { minLength: 1, maxLength: 2 }),
});
const points = fc.record({
  kind: fc.constant('points' as const),
  customer,
  program: fc.constantFrom(DEFAULT_PROGRAM, 7, 8),
  balance: fc.integer({ min: 1, max: 9 }),
});
const other = fc.oneof(
  fc.record({ kind: fc.constant('tier' as const), customer, tier: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('bought' as const), customer }),
  fc.record({ kind: fc.constant('deleted' as const), customer }),
);
/** Each customer is merged into at most one, of a smaller number, so merges never contradict. */
const merges = fc
  .tuple(...[2, 3, 4].map((victim) => fc.option(fc.integer({ min: 1, max: victim - 1 }))))
  .map((into) =>
    into.flatMap((survivor, at) =>
      survivor === null ? [] : [{ kind: 'merged' as const, customer: survivor, victim: at + 2 }],
    ),
  );

function dataOf(change: CustomerChange): [eventName: string, data: object] {
  const identifiers = { customerIdentifiers: { customerId: change.customer } };
  const program = (id: number) => ({
    loyaltyProgramId: id,
    loyaltyProgramDetails: { id, name: `P${id}`, isDefault: id === DEFAULT_PROGRAM, tiers: TIERS },
  });
  switch (change.kind) {
    case 'named':
      return ['customerUpdated', { ...identifiers, firstName: change.names[0], lastName: change.names[1] }];
    case 'points':
      return [
        'pointsIssued',
        { ...identifiers, ...program(change.program), programCurrentPoints: change.balance },
      ];
    case 'tier':
      return [
        'tierUpgraded',
        { ...identifiers, ...program(DEFAULT_PROGRAM), upgradedTierNumber: change.tier },
      ];
    case 'bought':
      return ['transactionAdded', { ...identifiers, amount: 5 }];
    case 'deleted':
      return [
        'customerUpdated',
        { ...identifiers, firstName: 'Asha', customerStatus: { currentLabel: 'Deleted' } },
      ];
    case 'merged':
      return [
        'loyaltyCustomerMerge',
        {
          survivorCustomerIdentifiers: { customerId: change.customer },
          victimCustomerIdentifiers: { customerId: change.victim },
        },
      ];
  }
}

function historyEventOf(change: CustomerChange, at: number, serial: number): HistoryEvent {
  const [eventName, data] = dataOf(change);
  const body = JSON.stringify({
    eventName,
    eventId: `e-${serial}`,
    orgId: ORG_ID,
    createdAt: START_TIME + at,
    data,
  });
  const parsed = parseEvent(Buffer.from(body), {});
  if (!parsed.ok) throw new Error(parsed.detail);
  return { body, change, at, identity: parsed.event.identity };
}

/** Few times, so that many events are of the same ms. */
const at = fc.integer({ min: 0, max: 8 });

/** Changes of a few customers, in no order. The same merge may be reported twice. */
export const history: fc.Arbitrary<readonly HistoryEvent[]> = fc
  .tuple(fc.array(fc.oneof(named, points, other), { minLength: 2, maxLength: 14 }), merges, merges)
  .chain(([changes, some, more]) => {
    const again = more.filter(({ victim }) => some.some((one) => one.victim === victim));
    const twice = again.map(({ victim }) => some.find((one) => one.victim === victim)!);
    const all = [...changes, ...some, ...twice];
    return fc
      .array(at, { minLength: all.length, maxLength: all.length })
      .map((times) => all.map((change, index) => historyEventOf(change, times[index]!, index)));
  });

function attributesSetBy(change: CustomerChange): Attributes {
  switch (change.kind) {
    case 'named':
      return {
        first: change.names[0]!,
        ...(change.names[1] === undefined ? {} : { last: change.names[1] }),
      };
    case 'points':
      return {
        [change.program === DEFAULT_PROGRAM ? 'points' : `program ${change.program}`]: change.balance,
      };
    case 'tier':
      return { tier: String(change.tier) };
    case 'bought':
    case 'deleted':
    case 'merged':
      return {};
  }
}

/** The expected profiles after the whole history in order, without customers merged into others. */
export function expectedProfiles(
  events: readonly HistoryEvent[],
): ReadonlyMap<number, ProfileContent | undefined> {
  const inOrder = events.toSorted((a, b) => a.at - b.at || (a.identity < b.identity ? -1 : 1));
  const into = new Map<number, number>();
  const deleted = new Map<number, number>();
  for (const { change, at: time } of inOrder) {
    if (change.kind === 'merged') into.set(change.victim, change.customer);
    if (change.kind === 'deleted') deleted.set(change.customer, time);
  }
  const lineOf = (one: number): number[] => {
    const next = into.get(one);
    return next === undefined ? [one] : [one, ...lineOf(next)];
  };
  const isGone = ({ change, at: time }: HistoryEvent): boolean =>
    lineOf(change.customer).some((one) => time <= (deleted.get(one) ?? -1));

  const remaining = inOrder.filter((one) => !isGone(one) && !['deleted', 'bought'].includes(one.change.kind));
  const customers = [1, 2, 3, 4].filter((one) => !into.has(one));
  return new Map(
    customers.map((one) => {
      const own = remaining.filter(({ change }) => change.customer === one);
      const victims = remaining.filter(
        ({ change }) => change.customer !== one && lineOf(change.customer).includes(one),
      );
      // The latest value wins; values of the survivor win over those of its victims.
      const attributes = Object.assign({}, ...[...victims, ...own].map((by) => attributesSetBy(by.change)));
      const ids = [...own, ...victims].map(({ change }) => String(change.customer));
      return [one, ids.length === 0 ? undefined : { attributes, ids: [...new Set(ids)] }] as const;
    }),
  );
}

/** The parts of a profile record that `expectedProfiles` has. */
export function contentOf(entity: object): ProfileContent {
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
}
