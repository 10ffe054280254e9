import { describe, expect, it } from 'vitest';
import { SAMPLE_EVENT_ID } from '../../../src/capillary/event.ts';
import {
  DOCUMENTED_NAMES,
  type GeneratedEvent,
  makeEvents,
} from '../../../src/simulator/capillary/capillary-events.ts';

type Json = Record<string, unknown>;
interface Flat extends Json {
  eventName: string;
  eventId: string;
  orgId: number;
  createdAt: number;
  data: Json & { customerIdentifiers: Json & { customerId: number } };
}

const NOW = Date.parse('2026-05-06T07:08:09Z');
function flat({ body }: GeneratedEvent) {
  return JSON.parse(body) as Flat;
}
function plain(count: number, names?: readonly string[]) {
  return makeEvents({ count, customers: 6, awkward: 0, now: NOW, ...(names ? { names } : {}) });
}
function variant(name: string) {
  const found = makeEvents({ count: 400, awkward: 1, now: NOW }).find((event) => event.variant === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

describe('generated events', () => {
  it('are the same for the same seed and different for another one', () => {
    const [first, again, other] = [4, 4, 5].map((seed) => makeEvents({ count: 60, seed, now: NOW }));
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('have the 14 documented names in equal shares', () => {
    const names = plain(28).map(({ name }) => name);
    expect(DOCUMENTED_NAMES).toHaveLength(14);
    expect(names.toSorted()).toEqual([...DOCUMENTED_NAMES, ...DOCUMENTED_NAMES].toSorted());
  });

  it('have only the given names, the unusual events too', () => {
    const events = makeEvents({
      count: 80,
      names: ['pointsRedeemed', 'streakStart'],
      awkward: 0.5,
      now: NOW,
    });
    expect(new Set(events.map(({ name }) => name))).toEqual(new Set(['pointsRedeemed', 'streakStart']));
    expect(new Set(events.map((event) => event.variant))).toContain('group');
    expect(events.filter((event) => event.variant !== 'plain')).toHaveLength(40);
  });

  it('have unique ids, are in the order of their times, and none is later than now', () => {
    const events = plain(140).map(flat);
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(140);
    const times = events.map(({ createdAt }) => createdAt);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBe(NOW);
  });

  it('name their customer', () => {
    for (const event of plain(56)) {
      expect(String(flat(event).data.customerIdentifiers.customerId)).toBe(event.customerId);
      expect(flat(event)).toMatchObject({ eventName: event.name, eventId: event.eventId, orgId: 100_737 });
    }
  });

  it('contain each date twice: as a day and as the end of that day in milliseconds', () => {
    const [reminder] = plain(1, ['pointsExpiryReminder']).map(flat);
    expect(reminder?.data).toMatchObject({
      scheduledExpiryDate: '2026-06-05',
      scheduledExpiryDateInMillis: Date.parse('2026-06-05T23:59:59+05:30'),
    });
  });
});

describe('the numbers of a customer', () => {
  it('are consistent: points', () => {
    const balances = new Map<number, number>();
    for (const { data } of plain(400, ['pointsIssued', 'pointsRedeemed']).map(flat)) {
      const { customerId } = data.customerIdentifiers;
      const [program] = (data.redemptionFromEarningPrograms as Json[] | undefined) ?? [];
      const promised = (data.promisedPointsIssued ?? []) as { promisedPoints: number }[];
      const issued = Number(data.totalPointsIssued) - (promised[0]?.promisedPoints ?? 0);
      const change = program ? -Number(data.totalPointsRedeemed) : issued;
      const balance = Number(program?.programCurrentPoints ?? data.programCurrentPoints);
      expect(balance).toBe((balances.get(customerId) ?? balance - change) + change);
      expect(balance).toBeGreaterThanOrEqual(0);
      balances.set(customerId, balance);
    }
    expect(balances.size).toBe(6);
  });

  it('are consistent: tiers', () => {
    const tiers = new Map<number, unknown>();
    for (const { data } of plain(200, ['tierUpgraded', 'tierDowngraded']).map(flat)) {
      const { customerId } = data.customerIdentifiers;
      expect(data.previousTierNumber).toBe(tiers.get(customerId) ?? data.previousTierNumber);
      const now = data.upgradedTierNumber ?? data.downgradedTierNumber;
      expect(now).not.toBe(data.previousTierNumber);
      tiers.set(customerId, now);
    }
  });

  it('are consistent: nobody registers twice', () => {
    const ids = plain(50, ['customerAdded']).map(({ customerId }) => customerId);
    expect(new Set(ids).size).toBe(50);
  });
});

describe('an unusual event', () => {
  it('occurs in the given share and in every form', () => {
    const events = makeEvents({ count: 200, awkward: 0.3, now: NOW });
    expect(events.filter((event) => event.variant !== 'plain')).toHaveLength(60);
    expect(new Set(events.map((event) => event.variant)).size).toBe(17);
  });

  it.each([
    ['wrapper', (body: Json) => body.attributes],
    ['wrapper-org', (body: Json) => body.attributes],
    ['data-nested', (body: Json) => body.data],
    ['event-nested', (body: Json) => body.event],
    ['body-nested', (body: Json) => body.body],
  ])('%s contains the flat event', (name, inside) => {
    const event = variant(name);
    expect(inside(JSON.parse(event.body) as Json)).toMatchObject({ eventName: event.name, data: {} });
  });

  it('wrapper-org has the organisation in front of the name', () => {
    const event = variant('wrapper-org');
    expect(JSON.parse(event.body)).toMatchObject({
      eventType: `100737_${event.name}`,
      eventId: event.eventId,
    });
  });

  it('no-event-id has no id', () => {
    const event = variant('no-event-id');
    expect(event).not.toHaveProperty('eventId');
    expect(flat(event)).not.toHaveProperty('eventId');
  });

  it('group names no customer', () => {
    expect(flat(variant('group'))).toMatchObject({
      data: { entityInformation: { entityType: 'USERGROUP2' } },
    });
    expect(flat(variant('group')).data).not.toHaveProperty('customerIdentifiers');
  });

  it('sample has Capillary’s constant id', () => {
    expect(variant('sample').eventId).toBe(SAMPLE_EVENT_ID);
  });

  it('deletion has the status Deleted, and its customer never appears again', () => {
    const events = makeEvents({
      count: 300,
      customers: 3,
      names: ['customerUpdated'],
      awkward: 0.5,
      now: NOW,
    });
    const at = events.findIndex((event) => event.variant === 'deletion');
    expect(flat(events[at]!).data.customerStatus).toMatchObject({ currentLabel: 'Deleted' });
    const later = events.slice(at + 1).map(({ customerId }) => customerId);
    expect(later).not.toContain(events[at]!.customerId);
  });

  it('merge has a survivor and a victim, and no id', () => {
    const event = variant('merge');
    expect(event).not.toHaveProperty('eventId');
    const { survivorCustomerIdentifiers: survivor, victimCustomerIdentifiers: victim } = flat(event).data;
    expect(survivor).not.toEqual(victim);
    expect(event.customerId).toBe(String((survivor as Json).customerId));
  });

  it('return-bill is a return', () => {
    expect(flat(variant('return-bill'))).toMatchObject({
      eventName: 'transactionAdded',
      data: { billType: 'RETURN' },
    });
  });

  it('text-numbers, seconds, float-ids and stray-keys have the form of their name', () => {
    expect(flat(variant('text-numbers')).createdAt).toEqual(expect.stringMatching(/^\d{13}$/));
    expect(String(flat(variant('seconds')).createdAt)).toMatch(/^\d{10}$/);
    expect(variant('float-ids').body).toMatch(/"orgId":100737\.0,/);
    expect(Object.keys(flat(variant('stray-keys')))).toEqual(
      expect.arrayContaining(['apiRequestId ', ' refId']),
    );
  });
});
