import * as fc from 'fast-check';
import { parseEvent } from '../../src/capillary/event-parser.ts';

/** 2026-11-06T21:20:00Z, the earliest time of an event in a history. */
export const START_TIME = 1_794_000_000_000;
const ORG_ID = 204_731;
export const DEFAULT_PROGRAM = 2_041;
export const PROGRAMS: readonly number[] = [DEFAULT_PROGRAM, 7, 8];

/** What the event of a merge states as the balance of the survivor. */
export function balanceAfterMerge(victim: number, program: number): number {
  return victim * 10_000 + program;
}

/** A change of a customer that an event reports. */
type CustomerChange =
  | { readonly kind: 'named'; readonly customer: number; readonly names: readonly string[] }
  | { readonly kind: 'points'; readonly customer: number; readonly program: number; readonly balance: number }
  | { readonly kind: 'tier'; readonly customer: number; readonly tier: number }
  | { readonly kind: 'bought'; readonly customer: number }
  | {
      readonly kind: 'contacted';
      readonly customer: number;
      /** Empty: the customer has no phone any more. */
      readonly phone: string;
      readonly previous?: string | undefined;
    }
  | { readonly kind: 'released'; readonly customer: number; readonly phone?: string | undefined }
  | {
      readonly kind: 'joined';
      readonly customer: number;
      readonly day: number;
      readonly type?: string | undefined;
    }
  | { readonly kind: 'typed'; readonly customer: number; readonly type: string }
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

const customer = fc.integer({ min: 1, max: 4 });
const named = fc.record({
  kind: fc.constant('named' as const),
  customer,
  names: fc.array(fc.constantFrom('Asha', 'Meera', 'Zoya'), { minLength: 1, maxLength: 2 }),
});
const points = fc.record({
  kind: fc.constant('points' as const),
  customer,
  program: fc.constantFrom(...PROGRAMS),
  balance: fc.integer({ min: 1, max: 9 }),
});
const other = fc.oneof(
  fc.record({ kind: fc.constant('tier' as const), customer, tier: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('bought' as const), customer }),
  fc.record({ kind: fc.constant('deleted' as const), customer }),
);
const PHONES = ['+919845011111', '+919845022222', '+919845033333'] as const;
const phone = fc.constantFrom(...PHONES);
const type = fc.constantFrom('LOYALTY', 'NON_LOYALTY');
const contact = fc.oneof(
  fc.record({
    kind: fc.constant('contacted' as const),
    customer,
    phone: fc.oneof(phone, phone, fc.constant('')),
    previous: fc.option(phone, { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('released' as const),
    customer,
    phone: fc.option(phone, { nil: undefined }),
  }),
);
const membership = fc.oneof(
  fc.record({
    kind: fc.constant('joined' as const),
    customer,
    day: fc.integer({ min: 1, max: 9 }),
    type: fc.option(type, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('typed' as const), customer, type }),
);

/**
 * A deletion leaves no trace of what was gone before it, and nothing that is older is applied after
 * it. So what else is gone by then depends on the order of arrival.
 */
function withoutContradictions(changes: readonly CustomerChange[]): readonly CustomerChange[] {
  return changes.some(({ kind }) => kind === 'deleted')
    ? changes
        .filter(({ kind }) => kind !== 'released')
        .map((change) => (change.kind === 'contacted' ? { ...change, previous: undefined } : change))
    : changes;
}

/** Each customer is merged into at most one, of a smaller number, so merges never contradict. */
const merges = fc
  .tuple(...[2, 3, 4].map((victim) => fc.option(fc.integer({ min: 1, max: victim - 1 }))))
  .map((into) =>
    into.flatMap((survivor, at) =>
      survivor === null ? [] : [{ kind: 'merged' as const, customer: survivor, victim: at + 2 }],
    ),
  );

export function tierNameOf(tier: number): string {
  return `Tier ${tier}`;
}

export function joinTimeOf(day: number): number {
  return START_TIME - (10 - day) * 86_400_000;
}

function dataOf(change: CustomerChange): [eventName: string, data: object] {
  const identifiers = { customerIdentifiers: { customerId: change.customer } };
  const program = (id: number) => ({
    loyaltyProgramId: id,
    loyaltyProgramDetails: {
      id,
      name: `P${id}`,
      isDefault: id === DEFAULT_PROGRAM,
      tiers: [1, 2, 3, 4].map((tierNumber) => ({ tierNumber, tierName: tierNameOf(tierNumber) })),
    },
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
    case 'contacted':
      return [
        'customerUpdated',
        {
          customerIdentifiers: { customerId: change.customer, instore: { mobile: change.phone } },
          updatedFields:
            change.previous === undefined
              ? []
              : [{ fieldName: 'mobile', previousValue: change.previous, currentValue: change.phone }],
        },
      ];
    case 'released':
      return [
        'identifierReleased',
        {
          mergeEventId: 'm-1',
          profiles: [
            {
              customerId: change.customer,
              ...(change.phone === undefined ? {} : { instore: { mobile: change.phone } }),
            },
          ],
        },
      ];
    case 'joined':
      return [
        'customerAdded',
        { ...identifiers, enteredAt: joinTimeOf(change.day), loyaltyType: change.type ?? null },
      ];
    case 'typed':
      return ['customerUpdated', { ...identifiers, loyaltyType: change.type }];
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
          survivorCustomerLoyaltySummary: PROGRAMS.map((loyaltyProgramId) => ({
            loyaltyProgramId,
            currentPoints: balanceAfterMerge(change.victim, loyaltyProgramId),
          })),
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
  .tuple(
    fc.array(fc.oneof(named, points, other, contact, contact, membership), { minLength: 2, maxLength: 14 }),
    merges,
    merges,
  )
  .chain(([drawn, some, more]) => {
    const changes = withoutContradictions(drawn);
    const again = more.filter(({ victim }) => some.some((one) => one.victim === victim));
    const twice = again.map(({ victim }) => some.find((one) => one.victim === victim)!);
    const all = [...changes, ...some, ...twice];
    return fc
      .array(at, { minLength: all.length, maxLength: all.length })
      .map((times) => all.map((change, index) => historyEventOf(change, times[index]!, index)));
  });
