import { z } from 'zod';
import type { CustomerAnswer } from '../entities.ts';
import { customerIdText } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';
import { anId, aText, listOf, objectOf } from './answer-fields.ts';
import type { ApiSuccess } from './api-answer.ts';
import type { ApiError } from './api-errors.ts';
import type { CapillaryClient } from './capillary-client.ts';
import { customerIn } from './customer-answer.ts';
import type { LoyaltyContext } from './program-answer.ts';
import { type ReadAnswer, type Reading, readOnce } from './read-answer.ts';

/** All that a profile can show. Source: docs/platforms/capillary.md#customer-reads */
const QUERY = {
  source: 'ALL',
  embed: 'mlp,points,subscriptions,customerStatus,expirySchedules',
  slabHistory: true,
  gapToUpgrade: 0,
  gapToRenew: 0,
};

/* Codes that can be errors or warnings. Source: docs/platforms/capillary.md#api-errors */
const MERGED = '8069';
const SURVIVOR_ANSWERED = '91009';
const POINTS_MISSING = '8062';
const SEGMENTS_MISSING = '8063';
const NO_LOYALTY = ['8089', '1013', '1020'];

/** Beside these the answer can have the customer. */
const TOLERATED = [MERGED, SEGMENTS_MISSING, ...NO_LOYALTY];

function readingOf(
  asked: string,
  body: JsonObject,
  { warnings }: ApiSuccess,
  context: LoyaltyContext,
): Reading<CustomerAnswer> {
  const has = (...codes: string[]): boolean => warnings.some(({ code }) => codes.includes(code));
  const id = customerIdText(body['id']);
  if (has(MERGED)) {
    // With another id it is the survivor's; else it is what the merged one was.
    return id === undefined || id === asked
      ? { value: { kind: 'merged' } }
      : { value: { kind: 'merged', into: id, customer: customerIn(body, id, context).customer } };
  }
  if (has(POINTS_MISSING))
    return { error: { kind: 'incomplete', code: POINTS_MISSING, text: 'the points could not be read' } };
  if (id === undefined)
    return has(...NO_LOYALTY) ? { value: { kind: 'no-loyalty' } } : { lacks: 'without a customer' };
  if (id !== asked) return { lacks: 'about another customer' };
  const { customer, isLoyal } = customerIn(body, id, context);
  const isMember = customer.programs.length > 0 || (isLoyal && !has(...NO_LOYALTY));
  return { value: { kind: isMember ? 'found' : 'no-loyalty', customer } };
}

/** Refusals that say what has become of the customer. */
function meaningOf({ kind }: ApiError): { readonly value: CustomerAnswer } | undefined {
  if (kind === 'customer-deleted') return { value: { kind: 'erased' } };
  if (kind === 'customer-merged') return { value: { kind: 'merged' } };
  return kind === 'no-loyalty' ? { value: { kind: 'no-loyalty' } } : undefined;
}

/**
 * Reads the whole customer. Of a merged one usually nothing more is answered: see `readSurvivor`.
 * Without its points an answer is a failure (`incomplete`), because a balance of none is another.
 */
export function readCustomer(
  client: Pick<CapillaryClient, 'get'>,
  customerId: string,
  context: LoyaltyContext,
  signal: AbortSignal,
): Promise<ReadAnswer<CustomerAnswer>> {
  return readOnce(client, {
    path: '/v2/customers/{id}',
    id: customerId,
    query: QUERY,
    tolerated: TOLERATED,
    signal,
    read: (body, answer) => readingOf(customerId, body, answer, context),
    meaning: meaningOf,
  });
}

const code = objectOf({ code: aText });

const survivorSchema = z.object({
  response: objectOf({
    customers: objectOf({
      customer: listOf({ id: anId, user_id: anId, item_status: code }),
    }),
  }),
});

/** That the id differs is not enough where it is not said to be the customer's. */
function survivorIn(asked: string, body: JsonObject, { warnings }: ApiSuccess): Reading<string | undefined> {
  const [customer] = survivorSchema.parse(body).response?.customers?.customer ?? [];
  if (customer === undefined) return { lacks: 'without a customer' };
  const userId = customerIdText(customer.user_id);
  const id = userId ?? customerIdText(customer.id);
  const isSaid =
    userId !== undefined ||
    customer.item_status?.code === SURVIVOR_ANSWERED ||
    warnings.some((warning) => warning.code === SURVIVOR_ANSWERED);
  return { value: isSaid && id !== asked ? id : undefined };
}

/**
 * The id of the customer that a merged one has become; undefined if the answer does not say it.
 * Only the older API answers that, with the survivor in place of the one who was asked for.
 */
export function readSurvivor(
  client: Pick<CapillaryClient, 'get'>,
  customerId: string,
  signal: AbortSignal,
): Promise<ReadAnswer<string | undefined>> {
  return readOnce(client, {
    path: '/v1.1/customer/get',
    query: { format: 'json', id: customerId },
    signal,
    read: (body, answer) => survivorIn(customerId, body, answer),
  });
}
