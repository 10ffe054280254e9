import type { JsonObject } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../../adobe/exchange.ts';
import type { CapillaryCall, CapillaryRoute } from '../api/api-route.ts';
import { balanceOf } from '../world/points-account.ts';
import type { WorldCustomer } from '../world/world-customer.ts';
import { defaultAccount } from './loyalty-view.ts';
import { contextOf, masked, type ReadContext } from './read-context.ts';
import { legacyTime } from './server-time.ts';

const READ = { resource: 'Customer', rights: ['read'] } as const;

interface Item {
  readonly view: JsonObject;
  readonly isSuccess: boolean;
}

function failed(id: string, code: string, message: string): Item {
  const status = { success: 'false', code, message, warnings: { warning: [] } };
  return { view: { id, item_status: status }, isSuccess: false };
}

/** Every value is a string, and times have no zone. */
function customerItem(customer: WorldCustomer, context: ReadContext, warnings: JsonObject[]): Item {
  const account = defaultAccount(customer);
  const status = {
    success: 'true',
    code: '1000',
    message: 'Customer successfully retrieved',
    warnings: { warning: warnings },
  };
  const view = {
    id: String(customer.customerId),
    user_id: String(customer.customerId),
    firstname: masked(context, customer.firstName),
    lastname: masked(context, customer.lastName),
    mobile: masked(context, customer.mobile),
    email: masked(context, customer.email),
    external_id: customer.externalId,
    loyalty_points: String(account ? balanceOf(account) : 0),
    lifetime_points: String(account?.lifetimePoints ?? 0),
    lifetime_purchases: String((account?.purchases ?? 0) / 100),
    current_slab: account?.standing.tier.name ?? '',
    registered_on: legacyTime(customer.joinedAt, context.zone),
    updated_on: legacyTime(customer.modifiedAt, context.zone),
    type: 'LOYALTY',
    source: 'INSTORE',
    custom_fields: { field: [{ name: 'favourite_tea', value: customer.favouriteTea }] },
    item_status: status,
  };
  return { view, isSuccess: true };
}

const MERGED = { code: '91009', message: 'The customer was merged; this is the surviving customer' };

/** A merged customer's id answers with the survivor, whose id is another one. */
function itemOf(id: string, context: ReadContext): Item {
  const { now, unknownMs, world } = context;
  const { customers } = world;
  const customer = customers.get(Number(id));
  if (customer === undefined || now < customer.joinedAt + unknownMs)
    return failed(id, '1012', 'Customer not found');
  if (customer.state === 'erased') return failed(id, '8109', 'Customer is deleted after PII delete request');
  const survivor = customer.mergedInto === undefined ? undefined : customers.get(customer.mergedInto);
  return survivor ? customerItem(survivor, context, [{ ...MERGED }]) : customerItem(customer, context, []);
}

function readCustomers(call: CapillaryCall): Answer {
  const context = contextOf(call);
  const ids = context.query.get('id')?.split(',') ?? [];
  const items = ids.map((id) => itemOf(id.trim(), context));
  const successes = items.filter(({ isSuccess }) => isSuccess).length;
  const hasSuccess = successes > 0;
  const status = {
    success: String(hasSuccess),
    code: hasSuccess ? 200 : 500,
    message: hasSuccess ? 'SUCCESS' : 'All requests have failed due to errors',
    total: String(items.length),
    success_count: String(successes),
  };
  const customer = items.map(({ view }) => view);
  return jsonAnswer(hasSuccess ? 200 : 500, { response: { status, customers: { customer } } });
}

/** The older read, which takes several ids (docs/platforms/capillary.md#customer-reads). */
export const LEGACY_CUSTOMER_ROUTES: readonly CapillaryRoute[] = [
  { method: 'GET', path: '/v1.1/customer/get', access: READ, answer: readCustomers },
];
