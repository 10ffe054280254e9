import { type Answer, jsonAnswer } from '../../adobe/exchange.ts';
import { apiError } from '../api/api-answers.ts';
import type { CapillaryCall, CapillaryRoute } from '../api/api-route.ts';
import type { Bill } from '../world/world-bill.ts';
import {
  contextOf,
  embedsOf,
  findLiveCustomer,
  integerOf,
  isTrue,
  type ReadContext,
  v2Error,
} from './read-context.ts';
import { parseServerTime } from './server-time.ts';
import { transactionItem, transactionView } from './transaction-view.ts';

const READ = { resource: 'Transaction', rights: ['read'] } as const;

const TYPES = ['REGULAR', 'RETURN', 'NOT_INTERESTED', 'NOT_INTERESTED_RETURN'];

/** The bill of the id and type; a bill of another type is unknown. */
function findBill({ world, query, now, unknownMs }: ReadContext, id: string | undefined): Bill | Answer {
  const type = query.get('type')?.toUpperCase() ?? 'REGULAR';
  if (!TYPES.includes(type)) return v2Error(620, 'Invalid transaction type');
  const bill = world.bills.get(Number(id));
  const isKnown = bill !== undefined && bill.type === type && now >= bill.recordedAt + unknownMs;
  return isKnown ? bill : v2Error(603, 'Invalid transaction id');
}

function readTransaction(call: CapillaryCall): Answer {
  const context = contextOf(call);
  const { now, query } = context;
  const bill = findBill(context, call.params.transactionId);
  if (!('lines' in bill)) return bill;
  if (now < bill.recordedAt + call.twin.settings.world.freshBillMs)
    return apiError('v2', 521, 521, 'Multiple actions are running for the same customer');
  const points = isTrue(query, 'mlp') && isTrue(query, 'points_breakup');
  return jsonAnswer(200, transactionView(bill, context, { tenders: isTrue(query, 'tenders'), points }));
}

/** Numbers need not be unique; breakdowns of points work with the id only. */
function readByNumber(call: CapillaryCall): Answer {
  const context = contextOf(call);
  const bills = [...context.world.bills.values()].filter(({ number }) => number === call.params.number);
  if (bills.length === 0) return v2Error(607, 'Invalid transaction number');
  const tenders = isTrue(context.query, 'tenders');
  return jsonAnswer(200, {
    pagination: { limit: 20, offset: 0, total: bills.length },
    data: bills.map((bill) => transactionView(bill, context, { tenders, points: false })),
    warnings: [],
  });
}

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1_000;

function matches({ query, zone }: ReadContext): (bill: Bill) => boolean {
  const start = parseServerTime(query.get('startDate') ?? '1970-01-01', zone);
  const end = parseServerTime(query.get('endDate') ?? '9999-12-31', zone, true);
  const startId = Number(query.get('startId') ?? 0);
  const endId = Number(query.get('endId') ?? Number.MAX_SAFE_INTEGER);
  const ids = query.get('transactionId')?.split(',').map(Number);
  const number = query.get('number');
  return (bill) =>
    bill.billedAt >= start &&
    bill.billedAt <= end &&
    bill.id >= startId &&
    bill.id <= endId &&
    (ids?.includes(bill.id) ?? true) &&
    (number === null || bill.number === number);
}

function readTransactions(call: CapillaryCall): Answer {
  const context = contextOf(call);
  const found = findLiveCustomer(context, call.params.customerId);
  if ('refusal' in found) return found.refusal;
  const { query } = context;
  const limit = integerOf(query, 'limit', { fallback: DEFAULT_LIMIT, max: MAX_LIMIT });
  const offset = integerOf(query, 'offset', { fallback: 0, max: 1_000_000_000 });
  const bills = found.customer.bills.filter(matches(context));
  const ordered = query.get('sortOrder')?.toUpperCase() === 'ASC' ? bills : bills.toReversed();
  const embeds = embedsOf(query);
  return jsonAnswer(200, {
    pagination: { limit, offset, total: bills.length },
    data: ordered.slice(offset, offset + limit).map((bill) => transactionItem(bill, context, embeds)),
    warnings: [],
    errors: [],
  });
}

/** Bills with their lines (docs/platforms/capillary.md#transaction-reads). */
export const TRANSACTION_READ_ROUTES: readonly CapillaryRoute[] = [
  { method: 'GET', path: '/v2/transactions/getByBillNumber/:number', access: READ, answer: readByNumber },
  { method: 'GET', path: '/v2/transactions/:transactionId', access: READ, answer: readTransaction },
  {
    method: 'GET',
    path: '/v2/customers/:customerId/transactions',
    access: READ,
    answer: readTransactions,
  },
];
