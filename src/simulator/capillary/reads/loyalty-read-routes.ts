import type { JsonObject } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../../adobe/exchange.ts';
import type { CapillaryCall, CapillaryRoute } from '../api/api-route.ts';
import { PROGRAMS } from '../world/brand.ts';
import { balanceOf, type PointsAccount, promisedOf } from '../world/points-account.ts';
import type { WorldCustomer } from '../world/world-customer.ts';
import { allLoyaltyDetails, expirySchedules, tierDetails } from './loyalty-view.ts';
import { contextOf, findLiveCustomer, integerOf, isTrue, type ReadContext, v2Error } from './read-context.ts';
import { parseServerTime, serverDay } from './server-time.ts';

const READ_POINTS = { resource: 'Points', rights: ['read'] } as const;
const READ_CUSTOMER = { resource: 'Customer', rights: ['read'] } as const;

type View = (customer: WorldCustomer, context: ReadContext) => Answer;

/** A read of one customer, which does not answer for merged and erased ones. */
function ofCustomer(view: View): CapillaryRoute['answer'] {
  return (call: CapillaryCall) => {
    const context = contextOf(call);
    const found = findLiveCustomer(context, call.params.customerId);
    if ('refusal' in found) return found.refusal;
    const programId = context.query.get('programId');
    if (programId !== null && !PROGRAMS.some(({ id }) => String(id) === programId))
      return v2Error(1212, 'Invalid program id');
    return view(found.customer, context);
  };
}

/**
 * The accounts that a light call is about: the default program's, unless another one is named or
 * all are wanted.
 */
function accountsFor({ accounts }: WorldCustomer, { query }: ReadContext): PointsAccount[] {
  if (isTrue(query, 'fetchDataForAllPrograms')) return accounts;
  const programId = query.get('programId');
  return accounts.filter(({ program }) =>
    programId === null ? program.isDefault : String(program.id) === programId,
  );
}

/** Answers for the accounts; 8089 if the customer is not a member. */
function ofAccounts(
  view: (accounts: readonly PointsAccount[], customer: WorldCustomer, context: ReadContext) => JsonObject,
): View {
  return (customer, context) => {
    const accounts = accountsFor(customer, context);
    if (accounts.length === 0) return v2Error(8089, 'Customer is not enrolled in the loyalty program');
    return jsonAnswer(200, { ...view(accounts, customer, context), warnings: [] });
  };
}

function readLoyaltyDetails(customer: WorldCustomer, context: ReadContext): Answer {
  const named = context.query.get('programId');
  const data = allLoyaltyDetails(customer, context).filter(
    ({ programId }) => named === null || programId === Number(named),
  );
  return jsonAnswer(200, { data, warnings: [], errors: [] });
}

function tierBody(
  accounts: readonly PointsAccount[],
  { customerId }: WorldCustomer,
  context: ReadContext,
): JsonObject {
  return {
    entityId: customerId,
    entityType: 'CUSTOMER',
    programTiers: accounts.map((account) => tierDetails(account, context)),
  };
}

/** With all programs it is one sum, not one balance for each. */
function balanceBody(accounts: readonly PointsAccount[], { customerId }: WorldCustomer): JsonObject {
  const main = accounts.reduce((total, account) => total + balanceOf(account), 0);
  const promised = accounts.reduce((total, account) => total + promisedOf(account), 0);
  return {
    entityId: customerId,
    entityType: 'CUSTOMER',
    ...(accounts.length === 1 ? { programId: accounts[0]?.program.id ?? -1 } : {}),
    totalPoints: main + promised,
    mainPoints: main,
    promisedPoints: promised,
    promisedPointsBreakup: { delayedAccrualPoints: promised, externalTriggerBasedPoints: 0 },
  };
}

/** Only what expires in the given days; without them, everything that is still to expire. */
function inWindow(
  schedules: (JsonObject & { expiryDate: string })[],
  { query, zone, now }: ReadContext,
): JsonObject[] {
  const start = parseServerTime(query.get('startDate') ?? serverDay(now, zone), zone);
  const end = parseServerTime(query.get('endDate') ?? '9999-12-31', zone, true);
  const found = schedules.filter(({ expiryDate }) => {
    const at = parseServerTime(expiryDate, zone);
    return at >= start && at <= end;
  });
  return isTrue(query, 'fetchEarliestExpiryOnly') ? found.slice(0, 1) : found;
}

function scheduleBody(
  accounts: readonly PointsAccount[],
  { customerId }: WorldCustomer,
  context: ReadContext,
): JsonObject {
  return {
    id: customerId,
    profiles: [],
    loyaltyInfo: { loyaltyType: 'loyalty' },
    segments: {},
    extendedFields: {},
    expirySchedules: inWindow(
      accounts.flatMap((account) => expirySchedules(account, context)),
      context,
    ),
  };
}

const MAX_EXPIRY_UPDATES = 10;

function expiryUpdates(customer: WorldCustomer, context: ReadContext): Answer {
  const { query, zone } = context;
  const limit = integerOf(query, 'limit', { fallback: MAX_EXPIRY_UPDATES, max: MAX_EXPIRY_UPDATES });
  const offset = integerOf(query, 'offset', { fallback: 0, max: 1_000_000 });
  const data = customer.accounts
    .flatMap(({ program, expiryChanges }) =>
      expiryChanges.map(({ lot, previous, expiresAt, at }) => ({
        pointAwardedRefId: lot.id,
        programId: program.id,
        pointsType: lot.kind,
        oldExpiryDate: serverDay(previous, zone),
        newExpiryDate: serverDay(expiresAt, zone),
        updatedOn: serverDay(at, zone),
      })),
    )
    .toReversed()
    .slice(offset, offset + limit);
  return jsonAnswer(200, { data, warnings: [], errors: [] });
}

/** Balances, tiers and expiry dates (docs/platforms/capillary.md#loyalty-reads). */
export const LOYALTY_READ_ROUTES: readonly CapillaryRoute[] = [
  {
    method: 'GET',
    path: '/v2/customers/:customerId/loyaltyDetails',
    access: READ_CUSTOMER,
    answer: ofCustomer(readLoyaltyDetails),
  },
  {
    method: 'GET',
    path: '/v2/customers/:customerId/tierDetails',
    access: READ_CUSTOMER,
    answer: ofCustomer(ofAccounts(tierBody)),
  },
  {
    method: 'GET',
    path: '/v2/customers/:customerId/points/balance',
    access: READ_POINTS,
    answer: ofCustomer(ofAccounts(balanceBody)),
  },
  {
    method: 'GET',
    path: '/v2/customers/:customerId/pointsExpirySchedule',
    access: READ_POINTS,
    answer: ofCustomer(ofAccounts(scheduleBody)),
  },
  {
    method: 'GET',
    path: '/v2/customers/:customerId/singlePointsExpiryUpdates',
    access: READ_POINTS,
    answer: ofCustomer(expiryUpdates),
  },
];
