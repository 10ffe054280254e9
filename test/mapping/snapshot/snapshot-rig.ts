import type {
  CustomerAnswer,
  CustomerEntity,
  Entities,
  ProgramEntity,
} from '../../../src/capillary/entities.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import type { HistoryEvent } from '../customer/history-rig.ts';
import { noon } from '../customer/history-rig.ts';

export const GOLD_UNTIL = Date.UTC(2027, 8, 30, 23, 59, 59);

/** The program 973 as the API describes it: Silver, with Gold above it. */
export const SILVER: ProgramEntity = {
  programId: '973',
  name: 'Pine Circle',
  isDefault: true,
  points: 145,
  lifetimePoints: 1345,
  redeemed: 1100,
  expired: 100,
  returned: 0,
  adjusted: 0,
  promised: 3,
  purchases: 1834.5,
  tier: { number: 2, name: 'Silver' },
  tierExpiresAt: GOLD_UNTIL,
  nextTier: { number: 3, name: 'Gold' },
  upgradeGaps: [{ by: 'CURRENT_POINTS', gap: 1855 }],
  renewalGaps: [{ by: 'PURCHASE', gap: 355 }],
  lots: [{ points: 45, expiryDate: '2026-12-31' }],
  tierChanges: [{ at: noon(-30), type: 'UPGRADE', to: 'Silver' }],
};

export const INES: CustomerEntity = {
  customerId: '1',
  firstName: 'Ines',
  lastName: 'Okafor',
  identifiers: [
    { kind: 'phone', value: '919812004567', account: 'instore' },
    { kind: 'email', value: 'ines@example.net', account: 'instore' },
    { kind: 'externalId', value: 'LOY-77120', account: 'instore' },
    { kind: 'cardNumber', value: 'NWC0001', account: 'instore' },
  ],
  joinedAt: noon(-700),
  loyaltyType: 'loyalty',
  status: { label: 'Active' },
  programs: [SILVER],
};

/** What the API said on a day, about the customer 1 unless changed. */
export function found(day: number, change: Partial<CustomerEntity> = {}): Entities {
  return answered(day, { kind: 'found', customer: { ...INES, ...change } });
}

export function answered(day: number, answer: CustomerAnswer): Entities {
  return { customer: { at: noon(day), calls: [], ...answer } };
}

/** An event that says nothing about the profile. */
export function bill(day: number, entities?: Entities, data: JsonObject = {}): HistoryEvent {
  return {
    eventName: 'transactionAdded',
    day,
    data: { transactionId: `t${day}`, billNumber: `B-${day}`, amount: 10, ...data },
    ...(entities === undefined ? {} : { entities }),
  };
}
