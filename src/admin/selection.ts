import { z } from 'zod';
import type { EventFilter } from '../journal/journal.ts';
import { option, text } from './fields.ts';
import { SPAN_ERROR, deadLetterFields, isSpan, quarantineFields } from './filters.ts';

const MOST_RECEIPTS = 1_000;
const RECEIPTS = `must be a list of 1 to ${MOST_RECEIPTS} receipts; for more use filter`;
const FILTER = 'must be an object such as {"source": "…"}';
const ONE =
  'body: give either receipts or filter, such as {"receipts": ["…"]} or {"filter": {"source": "…"}}';
const EMPTY = 'filter: is empty; name what is meant, or say "all": true beside it to mean everything';
const NOT_ALL = 'all: goes with an empty filter only; leave it out';

const common = {
  receipts: z
    .array(text('must be a receipt, a text of 1 to 300 characters'), { error: RECEIPTS })
    .min(1, { error: RECEIPTS })
    .max(MOST_RECEIPTS, { error: RECEIPTS })
    .optional(),
  all: option(),
  dryRun: option(),
};

interface Selection {
  readonly receipts?: readonly string[] | undefined;
  readonly filter?: Omit<EventFilter, 'receipts'> | undefined;
  readonly all: boolean;
}

/** What is wrong with a selection, if anything: that everything is meant must be said, not slipped into. */
function faultOf({ receipts, filter, all }: Selection): string | undefined {
  if ((receipts === undefined) === (filter === undefined)) return ONE;
  const isEmpty = filter !== undefined && Object.keys(filter).length === 0;
  if (isEmpty && !all) return EMPTY;
  return all && !isEmpty ? NOT_ALL : undefined;
}

function checked<S extends z.ZodType<Selection>>(schema: S) {
  return schema.superRefine((given, context) => {
    const message = faultOf(given);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

function filterOf<F extends z.ZodRawShape>(fields: F) {
  return z.strictObject(fields, { error: FILTER }).refine(isSpan, SPAN_ERROR).optional();
}

const deadLetterSelection = { ...common, filter: filterOf(deadLetterFields) };

/** Body of `POST /admin/v1/dead-letters/replay`. */
export const replayBody = checked(
  z.strictObject({ ...deadLetterSelection, asNew: option() }, { error: ONE }),
);

/** Body of `POST /admin/v1/dead-letters/discard`. */
export const discardBody = checked(z.strictObject(deadLetterSelection, { error: ONE }));

/** Body of `POST /admin/v1/quarantine/release` and `/discard`. */
export const quarantineBody = checked(
  z.strictObject({ ...common, filter: filterOf(quarantineFields) }, { error: ONE }),
);

/** The chosen as the journal's filter. */
export function filterFrom({ receipts, filter }: Omit<Selection, 'all'>): EventFilter {
  return receipts === undefined ? { ...filter } : { receipts: [...new Set(receipts)] };
}
