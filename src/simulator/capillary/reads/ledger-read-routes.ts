import type { JsonObject } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../../adobe/exchange.ts';
import type { CapillaryCall, CapillaryRoute } from '../api/api-route.ts';
import { balanceOf, type LedgerEntry, type PointsAccount, promisedOf } from '../world/points-account.ts';
import type { WorldCustomer } from '../world/world-customer.ts';
import { findByIdentifier } from './customer-read-routes.ts';
import { contextOf, integerOf, masked, type ReadContext, v2Error } from './read-context.ts';
import { isoTime, legacyTime, parseServerTime } from './server-time.ts';

const READ = { resource: 'Points', rights: ['read'] } as const;

/** Points are strings with three decimals. */
function pointsText(points: number): string {
  return points.toFixed(3);
}

function transactionOf({ billId }: LedgerEntry, { world, zone }: ReadContext): JsonObject | undefined {
  const bill = billId === undefined ? undefined : world.bills.get(billId);
  return (
    bill && {
      transactionId: bill.id,
      transactionNumber: bill.number,
      date: `${legacyTime(bill.billedAt, zone)}.0`,
      dateISO: isoTime(bill.billedAt, zone),
      amount: bill.amount / 100,
      grossBillAmount: bill.gross / 100,
      source: 'instore',
    }
  );
}

/** One event, which can have an entry for each category of points. */
function eventView(
  entries: readonly LedgerEntry[],
  { program }: PointsAccount,
  customer: WorldCustomer,
  context: ReadContext,
): JsonObject {
  const { zone, world } = context;
  const [first] = entries;
  const at = first?.at ?? 0;
  const net = entries.reduce((total, { type, points }) => total + (type === 'CREDIT' ? points : -points), 0);
  const transactionDetails = first && transactionOf(first, context);
  return {
    eventLogId: first?.eventLogId ?? -1,
    eventName: first?.eventName ?? 'GenericEvent',
    customerId: customer.customerId,
    ledgerCreatedDate: `${legacyTime(at, zone)}.0`,
    ledgerCreatedDateISO: isoTime(at, zone),
    entryDetails: entries.map(({ type, points, category }) => ({
      ledgerEntryType: type,
      points: pointsText(points),
      pointsCategory: category,
      programName: program.name,
      programId: program.id,
    })),
    netPointsOnEvent: pointsText(net),
    netAlternateCurrenciesOnEvent: {},
    ...(transactionDetails ? { transactionDetails } : {}),
    store: customer.till.store.name,
    storeCode: customer.till.store.code,
    tillCode: customer.till.code,
    eventDetails: { eventDate: `${legacyTime(at, zone)}.0`, eventDateISO: isoTime(at, zone) },
    sourceProgramId: program.id,
    sourceProgramName: program.name,
    orgId: world.orgId,
  };
}

/** The events of the customer's ledger, newest first. */
function eventsOf(customer: WorldCustomer, context: ReadContext): JsonObject[] {
  const { query, zone } = context;
  const programId = query.get('programId');
  const start = parseServerTime(query.get('startDate') ?? '1970-01-01', zone);
  const end = parseServerTime(query.get('endDate') ?? '9999-12-31', zone, true);
  const isAsked = ({ at }: LedgerEntry): boolean => at >= start && at <= end;
  return customer.accounts
    .filter(({ program }) => programId === null || String(program.id) === programId)
    .flatMap((account) =>
      [...Map.groupBy(account.ledger.filter(isAsked), ({ eventLogId }) => eventLogId).values()].map(
        (entries) => ({ at: entries[0]?.at ?? 0, view: eventView(entries, account, customer, context) }),
      ),
    )
    .toSorted((a, b) => b.at - a.at)
    .map(({ view }) => view);
}

const MAX_LIMIT = 100;

function ledgerAnswer(call: CapillaryCall, isWanted: (event: JsonObject) => boolean): Answer {
  const context = contextOf(call);
  const found = findByIdentifier(context);
  if ('refusal' in found) return found.refusal;
  const { customer } = found;
  const { query } = context;
  const pageSize = integerOf(query, 'limit', { fallback: 10, max: MAX_LIMIT });
  const offset = integerOf(query, 'offset', { fallback: 0, max: 1_000_000 });
  const events = eventsOf(customer, context).filter(isWanted);
  return jsonAnswer(200, {
    customerDetails: {
      firstName: masked(context, customer.firstName),
      lastName: masked(context, customer.lastName),
      userId: customer.customerId,
      externalId: customer.externalId,
      entityType: 'CUSTOMER',
    },
    ledgerDetails: {
      pageNumber: pageSize === 0 ? 0 : Math.floor(offset / pageSize),
      pageSize,
      totalEntries: events.length,
      pageCount: pageSize === 0 ? 0 : Math.ceil(events.length / pageSize),
    },
    ledgerEntries: events.slice(offset, offset + pageSize),
    warnings: [],
  });
}

function explode(call: CapillaryCall): Answer {
  const ids = call.query.get('eventIds')?.split(',').map(Number) ?? [];
  return ledgerAnswer(call, ({ eventLogId }) => ids.some((id) => id === eventLogId));
}

/** What is in the account at a time: today's balance without what happened since. */
function closingBalance(
  { ledger }: PointsAccount,
  category: LedgerEntry['category'],
  now: number,
  at: number,
) {
  const later = ledger.filter((entry) => entry.category === category && entry.at > at);
  return later.reduce((total, { type, points }) => total - (type === 'CREDIT' ? points : -points), now);
}

/** The only read of a balance at a time; it does not take the customer's id. */
function readBalance(call: CapillaryCall): Answer {
  const context = contextOf(call);
  const { query, zone, now } = context;
  if (query.get('identifierName')?.toLowerCase() === 'id')
    return v2Error(8130, 'Invalid identifier name passed');
  const found = findByIdentifier(context);
  if ('refusal' in found) return found.refusal;
  const end = query.get('endDate');
  const at = end === null ? now : parseServerTime(end, zone, true);
  const balances = found.customer.accounts.flatMap((account) => {
    const { id: programId, name: programName } = account.program;
    const main = closingBalance(account, 'Main', balanceOf(account), at);
    const promised = closingBalance(account, 'Promised', promisedOf(account), at);
    return [
      { pointsCategory: 'Main', programName, programId, closingBalance: pointsText(main) },
      { pointsCategory: 'Promised', programName, programId, closingBalance: pointsText(promised) },
    ];
  });
  return jsonAnswer(200, { ledgerDetails: { ledgerClosingBalance: balances }, warnings: [] });
}

/** What exactly happened to points (docs/platforms/capillary.md#loyalty-reads). */
export const LEDGER_READ_ROUTES: readonly CapillaryRoute[] = [
  {
    method: 'GET',
    path: '/v2/pointsLedger/getCustomerLedgerInfo',
    access: READ,
    answer: (call) => ledgerAnswer(call, () => true),
  },
  { method: 'GET', path: '/v2/pointsLedger/getLedgerExplodeInfo', access: READ, answer: explode },
  { method: 'GET', path: '/v2/pointsLedger/getCustomerLedgerBalance', access: READ, answer: readBalance },
];
