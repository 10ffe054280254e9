import { z } from 'zod';
import type { EventState } from '../journal/journal.ts';
import { flag, limit, text, time } from './fields.ts';

const STATES = ['pending', 'delivered', 'ignored', 'dead', 'malformed'] as const satisfies EventState[];
const STATE = `must be one of ${STATES.join(', ')}, or several with commas between`;

const stateList = z.array(z.enum(STATES));

const states = z
  .union([z.string(), z.array(z.string())], { error: STATE })
  .transform((value, context) => {
    const parsed = stateList.safeParse([value].flat().flatMap((one) => one.split(',')));
    if (parsed.success) return parsed.data;
    context.addIssue({ code: 'custom', message: STATE });
    return z.NEVER;
  })
  .optional();

const span = { since: time().optional(), until: time().optional() };
const page = { cursor: text().optional(), limit: limit() };

/** What dead letters can be chosen by. */
export const deadLetterFields = {
  source: text().optional(),
  destination: text().optional(),
  eventName: text().optional(),
  reason: text().optional(),
  customerId: text().optional(),
  ...span,
};

/** What quarantined requests can be chosen by. */
export const quarantineFields = { source: text().optional(), ...span };

interface Span {
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** A span that ends before it begins matches nothing: surely a slip. */
export function isSpan({ since, until }: Span): boolean {
  return since === undefined || until === undefined || since < until;
}

export const SPAN_ERROR = { error: 'must be later than since', path: ['until'] };

function query<F extends z.ZodRawShape>(fields: F) {
  return z.strictObject({ ...fields, ...page });
}

/** Query of `GET /admin/v1/events`; `state` may be given several times. */
export const eventsQuery = query({ ...deadLetterFields, state: states, eventId: text().optional() }).refine(
  isSpan,
  SPAN_ERROR,
);

/** Query of `GET /admin/v1/dead-letters`. */
export const deadLettersQuery = query(deadLetterFields).refine(isSpan, SPAN_ERROR);

/** Query of `GET /admin/v1/quarantine`. */
export const quarantineQuery = query({ ...quarantineFields, body: flag(false) }).refine(isSpan, SPAN_ERROR);
