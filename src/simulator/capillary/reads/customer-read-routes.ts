import type { JsonObject } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../../adobe/exchange.ts';
import type { CapillaryCall, CapillaryRoute } from '../api/api-route.ts';
import type { WorldCustomer } from '../world/world-customer.ts';
import { customerView, subscriptionList } from './customer-view.ts';
import { allLoyaltyDetails } from './loyalty-view.ts';
import {
  contextOf,
  findCustomer,
  findLiveCustomer,
  MERGED_WARNING,
  notFound,
  type ReadContext,
  sourceRefusal,
  v2Error,
} from './read-context.ts';
import { isoTime } from './server-time.ts';

const READ = { resource: 'Customer', rights: ['read'] } as const;

/** `slabHistory` and both gaps are in blocks that only `embed=mlp` adds. */
function customerAnswer(customer: WorldCustomer, context: ReadContext): Answer {
  // The merged customer's own data is still there: only the warning says whose it is now.
  const warnings = customer.state === 'merged' ? [{ status: false, ...MERGED_WARNING }] : [];
  return jsonAnswer(200, customerView(customer, context, warnings));
}

function readCustomer(call: CapillaryCall): Answer {
  const context = contextOf(call);
  const refusal = sourceRefusal(context);
  if (refusal) return refusal;
  const found = findCustomer(context, call.params.customerId);
  return 'refusal' in found ? found.refusal : customerAnswer(found.customer, context);
}

const IDENTIFIERS: Readonly<Record<string, (customer: WorldCustomer) => string>> = {
  mobile: ({ mobile }) => mobile,
  email: ({ email }) => email,
  externalid: ({ externalId }) => externalId,
  cardnumber: ({ cardNumber }) => cardNumber,
  id: ({ customerId }) => String(customerId),
};

/**
 * The customer with an identifier. Those of a merged customer find the survivor until they are
 * released; erased customers have none.
 */
export function findByIdentifier(
  context: ReadContext,
): { readonly customer: WorldCustomer } | { readonly refusal: Answer } {
  const refusal = sourceRefusal(context);
  if (refusal) return { refusal };
  const { world, query } = context;
  const identifierOf = IDENTIFIERS[query.get('identifierName')?.toLowerCase() ?? ''];
  const value = query.get('identifierValue')?.toLowerCase() ?? '';
  if (identifierOf === undefined) return { refusal: v2Error(8130, 'Invalid identifier name passed') };
  if (value === '') return { refusal: v2Error(8013, 'Invalid customer identifier passed') };
  const owner = [...world.customers.values()].find(
    (customer) => customer.state !== 'erased' && identifierOf(customer).toLowerCase() === value,
  );
  const survivor = owner?.mergedInto === undefined ? owner : world.customers.get(owner.mergedInto);
  return survivor ? { customer: survivor } : { refusal: notFound() };
}

function lookUpId(call: CapillaryCall): Answer {
  const found = findByIdentifier(contextOf(call));
  if ('refusal' in found) return found.refusal;
  return jsonAnswer(200, { entity: found.customer.customerId, warnings: [] });
}

function lookUpDetails(call: CapillaryCall): Answer {
  const context = contextOf(call);
  const found = findByIdentifier(context);
  return 'refusal' in found ? found.refusal : customerAnswer(found.customer, context);
}

function lookUpLoyalty(call: CapillaryCall): Answer {
  const context = contextOf(call);
  const found = findByIdentifier(context);
  if ('refusal' in found) return found.refusal;
  return jsonAnswer(200, { data: allLoyaltyDetails(found.customer, context), warnings: [], errors: [] });
}

function readSubscriptions(call: CapillaryCall): Answer {
  const found = findLiveCustomer(contextOf(call), call.params.customerId);
  if ('refusal' in found) return found.refusal;
  return jsonAnswer(200, {
    subscriptions: subscriptionList(found.customer),
    campaignId: 0,
    communicationId: 0,
    warnings: [],
  });
}

function readLoyaltyEvents(call: CapillaryCall): Answer {
  const context = contextOf(call);
  const found = findLiveCustomer(context, call.params.customerId);
  if ('refusal' in found) return found.refusal;
  const { loyaltyLog, customerId } = found.customer;
  const data = loyaltyLog.toReversed().map(
    ({ id, at, eventName, uniqueId }): JsonObject => ({
      id,
      customerId,
      date: isoTime(at, context.zone),
      eventName,
      orgId: context.world.orgId,
      status: 'SUCCESS',
      uniqueId,
    }),
  );
  return jsonAnswer(200, { data, warnings: [], errors: [] });
}

/** Customers by id and by identifier (docs/platforms/capillary.md#customer-reads). */
export const CUSTOMER_READ_ROUTES: readonly CapillaryRoute[] = [
  { method: 'GET', path: '/v2/customers/lookup', access: READ, answer: lookUpId },
  { method: 'GET', path: '/v2/customers/lookup/customerDetails', access: READ, answer: lookUpDetails },
  { method: 'GET', path: '/v2/customers/lookup/loyaltyDetails', access: READ, answer: lookUpLoyalty },
  { method: 'GET', path: '/v2/customers/:customerId', access: READ, answer: readCustomer },
  {
    method: 'GET',
    path: '/v2/customers/:customerId/subscriptions',
    access: READ,
    answer: readSubscriptions,
  },
  {
    method: 'GET',
    path: '/v2/customers/:customerId/loyaltyEvents',
    access: READ,
    answer: readLoyaltyEvents,
  },
];
