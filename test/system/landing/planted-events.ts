import { randomUUID } from 'node:crypto';
import type { GeneratedEvent } from '../../../src/simulator/capillary/capillary-events.ts';
import { LARGE_NAME, ODD_NAME } from './landing-names.ts';

/**
 * A quotation mark takes two bytes in the event and four in the record, where the data is JSON in a
 * string: with this many, the record is between Profile's limit here and that of AEP.
 */
const LARGE_QUOTES = 2_150;

export interface EventMaker {
  ordinary(count: number): GeneratedEvent[];
  /** Events whose records Profile drops because of their size. */
  large(count: number): GeneratedEvent[];
  /** Events whose records fail AEP's validation as long as their override is on. */
  odd(count: number): GeneratedEvent[];
}

const PROGRAM = { id: 4_102, name: 'TealeafRewards', isDefault: true, pointsToCurrencyRatio: 0.5 };

/** What the ordinary events have, each in its turn. @param number of the event */
const ORDINARY: Readonly<Record<string, (number: number) => object>> = {
  transactionAdded: (number) => ({
    transactionId: 3_100_000_000 + number,
    billNumber: `TL/${number}`,
    billType: 'REGULAR',
    amount: 20 + (number % 500),
    grossAmount: 25 + (number % 500),
    discount: 5,
    lineItemCount: 1 + (number % 4),
    currencyCode: 'INR',
    enteredBy: { id: 9_013, till: { code: 'tl.juhu.3' }, store: { code: 'tl.juhu' } },
  }),
  pointsIssued: (number) => ({
    loyaltyProgramId: PROGRAM.id,
    loyaltyProgramDetails: PROGRAM,
    totalPointsIssued: 5 + (number % 50),
    regularPointsIssued: 5 + (number % 50),
    programCurrentPoints: 500 + number,
  }),
  tierUpgraded: (number) => ({
    loyaltyProgramId: PROGRAM.id,
    loyaltyProgramDetails: { ...PROGRAM, tiers: [{ tierNumber: 2, tierName: 'Bloom' }] },
    previousTierNumber: 1,
    upgradedTierNumber: 2,
    notes: `moved up by purchase ${number}`,
  }),
};

export const ORDINARY_NAMES = Object.keys(ORDINARY);

function identifiersOf(customerId: number) {
  const instore = { email: `c${customerId}@example.org`, externalId: `TL-${customerId}` };
  return { customerId, instore };
}

/** Makes events of so many customers, each with a time of its own. */
export function eventMaker(orgId: number, customers: number): EventMaker {
  let made = 0;
  let lastAt = 0;
  const make = (name: string, earliest: number, data: object): GeneratedEvent => {
    made += 1;
    lastAt = Math.max(lastAt + 1, earliest);
    const customerId = 520_000_000 + (made % customers);
    const eventId = randomUUID();
    const body = JSON.stringify({
      eventName: name,
      eventId,
      orgId,
      refId: `${orgId}_${made}`,
      apiRequestId: `request-${made}`,
      createdAt: lastAt,
      data: {
        customerIdentifiers: identifiersOf(customerId),
        entityInformation: { entityType: 'USER', entityId: customerId },
        ...data,
      },
    });
    return { name, variant: 'plain', body, eventId, customerId: String(customerId) };
  };
  const series = (count: number, one: (earliest: number, number: number) => GeneratedEvent) => {
    const earliest = Date.now() - count;
    return Array.from({ length: count }, (_, number) => one(earliest, number));
  };
  return {
    ordinary: (count) =>
      series(count, (earliest, number) => {
        const name = ORDINARY_NAMES[number % ORDINARY_NAMES.length] ?? '';
        return make(name, earliest, ORDINARY[name]?.(made) ?? {});
      }),
    large: (count) =>
      series(count, (earliest) => make(LARGE_NAME, earliest, { notes: '"'.repeat(LARGE_QUOTES) })),
    odd: (count) => series(count, (earliest) => make(ODD_NAME, earliest, { campaign: 'spring' })),
  };
}
