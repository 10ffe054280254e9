import { SAMPLE_EVENT_ID } from '../capillary/event.ts';
import type { JsonObject } from '../capillary/json.ts';
import type { Population } from './customer.ts';
import { deleted } from './customer-events.ts';
import { bareIdentifiers, PROGRAM_ID } from './event-parts.ts';
import type { EventContent, EventContext } from './event-template.ts';
import { groupPoints } from './points-events.ts';
import { returned } from './transaction-events.ts';

/** An event whose content is out of the ordinary. */
export interface ContentVariant {
  readonly variant: string;
  readonly names: readonly string[];
  readonly make: (context: EventContext, name: string, population: Population) => EventContent;
  /** Overwrites keys of the envelope; a key that becomes undefined is left out. */
  readonly envelope?: Readonly<Record<string, string | undefined>>;
}

/** An event of a name that has no template: Capillary's list grows (reference: capillary.md §4.1). */
export function genericContent({ customer, serial, at }: EventContext, name: string): EventContent {
  return {
    data: {
      customerIdentifiers: bareIdentifiers(customer),
      reference: `${name}-${serial}`,
      enteredAt: at - 300,
      details: { level: serial % 5, note: 'of the simulator' },
    },
    ref: String(customer.customerId),
    loyaltyEventId: null,
  };
}

/** Capillary's sample function fills fields with their names and with one constant customer (reference: capillary.md §2.4). */
function sample(): EventContent {
  return {
    data: {
      customerIdentifiers: { customerId: 379_499_720 },
      entityInformation: { entityType: 'entityType', entityId: 1_676 },
      loyaltyProgramDetails: { id: 1_676, name: 'name', isDefault: null, tiers: null },
      notes: 'notes',
    },
    ref: '7250807',
    loyaltyEventId: null,
  };
}

/** The customer takes over another, who is gone afterwards; their points come along (reference: capillary.md §5). */
function merged({ customer, serial }: EventContext, _: string, population: Population): EventContent {
  const victim = population.other(customer);
  population.replace(victim);
  customer.points += victim.points;
  customer.lifetimePoints += victim.lifetimePoints;
  const summary: JsonObject = {
    loyaltyProgramId: PROGRAM_ID,
    lifetimePoints: customer.lifetimePoints,
    currentPoints: customer.points,
    promisedPoints: 0,
    tierNumber: customer.tier,
  };
  return {
    data: {
      survivorCustomerIdentifiers: bareIdentifiers(customer),
      victimCustomerIdentifiers: bareIdentifiers(victim),
      triggeringActivity: { name: 'customerMerge', identifiers: [], additionalAttributes: [] },
      enteredBy: { id: -1 },
      survivorCustomerLoyaltySummary: [summary],
    },
    ref: `merge${serial}`,
    loyaltyEventId: null,
  };
}

function erased(context: EventContext, _: string, population: Population): EventContent {
  population.replace(context.customer);
  return deleted(context);
}

function group(context: EventContext, name: string): EventContent {
  return groupPoints(context, name === 'pointsExpired' ? name : 'pointsRedeemed');
}

export const CONTENT_VARIANTS: readonly ContentVariant[] = [
  { variant: 'group', names: ['pointsExpired', 'pointsRedeemed'], make: group },
  {
    variant: 'sample',
    names: ['tierUpgraded', 'tierRenewed', 'tierDowngraded', 'tierDowngradeReminder', 'customerAdded'],
    make: sample,
    envelope: { eventId: SAMPLE_EVENT_ID, apiRequestId: '1344ffd5-7b6f-4af0-a23d-ce354da13c76' },
  },
  { variant: 'deletion', names: ['customerUpdated'], make: erased, envelope: { apiRequestId: '' } },
  { variant: 'merge', names: ['loyaltyCustomerMerge'], make: merged, envelope: { eventId: undefined } },
  { variant: 'return-bill', names: ['transactionAdded'], make: returned },
  {
    variant: 'unmapped',
    names: ['badgeEarned', 'cardUpdated', 'streakStart', 'teaTastingBooked'],
    make: genericContent,
  },
];
