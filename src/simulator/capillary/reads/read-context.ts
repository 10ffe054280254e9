import type { Answer } from '../../adobe/exchange.ts';
import { jsonAnswer } from '../../adobe/exchange.ts';
import { apiError } from '../api/api-answers.ts';
import type { CapillaryCall } from '../api/api-route.ts';
import { createWorld, type World } from '../world/world.ts';
import type { WorldCustomer } from '../world/world-customer.ts';
import type { ServerZone } from './server-time.ts';

/** What a read needs to know about its call. */
export interface ReadContext {
  readonly world: World;
  readonly zone: ServerZone;
  readonly bareBillingTimes: boolean;
  /** Epoch ms. */
  readonly now: number;
  /** What is newer is not found yet, in ms. */
  readonly unknownMs: number;
  /** Whether personal data is shown; else asterisks. */
  readonly showsPersonalData: boolean;
  readonly query: URLSearchParams;
}

/** Only the twin's organisation has customers: the client of another one finds none. */
function worldOf({ twin, caller }: CapillaryCall): World {
  return caller.orgId === twin.org ? twin.world : createWorld({ orgId: caller.orgId });
}

export function contextOf(call: CapillaryCall): ReadContext {
  const { twin, caller, query, now } = call;
  const { serverZone, bareBillingTimes, unknownMs } = twin.settings.world;
  return {
    world: worldOf(call),
    zone: serverZone,
    bareBillingTimes,
    now,
    unknownMs,
    showsPersonalData: caller.hasPsiAccess,
    query,
  };
}

/** As many asterisks as the value has characters (docs/platforms/capillary.md#api-access). */
export function masked({ showsPersonalData }: ReadContext, value: string): string {
  return showsPersonalData ? value : '*'.repeat(value.length);
}

/** v2 answers errors with HTTP 200 (docs/platforms/capillary.md#api-errors). */
export function v2Error(code: number, message: string): Answer {
  return apiError('v2', 200, code, message);
}

/** A missing parameter: neither a code nor a text. */
function blankRefusal(): Answer {
  return { status: 400, headers: {}, body: '' };
}

export const MERGED_WARNING = { code: 8069, message: 'Customer is merged with another customer' };

/** HTTP 500 in the shape of v1.1, for a condition that never ends. */
function erasedAnswer(customerId: number): Answer {
  const message = 'Customer is deleted after PII delete request';
  return jsonAnswer(500, {
    response: {
      status: {
        success: 'false',
        code: 500,
        message: 'All requests have failed due to errors',
        total: '1',
        success_count: '0',
      },
      customers: {
        customer: [
          {
            id: String(customerId),
            item_status: { success: 'false', code: '8109', message, warnings: { warning: [] } },
          },
        ],
      },
    },
  });
}

export function notFound(): Answer {
  return v2Error(8015, 'Customer not found for the given identifiers');
}

/** The customer of an id, or why there is none to read. */
export function findCustomer(
  { world, now, unknownMs }: ReadContext,
  id: string | undefined,
): { readonly customer: WorldCustomer } | { readonly refusal: Answer } {
  if (id === undefined || !/^\d+$/.test(id))
    return { refusal: v2Error(8013, 'Invalid customer identifier passed') };
  const customer = world.customers.get(Number(id));
  if (customer === undefined || now < customer.joinedAt + unknownMs) return { refusal: notFound() };
  if (customer.state === 'erased') return { refusal: erasedAnswer(customer.customerId) };
  return { customer };
}

/** The customer of a call that does not answer for a merged one. */
export function findLiveCustomer(context: ReadContext, id: string | undefined) {
  const found = findCustomer(context, id);
  if ('refusal' in found || found.customer.state !== 'merged') return found;
  return { refusal: v2Error(MERGED_WARNING.code, MERGED_WARNING.message) };
}

const IN_STORE = ['INSTORE', 'ALL'];
const ACCOUNT_SOURCES = ['WECHAT', 'MARTJACK', 'LINE', 'FACEBOOK', 'TMALL', 'WEB_ENGAGE'];
const OTHER_SOURCES = ['MOBILE_APP', 'WEBSITE', 'ECOMMERCE'];

/** Why the customer cannot be read in this source; the customers of the twin are in INSTORE. */
export function sourceRefusal({ query }: ReadContext): Answer | undefined {
  const source = query.get('source')?.toUpperCase();
  if (source === undefined || source === '') return blankRefusal();
  if (IN_STORE.includes(source)) return undefined;
  if (ACCOUNT_SOURCES.includes(source) && !query.get('accountId'))
    return v2Error(8045, 'Account id is required for the source');
  if (ACCOUNT_SOURCES.includes(source) || OTHER_SOURCES.includes(source))
    return v2Error(8065, 'Customer not found in the given source');
  return v2Error(8012, 'Invalid source passed');
}

export function isTrue(query: URLSearchParams, name: string): boolean {
  return query.get(name)?.toLowerCase() === 'true';
}

/** The values of `embed`, in lower case. */
export function embedsOf(query: URLSearchParams): ReadonlySet<string> {
  const values = query.getAll('embed').flatMap((text) => text.split(','));
  return new Set(values.map((value) => value.trim().toLowerCase()));
}

/** A whole number of a parameter within limits; the default if there is none. */
export function integerOf(
  query: URLSearchParams,
  name: string,
  { fallback, max }: { readonly fallback: number; readonly max: number },
): number {
  const value = Number(query.get(name) ?? fallback);
  return Number.isInteger(value) && value >= 0 ? Math.min(value, max) : fallback;
}
