import { describe, expect, it } from 'vitest';
import { isoTime } from '../../../../src/simulator/capillary/reads/server-time.ts';
import { accountOf } from '../../../../src/simulator/capillary/world/world-customer.ts';
import { withReads } from './read-rig.ts';

type Json = Record<string, any>;

describe('loyaltyDetails', () => {
  it('has the balances and the tier that the last events stated', async () => {
    const { raise, get } = await withReads();
    const events = await raise({ count: 200 });
    const stated = new Map<number, number>();
    const tiers = new Map<number, number>();
    for (const { data, eventName } of events) {
      const { customerId } = data.customerIdentifiers ?? {};
      const tier = data.upgradedTierNumber ?? data.downgradedTierNumber ?? data.currentTierNumber;
      if (tier !== undefined) tiers.set(customerId, tier);
      if (data.loyaltyProgramId !== 4_102 || !eventName.startsWith('points')) continue;
      const [redeemed] = data.redemptionFromEarningPrograms ?? [];
      const balance = data.programCurrentPoints ?? redeemed?.programCurrentPoints;
      if (balance === undefined) stated.delete(customerId);
      else stated.set(customerId, balance);
    }
    // Corrections change balances too.
    for (const { data, eventName } of events) {
      if (/Reversed|Conversion/.test(eventName)) stated.delete(data.customerIdentifiers.customerId);
    }
    expect(stated.size + tiers.size).toBeGreaterThan(4);
    for (const [customerId, points] of stated)
      expect((await get(`/v2/customers/${customerId}/loyaltyDetails`)).data[0].loyaltyPoints).toBe(points);
    for (const [customerId, tier] of tiers)
      expect((await get(`/v2/customers/${customerId}/loyaltyDetails`)).data[0].slabSNo).toBe(tier);
  });

  it('adds up in every program, and says which are not the customer’s', async () => {
    const { raise, get, world } = await withReads();
    await raise({ count: 120 });
    let enrolled = 0;
    let others = 0;
    for (const { customerId, accounts } of world.customers.values()) {
      const { data } = await get(`/v2/customers/${customerId}/loyaltyDetails`);
      expect(data.map(({ programId }: Json) => programId)).toEqual([4_102, 4_103]);
      for (const details of data as Json[]) {
        expect(details.loyaltyPoints).toBe(
          details.lifetimePoints - details.redeemed - details.expired - details.returned,
        );
        expect(details.totalAvailablePoints).toBe(details.loyaltyPoints + details.delayedPoints);
      }
      const isMember = accounts.length === 2;
      expect(data[1].loyaltyId === -1).toBe(!isMember);
      if (isMember) enrolled += 1;
      else others += 1;
    }
    expect(Math.min(enrolled, others)).toBeGreaterThan(0);
  });

  it('knows one program only if it is named, and no unknown one', async () => {
    const { get, world } = await withReads();
    const [id] = [...world.customers.keys()];
    expect((await get(`/v2/customers/${id}/loyaltyDetails?programId=4103`)).data).toHaveLength(1);
    expect((await get(`/v2/customers/${id}/loyaltyDetails?programId=1`)).errors).toMatchObject([
      { code: 1212 },
    ]);
  });
});

describe('the light calls', () => {
  it('are about the default program, or about all: the balance is then one sum', async () => {
    const { get, world } = await withReads({ world: { customers: 20 } });
    const member = [...world.customers.values()].find(({ accounts }) => accounts.length === 2)!;
    const path = `/v2/customers/${member.customerId}`;
    const [main, club] = (await get(`${path}/loyaltyDetails`)).data;
    const one = await get(`${path}/points/balance`);
    expect(one).toMatchObject({
      programId: 4_102,
      mainPoints: main.loyaltyPoints,
      totalPoints: main.totalAvailablePoints,
    });
    const sum = await get(`${path}/points/balance?fetchDataForAllPrograms=true`);
    expect(sum.mainPoints).toBe(main.loyaltyPoints + club.loyaltyPoints);
    expect(sum).not.toHaveProperty('programId');
    const tiers = await get(`${path}/tierDetails?fetchDataForAllPrograms=true`);
    expect(tiers.programTiers.map(({ currentTierName }: Json) => currentTierName)).toEqual([
      main.currentSlab,
      club.currentSlab,
    ]);
    const schedule = await get(`${path}/pointsExpirySchedule?fetchDataForAllPrograms=true`);
    expect(new Set(schedule.expirySchedules.map(({ programId }: Json) => programId))).toEqual(
      new Set([4_102, 4_103]),
    );
    const outsider = [...world.customers.values()].find(({ accounts }) => accounts.length === 1)!;
    expect(
      (await get(`/v2/customers/${outsider.customerId}/points/balance?programId=4103`)).errors,
    ).toMatchObject([{ code: 8089 }]);
  });

  it('have the time without a zone, beside the one with it', async () => {
    const { get, world } = await withReads();
    const [id] = [...world.customers.keys()];
    const [tier] = (await get(`/v2/customers/${id}/tierDetails`)).programTiers;
    expect(tier.tierExpiryDate).toMatch(/^\d{4}-\d\d-\d\d 23:59:59$/);
    expect(tier.tierExpiryDateISO).toBe(`${tier.tierExpiryDate.replace(' ', 'T')}+05:30`);
  });
});

