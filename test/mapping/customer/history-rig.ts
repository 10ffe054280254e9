import type { Entities } from '../../../src/capillary/entities.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { createTrial } from '../../../src/cli/map/mapping-trial.ts';
import { type ContextChange, contextOf, RECEIVED_AT } from '../mapping-rig.ts';

/** 2026-10-01T00:00:00Z: the day 0 of a history. */
export const START = Date.UTC(2026, 9, 1);
export const DAY_MS = 86_400_000;

export const PROGRAM = {
  id: 973,
  name: 'Pine Circle',
  isDefault: true,
  tiers: [
    { tierNumber: 1, tierName: 'Base' },
    { tierNumber: 2, tierName: 'Silver' },
    { tierNumber: 3, tierName: 'Gold' },
  ],
};

export interface HistoryEvent {
  readonly eventName: string;
  /** Days after `START`. */
  readonly day: number;
  readonly data: JsonObject;
  readonly customerId?: number;
  readonly eventId?: string;
  /** What Capillary's API said when the event was mapped. */
  readonly entities?: Entities;
}

/** Noon of a day, in epoch ms. */
export function noon(day: number): number {
  return Math.round(START + (day + 0.5) * DAY_MS);
}

/** What the relay sends for a sequence of events, in the order in which they arrive. */
export function createHistory({ source, destination }: ContextChange = {}) {
  const context = contextOf({
    ...(source === undefined ? {} : { source }),
    ...(destination === undefined ? {} : { destination }),
  });
  const trial = createTrial({
    source: context.source as Parameters<typeof createTrial>[0]['source'],
    destination: context.destination as Parameters<typeof createTrial>[0]['destination'],
  });
  const records = new Map<number, JsonObject>();
  return {
    /** @returns what the last event leads to */
    async send(...events: readonly HistoryEvent[]) {
      let last: { record: JsonObject; event: JsonObject; notes: readonly string[] } | undefined;
      for (const { eventName, day, data, customerId = 1, eventId, entities } of events) {
        const body = JSON.stringify({
          eventName,
          eventId: eventId ?? `${eventName}-${day}-${JSON.stringify(data).length}`,
          orgId: 50,
          createdAt: noon(day),
          data: {
            ...(eventName === 'loyaltyCustomerMerge' ? {} : { customerIdentifiers: { customerId } }),
            ...data,
          },
        });
        const result = await trial(body, {
          receivedAt: RECEIVED_AT + 400 * DAY_MS,
          ...(entities === undefined ? {} : { entities }),
        });
        if (result.outcome !== 'messages') {
          throw new Error(JSON.stringify(result));
        }
        const record = result.profile;
        if (record !== undefined) {
          records.set(customerId, record);
        }
        last = {
          record: record ?? {},
          event: result.event ?? {},
          notes: result.notes.map(({ code, path }) => `${code} ${path}`),
        };
      }
      if (last === undefined) {
        throw new Error('no events');
      }
      return { ...last, loyalty: (last.record['loyalty'] ?? {}) as JsonObject };
    },
  };
}

export function joined(day = 0): HistoryEvent {
  return { eventName: 'customerAdded', day, data: { loyaltyType: 'LOYALTY', enteredAt: noon(day) } };
}

/** Lots as [points, day on which they expire]. */
export function issued(
  day: number,
  lots: readonly (readonly [number, number])[],
  balance?: number,
  program: JsonObject = PROGRAM,
): HistoryEvent {
  const total = lots.reduce((sum, [points]) => sum + points, 0);
  return {
    eventName: 'pointsIssued',
    day,
    data: {
      loyaltyProgramId: program['id'] ?? null,
      loyaltyProgramDetails: program,
      totalPointsIssued: total,
      regularPointsIssued: total,
      regularPointsBreakup: lots.map(([points, expiry]) => ({ points, expiryAtInMillis: noon(expiry) })),
      ...(balance === undefined ? {} : { programCurrentPoints: balance }),
    },
  };
}

export function redeemed(day: number, points: number, balance?: number, programId = 973): HistoryEvent {
  return {
    eventName: 'pointsRedeemed',
    day,
    data: {
      loyaltyProgramId: programId,
      totalPointsRedeemed: points,
      redemptionFromEarningPrograms: [
        {
          programId,
          pointsRedeemed: points,
          ...(balance === undefined ? {} : { programCurrentPoints: balance }),
        },
      ],
    },
  };
}

export function pointsEvent(eventName: string, day: number, data: JsonObject): HistoryEvent {
  return { eventName, day, data: { loyaltyProgramId: 973, ...data } };
}

/** The list of expiring points as [points, day]: a fraction of it is the time after noon. */
export function lotsOf(loyalty: JsonObject): readonly (readonly [number, number])[] | undefined {
  const list = loyalty['pointsExpiration'] as
    | readonly { pointsExpiring: number; pointsExpirationDate: string }[]
    | undefined;
  return list?.map(({ pointsExpiring, pointsExpirationDate }) => [
    pointsExpiring,
    (Date.parse(pointsExpirationDate) - START) / DAY_MS - 0.5,
  ]);
}

/** The same with whole days, for points that expire at the end of a day. */
export function daysOf(loyalty: JsonObject): readonly (readonly [number, number])[] | undefined {
  return lotsOf(loyalty)?.map(([points, day]) => [points, Math.floor(day + 0.5)]);
}
