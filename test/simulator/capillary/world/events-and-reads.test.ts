import { describe, expect, it } from 'vitest';
import { createEventSource } from '../../../../src/simulator/capillary/event-source.ts';
import { createPopulation } from '../../../../src/simulator/capillary/world/population.ts';
import { createRandom } from '../../../../src/simulator/random.ts';
import { type ReadEvent, withReads } from './read-rig.ts';

const CUSTOMERS = 8;
const HOUR_MS = 3_600_000;
const EVENTS = 120;

type Rig = Awaited<ReturnType<typeof withReads>>;
// oxlint-disable-next-line typescript/no-explicit-any -- answers have many shapes
type Body = any;

/** Money and points have at most two decimals. */
function cents(value: number): number {
  return Math.round(value * 100);
}

function sum(items: readonly Body[], valueOf: (item: Body) => number): number {
  return cents(items.reduce((total, item) => total + valueOf(item), 0));
}

async function expectBill({ get }: Rig, { data }: ReadEvent): Promise<void> {
  const bill = await get(`/v2/transactions/${data.transactionId}?type=${data.billType}&tenders=true`);
  expect(bill).toMatchObject({
    customerId: data.customerIdentifiers.customerId,
    deliveryStatus: data.deliveryStatus,
    outlierStatus: data.outlierStatus,
    billDetails: { amount: data.amount, grossAmount: data.grossAmount, discount: data.discount },
  });
  const { lineItems, paymentModes, billDetails, currencyLogDto } = bill;
  const ofLines = sum(lineItems, ({ details }) => details.amount);
  const billDiscount = cents(billDetails.discount) - sum(lineItems, ({ details }) => details.discount);
  expect(ofLines - billDiscount).toBe(cents(data.amount));
  expect(sum(paymentModes, ({ amount }) => amount)).toBe(cents(data.amount));
  if (currencyLogDto) expect(currencyLogDto.localValue * currencyLogDto.ratio).toBe(data.amount);
}

/** One program in all reads: their balances, tiers and schedules are the same. */
async function expectProgram({ get }: Rig, details: Body, customer: Body): Promise<void> {
  const { programId, lifetimePoints, redeemed, expired, returned } = details;
  expect(cents(details.loyaltyPoints)).toBe(cents(lifetimePoints - redeemed - expired - returned));
  const ofProgram = (list: readonly Body[]): Body[] => list.filter((item) => item.programId === programId);
  expect(ofProgram(customer.loyaltyProgramDetails)).toEqual([expect.objectContaining(details)]);
  expect(sum(ofProgram(customer.expiredPoints), ({ points }) => points)).toBe(cents(expired));
  const path = `/v2/customers/${customer.id}`;
  const { programTiers } = await get(`${path}/tierDetails?programId=${programId}`);
  expect(programTiers).toMatchObject([
    { currentTierName: details.currentSlab, tierExpiryDateISO: details.slabExpiryDate },
  ]);
  expect(await get(`${path}/points/balance?programId=${programId}`)).toMatchObject({
    mainPoints: details.loyaltyPoints,
    promisedPoints: details.delayedPoints,
    totalPoints: details.totalAvailablePoints,
  });
  const { expirySchedules } = await get(`${path}/pointsExpirySchedule?programId=${programId}`);
  expect(sum(expirySchedules, ({ points }) => points)).toBeLessThanOrEqual(cents(details.loyaltyPoints));
}