describe('pointsExpirySchedule', () => {
  it('has what a reminder says, and follows a change of the date', async () => {
    const { raise, get, world } = await withReads();
    const [reminder] = await raise({ count: 1, names: ['pointsExpiryReminder'], customers: 1 });
    const { customerId } = reminder!.data.customerIdentifiers;
    const path = `/v2/customers/${customerId}/pointsExpirySchedule`;
    const { expirySchedules: before } = await get(path);
    expect(before[0]).toMatchObject({
      points: reminder!.data.pointsScheduledForExpiry,
      expiryDate: reminder!.data.scheduledExpiryDate,
      expiryDateISO: `${reminder!.data.scheduledExpiryDate}T00:00:00+05:30`,
    });
    const [change] = await raise({ count: 1, names: ['pointsExpiryChange'], customers: 1 });
    const [update] = change!.data.updatedPointsExpiryBreakup;
    const { expirySchedules: after } = await get(path);
    expect(after.map(({ expiryDate }: Json) => expiryDate)).toContain(update.newExpiryDate);
    expect(after.map(({ expiryDate }: Json) => expiryDate)).not.toContain(update.pointsPreviousExpiryDate);
    expect((await get(`/v2/customers/${customerId}/singlePointsExpiryUpdates`)).data).toMatchObject([
      { oldExpiryDate: update.pointsPreviousExpiryDate, newExpiryDate: update.newExpiryDate },
    ]);
    const account = accountOf(world.customers.get(customerId)!);
    const due = account.lots.filter(({ expiresAt, available }) => available > 0 && expiresAt <= Date.now());
    const total = (list: Json[]): number => list.reduce((sum, { points }) => sum + points, 0);
    const { mainPoints } = await get(`/v2/customers/${customerId}/points/balance`);
    // What the expiry job has yet to take is in the balance, but not in the schedule.
    expect(total(after)).toBe(mainPoints - due.reduce((sum, { available }) => sum + available, 0));
  });

  it('has a window and the earliest date only, if they are asked for', async () => {
    const { get, world } = await withReads();
    const [id] = [...world.customers.keys()];
    const path = `/v2/customers/${id}/pointsExpirySchedule`;
    const { expirySchedules } = await get(path);
    expect(expirySchedules.length).toBeGreaterThan(1);
    expect((await get(`${path}?fetchEarliestExpiryOnly=true`)).expirySchedules).toEqual([expirySchedules[0]]);
    const [, second] = expirySchedules;
    const window = await get(`${path}?startDate=${second.expiryDate}&endDate=${second.expiryDate}`);
    expect(window.expirySchedules.every(({ expiryDate }: Json) => expiryDate === second.expiryDate)).toBe(
      true,
    );
  });
});

describe('the ledger', () => {
  it('has an event by the key that the webhook has, with points as text', async () => {
    const { raise, get } = await withReads();
    const events = await raise({ count: 4, names: ['transactionAdded', 'pointsIssued'] });
    const issued = events.find(({ eventName }) => eventName === 'pointsIssued')!;
    const { customerId } = issued.data.customerIdentifiers;
    const who = `identifierName=id&identifierValue=${customerId}&source=INSTORE`;
    const ledger = await get(`/v2/pointsLedger/getLedgerExplodeInfo?${who}&eventIds=${issued.eventLogId}`);
    expect(ledger.ledgerEntries).toHaveLength(1);
    const net = Number(issued.data.totalPointsIssued).toFixed(3);
    expect(ledger.ledgerEntries[0]).toMatchObject({
      eventLogId: issued.eventLogId,
      eventName: 'TransactionAdd',
      netPointsOnEvent: net,
      transactionDetails: {
        transactionId: Number(issued.data.triggeringActivity.identifiers[0].value),
      },
    });
    const info = await get(`/v2/pointsLedger/getCustomerLedgerInfo?${who}&limit=1`);
    expect(info.ledgerDetails).toMatchObject({ pageSize: 1 });
    expect(info.ledgerEntries).toHaveLength(1);
  });

  it('knows the balance at a time, but not by id', async () => {
    const { raise, get, world } = await withReads();
    const [customer] = [...world.customers.values()];
    const who = `source=INSTORE&identifierName=mobile&identifierValue=${customer!.mobile}`;
    const balance = async (at?: number) => {
      const end = at === undefined ? '' : `&endDate=${isoTime(at, '+05:30').slice(0, 19)}`;
      const body = await get(`/v2/pointsLedger/getCustomerLedgerBalance?${who}${end}`);
      return body.ledgerDetails.ledgerClosingBalance[0];
    };
    const before = await balance();
    expect(before).toMatchObject({ pointsCategory: 'Main', programId: 4_102 });
    const start = Date.now() - 2_000;
    await raise({ count: 3, names: ['pointsIssued'], customers: 1 });
    expect(Number((await balance()).closingBalance)).toBeGreaterThan(Number(before.closingBalance));
    expect((await balance(start)).closingBalance).toBe(before.closingBalance);
    const byId = `source=INSTORE&identifierName=id&identifierValue=${customer!.customerId}`;
    expect((await get(`/v2/pointsLedger/getCustomerLedgerBalance?${byId}`)).errors).toMatchObject([
      { code: 8130 },
    ]);
  });
});
