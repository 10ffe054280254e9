import { z } from 'zod';
import { suggest } from '../config/nearest.ts';
import { ProblemError } from '../http/problems.ts';
import {
  type EventFilter,
  type EventState,
  type Page,
  type PageRequest,
  RefusedError,
} from '../journal/journal.ts';
import { timeField } from './time-field.ts';

/** Errors reported in one response. */
const MAX_ERRORS = 3;

/**
 * Validates input of a caller.
 * @throws ProblemError `bad-request` with the fields and what they must be, without any value
 */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new ProblemError('bad-request', parsed.error.issues.slice(0, MAX_ERRORS).map(messageOf).join('; '));
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.slice(0, MAX_ERRORS).map((key) => key.slice(0, 40));
    return `${[...issue.path, keys.join(', ')].join('.')}: is not a known field; remove it`;
  }
  return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`;
}

/** Characters of an event id in a request; a URL has room for few more. */
export const MAX_EVENT_ID_LENGTH = 8_000;

const STRING_ERROR = 'must be a string of 1 to 300 characters, given once; omit it to match all';
const LIMIT_ERROR = 'must be an integer from 1 to 500';
const FLAG_ERROR = 'must be true or false';

/** A name, code or id. */
export function nonEmptyString(error = STRING_ERROR) {
  return z.string({ error }).min(1, { error }).max(300, { error });
}

const EVENT_ID_ERROR = `must be a string of 1 to ${MAX_EVENT_ID_LENGTH} characters, given once; omit it to match all`;

/** An event id of Capillary, which can be long. */
function eventIdField() {
  return z.string({ error: EVENT_ID_ERROR }).min(1, { error: EVENT_ID_ERROR }).max(MAX_EVENT_ID_LENGTH, {
    error: EVENT_ID_ERROR,
  });
}

function pageLimit() {
  return z
    .string({ error: LIMIT_ERROR })
    .regex(/^\d{1,3}$/, { error: LIMIT_ERROR })
    .transform(Number)
    .refine((count) => count >= 1 && count <= 500, { error: LIMIT_ERROR })
    .default(100);
}

/** A boolean in a query. */
export function queryFlag(fallback: boolean) {
  return z
    .enum(['true', 'false'], { error: FLAG_ERROR })
    .transform((value) => value === 'true')
    .default(fallback);
}

/** A boolean in a JSON body; false by default. */
export function bodyFlag() {
  return z.boolean({ error: FLAG_ERROR }).default(false);
}

const STATES = ['pending', 'delivered', 'ignored', 'dead', 'malformed'] as const satisfies EventState[];
const STATE_ERROR = `must be one of ${STATES.join(', ')}, or several separated by commas`;

const stateList = z.array(z.enum(STATES));

const states = z
  .union([z.string(), z.array(z.string())], { error: STATE_ERROR })
  .transform((value, context) => {
    const words = [value].flat().flatMap((text) => text.split(','));
    const parsed = stateList.safeParse(words);
    if (parsed.success) return parsed.data;
    const wrong = words.find((word) => !STATES.some((state) => state === word)) ?? '';
    const meant = suggest(wrong, STATES, '');
    context.addIssue({ code: 'custom', message: [STATE_ERROR, meant].filter(Boolean).join('; ') });
    return z.NEVER;
  })
  .optional();

const MAX_LOOKED_UP = 100;
const LOOKED_UP_ERROR = `must be at most ${MAX_LOOKED_UP} receipts of 1 to 300 characters, separated by commas`;

const receiptList = z
  .union([z.string(), z.array(z.string())], { error: LOOKED_UP_ERROR })
  .transform((value) => [...new Set([value].flat().flatMap((text) => text.split(',')))])
  .refine(
    (receipts) =>
      receipts.length <= MAX_LOOKED_UP && receipts.every(({ length }) => length >= 1 && length <= 300),
    { error: LOOKED_UP_ERROR },
  )
  .optional();

const timeRange = { since: timeField().optional(), until: timeField().optional() };
const settlementRange = { settledSince: timeField().optional(), settledUntil: timeField().optional() };
const page = { cursor: nonEmptyString().optional(), limit: pageLimit() };

/** Filter fields for dead letters. */
const deadLetterFields = {
  source: nonEmptyString().optional(),
  destination: nonEmptyString().optional(),
  eventName: nonEmptyString().optional(),
  reason: nonEmptyString().optional(),
  customerId: nonEmptyString().optional(),
  ...timeRange,
  ...settlementRange,
};

/** Filter fields for events in any state. */
export const eventFields = { ...deadLetterFields, eventId: eventIdField().optional() };

/** Filter fields for quarantined requests. */
const quarantineFields = { source: nonEmptyString().optional(), ...timeRange };

const RANGES = [
  ['since', 'until'],
  ['settledSince', 'settledUntil'],
] as const;

type TimeRanges = Partial<Record<(typeof RANGES)[number][number], number | undefined>>;

/** A range that ends before it starts would match nothing; it is probably a mistake. */
function withRangeCheck<S extends z.ZodType<TimeRanges>>(schema: S) {
  return schema.superRefine((times, context) => {
    for (const [from, to] of RANGES) {
      const { [from]: since, [to]: until } = times;
      if (since !== undefined && until !== undefined && since >= until)
        context.addIssue({ code: 'custom', message: `must be later than ${from}`, path: [to] });
    }
  });
}

function listQuery<F extends z.ZodRawShape>(fields: F) {
  return z.strictObject({ ...fields, ...page });
}

/** Query of `GET /admin/v1/events`; `state` can be given several times. */
export const eventsQuery = withRangeCheck(
  listQuery({ ...eventFields, state: states, receipts: receiptList }),
);

/** Query of `GET /admin/v1/dead-letters`. */
export const deadLettersQuery = withRangeCheck(listQuery(deadLetterFields));

/** Query of `GET /admin/v1/quarantine`. */
export const quarantineQuery = withRangeCheck(listQuery({ ...quarantineFields, body: queryFlag(false) }));

const MAX_RECEIPTS = 1_000;
const RECEIPT_ERROR = 'must be a receipt, a string of 1 to 300 characters';
const RECEIPTS_ERROR = `must be an array of 1 to ${MAX_RECEIPTS} receipts; use filter for more`;
const FILTER_ERROR = 'must be an object such as {"source": "…"}';
export const EITHER_ERROR =
  'body: must have either receipts or filter, such as {"receipts": ["…"]} or {"filter": {"source": "…"}}';
const EMPTY_FILTER_ERROR = 'filter: is empty; set a field, or add "all": true to select everything';
const ALL_ERROR = 'all: is allowed only with an empty filter; remove it';

export const commonFields = {
  receipts: z
    .array(nonEmptyString(RECEIPT_ERROR), { error: RECEIPTS_ERROR })
    .min(1, { error: RECEIPTS_ERROR })
    .max(MAX_RECEIPTS, { error: RECEIPTS_ERROR })
    .optional(),
  all: bodyFlag(),
  dryRun: bodyFlag(),
};

interface Selection {
  readonly receipts?: readonly string[] | undefined;
  readonly filter?: Omit<EventFilter, 'receipts'> | undefined;
  readonly all: boolean;
}

/** Selecting everything has to be explicit, so that an empty filter does not do it by accident. */
function selectionError({ receipts, filter, all }: Selection): string | undefined {
  if ((receipts === undefined) === (filter === undefined)) return EITHER_ERROR;
  const isEmpty = filter !== undefined && Object.keys(filter).length === 0;
  if (isEmpty && !all) return EMPTY_FILTER_ERROR;
  return all && !isEmpty ? ALL_ERROR : undefined;
}

export function withSelectionCheck<S extends z.ZodType<Selection>>(schema: S) {
  return schema.superRefine((selection, context) => {
    const message = selectionError(selection);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

export function filterOf<F extends z.ZodRawShape>(fields: F) {
  return withRangeCheck(z.strictObject(fields, { error: FILTER_ERROR })).optional();
}

const deadLetterSelection = { ...commonFields, filter: filterOf(deadLetterFields) };

/** Body of `POST /admin/v1/dead-letters/replay`. */
export const replayBody = withSelectionCheck(
  z.strictObject({ ...deadLetterSelection, asNew: bodyFlag(), refetch: bodyFlag() }, { error: EITHER_ERROR }),
);

/** Body of `POST /admin/v1/dead-letters/discard`. */
export const discardBody = withSelectionCheck(z.strictObject(deadLetterSelection, { error: EITHER_ERROR }));

/** Body of `POST /admin/v1/quarantine/release` and `/discard`. */
export const quarantineBody = withSelectionCheck(
  z.strictObject({ ...commonFields, filter: filterOf(quarantineFields) }, { error: EITHER_ERROR }),
);

/** The selection as a filter of the journal. */
export function toFilter({ receipts, filter }: Omit<Selection, 'all'>): EventFilter {
  return receipts === undefined ? { ...filter } : { receipts: [...new Set(receipts)] };
}

interface ListRequest<F> {
  readonly filter: F;
  readonly page: PageRequest;
}

/** Splits the query of a listing into the filter and the page. */
export function splitPage<Q extends { readonly cursor?: string | undefined; readonly limit: number }>({
  cursor,
  limit,
  ...filter
}: Q): ListRequest<Omit<Q, 'cursor' | 'limit'>> {
  return {
    filter,
    page: { limit, ...(cursor === undefined ? {} : { cursor }) },
  };
}

/**
 * Awaits a page of the journal.
 * @throws ProblemError `bad-request` for an invalid cursor
 */
export async function listPage<T>(
  pending: Promise<Page<T>>,
): Promise<{ items: readonly T[]; next: string | null }> {
  try {
    const { items, cursor } = await pending;
    return { items, next: cursor ?? null };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    throw new ProblemError('bad-request', 'cursor: must be the next of a page; omit it for the first page');
  }
}