/** What the event states of the customer's points and tier. */
function expectStated({ data, createdAt, eventName }: ReadEvent, details: Body, customer: Body): void {
  const balance = data.programCurrentPoints ?? data.redemptionFromEarningPrograms?.[0].programCurrentPoints;
  if (balance !== undefined) expect(details.loyaltyPoints).toBe(balance);
  if (data.programLifetimePoints !== undefined)
    expect(details.lifetimePoints).toBe(data.programLifetimePoints);
  const tier = data.upgradedTierNumber ?? data.downgradedTierNumber ?? data.currentTierNumber;
  if (tier !== undefined) expect(details.slabSNo).toBe(tier);
  if (data.tierExpiryDateInMillis !== undefined)
    expect(Date.parse(details.slabExpiryDate)).toBe(data.tierExpiryDateInMillis);
  if (eventName !== 'tierUpgraded') return;
  expect(customer.slabHistory[0]).toMatchObject({ type: 'UPGRADE', to: details.currentSlab });
  expect(Date.parse(customer.slabHistory[0].changedOnISO)).toBe(Math.floor(createdAt / 1_000) * 1_000);
}

function expectPerson({ data }: ReadEvent, { profiles, subscriptionInfo, ...customer }: Body): void {
  const [profile] = profiles;
  if (data.firstName !== undefined) expect(profile.firstName).toBe(data.firstName);
  const label = data.customerStatus?.currentLabel;
  if (label !== undefined) expect(customer.statusLabel).toBe(label);
  for (const { channel, priority, currentStatus: type } of data.subscriptions ?? [])
    expect(subscriptionInfo.subscriptions).toContainEqual({ channel, priority, type });
  const { instore } = data.customerIdentifiers;
  if (instore === undefined) return;
  const values = profile.identifiers.map(({ value }: Body) => value);
  expect(values).toEqual([instore.mobile, instore.email, instore.externalId, ...instore.cardNumbers]);
}

async function expectErased({ read }: Rig, path: string): Promise<void> {
  const { status, text } = await read(`${path}?source=ALL`);
  expect([status, text]).toEqual([500, expect.stringContaining('"8109"')]);
}

const EMBED = 'mlp,points,subscriptions,customerStatus,expiredPoints';

async function expectAgreement(rig: Rig, event: ReadEvent): Promise<void> {
  const { data, eventName } = event;
  if (data.transactionId !== undefined) await expectBill(rig, event);
  const id = data.customerIdentifiers?.customerId;
  if (id === undefined) return;
  const path = `/v2/customers/${id}`;
  if (data.customerStatus?.currentLabel === 'Deleted' || eventName === 'requestUpdated') {
    return expectErased(rig, path);
  }
  const customer = await rig.get(`${path}?source=ALL&embed=${EMBED}&slabHistory=true`);
  expectPerson(event, customer);
  const { data: programs } = await rig.get(`${path}/loyaltyDetails`);
  for (const details of programs as Body[])
    if (details.loyaltyId !== -1) await expectProgram(rig, details, customer);
  const named = programs.find(({ programId }: Body) => programId === (data.loyaltyProgramId ?? 4_102));
  if (data.entityInformation?.entityType !== 'USERGROUP2') expectStated(event, named, customer);
  const { data: bills } = await rig.get(`${path}/transactions?limit=1000`);
  const net = sum(bills, ({ type, amount }) => (type === 'RETURN' ? -amount : amount));
  expect(cents(programs[0].cumulativePurchases)).toBe(net);
}

describe('events and reads agree at the moment of the event', () => {
  it.each([1, 6, 29])('seed %i', async (seed) => {
    let time = Date.parse('2026-10-01T09:15:02Z');
    const options = { tokenTtlSeconds: 1e8, world: { customers: CUSTOMERS, seed, outliers: 0.3 } };
    const rig = await withReads(options, () => time);
    const { world } = rig;
    const random = createRandom(seed);
    const population = createPopulation(world, CUSTOMERS, random);
    const source = createEventSource({ world, population, random, awkward: 0.25, isLive: true });
    const statuses = new Set<string>();
    for (let number = 0; number < EVENTS; number += 1) {
      time += HOUR_MS * (number % 7 === 0 ? 30 : 1);
      const event = JSON.parse(source.next(time).body) as ReadEvent;
      await expectAgreement(rig, event);
      if (event.data.outlierStatus !== undefined) statuses.add(event.data.outlierStatus);
    }
    expect(statuses.size).toBeGreaterThan(1);
  });
});
