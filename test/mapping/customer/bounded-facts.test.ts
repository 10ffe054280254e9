import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { applyToCustomer } from '../../../src/mapping/customer/apply-to-customer.ts';
import { parseState } from '../../../src/mapping/customer/customer-state.ts';
import { mapEvent } from '../../../src/mapping/map-event.ts';
import { contextOf, eventWith } from '../mapping-rig.ts';

const AT = 1_794_000_000_000;
const EVENTS = 120;

/** State and record of one customer after events with this data, a minute apart. */
async function after(
  count: number,
  dataOf: (index: number) => readonly [eventName: string, data: JsonObject],
) {
  const context = contextOf();
  let state: string | undefined;
  let record: JsonObject | undefined;
  for (let index = 0; index < count; index += 1) {
    const [eventName, data] = dataOf(index);
    const event = eventWith(eventName, data, { eventId: `e-${index}`, createdAt: AT + index * 60_000 });
    const { lane = '' } = event;
    const mapped = await mapEvent(event, context);
    const update = applyToCustomer(event, mapped, { lane, ownLane: lane, state, victim: undefined }, context);
    state = update.state ?? state;
    record = update.profile?.entity ?? record;
  }
  return {
    paths: [...parseState(state).own.attributes.keys()],
    record: record ?? {},
    state: state ?? '',
  };
}

const person = (more: JsonObject): JsonObject => ({
  customerIdentifiers: { customerId: 518200431, ...more },
});
const account = (accountId: string, name = accountId): JsonObject => ({
  accountId,
  identifiers: [{ identifierType: 'email', identifierValue: `${name}@example.org` }],
});

it('keeps the newest linked accounts of a customer with many', async () => {
  const { paths } = await after(EVENTS, (index) => [
    'customerUpdated',
    person({ line: { accounts: [account(`account-${index}`)] } }),
  ]);
  const slots = paths.filter((path) => path.startsWith('@id[email]'));
  expect(slots).toHaveLength(100);
  expect(slots).toContain(`@id[email].slot[line%2Faccount-${EVENTS - 1}]`);
  expect(slots).not.toContain('@id[email].slot[line%2Faccount-0]');
});

it('bounds the cards and accounts of one event', async () => {
  const { paths } = await after(1, () => [
    'customerUpdated',
    person({
      instore: { cardNumbers: Array.from({ length: 500 }, (_, index) => `card-number-${index}`) },
      line: { accounts: Array.from({ length: 500 }, (_, index) => account(`account-${index}`)) },
    }),
  ]);
  expect(paths.filter((path) => path.startsWith('@id[cardNumber]'))).toHaveLength(100);
  expect(paths.filter((path) => path.startsWith('@id[email]'))).toHaveLength(100);
  expect(paths).toContain('@id[customerId].slot[own]');
});

it('keeps the programs with the newest events', async () => {
  const { paths, record } = await after(EVENTS, (index) => [
    'pointsIssued',
    {
      loyaltyProgramId: 1_000 + index,
      totalPointsIssued: 5,
      programCurrentPoints: index + 1,
    },
  ]);
  const programs = new Set(paths.filter((path) => path.startsWith('@p[')).map((path) => path.slice(0, 7)));
  expect([...programs].toSorted()).toEqual(
    Array.from({ length: 50 }, (_, index) => `@p[${1_000 + EVENTS - 50 + index}`),
  );
  expect(record['_id']).toBeDefined();
});

it('keeps the earliest registrations', async () => {
  const { paths, record } = await after(EVENTS, (index) => [
    'customerAdded',
    { registeredOn: AT - 86_400_000 + index * 1_000, enteredAt: AT - 86_400_000 + index * 1_000 },
  ]);
  expect(paths.filter((path) => path.startsWith('@joined'))).toHaveLength(20);
  expect(record['loyalty']).toMatchObject({ joinDate: '2026-11-05T21:20:00.000Z' });
});

it('keeps no single lots of an event with very many expiry dates, but its points', async () => {
  const dates = (index: number, length: number): JsonObject => ({
    loyaltyProgramId: 973,
    totalPointsIssued: length,
    ...(index === 0 ? { programCurrentPoints: length } : {}),
    regularPointsBreakup: Array.from({ length }, (_, day) => ({
      points: 1,
      expiryAtInMillis: AT + (day + 10) * 86_400_000,
    })),
  });
  const { state, record } = await after(2, (index) => ['pointsIssued', dates(index, 1_000)]);
  expect(state.length).toBeLessThan(1_500);
  expect(record['loyalty']).toMatchObject({ points: 2_000 });
  expect(record['loyalty']).not.toHaveProperty('pointsExpiration');
});

it('stores the awards of one time together', async () => {
  const issued: JsonObject = {
    loyaltyProgramId: 973,
    totalPointsIssued: 300,
    programCurrentPoints: 300,
    regularPointsBreakup: Array.from({ length: 300 }, () => ({
      points: 1,
      expiryAtInMillis: AT + 86_400_000,
    })),
  };
  const { state, record } = await after(2, (index) =>
    index === 0 ? ['customerAdded', { registeredOn: AT, enteredAt: AT }] : ['pointsIssued', issued],
  );
  expect(state.length).toBeLessThan(1_000);
  expect(record['loyalty']).toMatchObject({ pointsExpiration: [{ pointsExpiring: 300 }] });
});

it('reads names that no path can have', async () => {
  const { record, paths } = await after(1, () => [
    'customerUpdated',
    person({ 'li\ud800ne': { accounts: [account('a[\udc00].b%zz', 'ann')] }, ['__proto__']: {} }),
  ]);
  expect(paths).toContain('@id[email].slot[li%EF%BF%BDne%2Fa%5B%EF%BF%BD%5D.b%25zz]');
  expect(record['identityMap']).toBeDefined();
});
