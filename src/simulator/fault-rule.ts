import { z } from 'zod';

/** Which messages: every criterion given must hold. A request matches when one of its messages does. */
const match = z
  .strictObject({
    /** Start of the entity's `_id`. */
    idPrefix: z.string().min(1).optional(),
    ids: z.array(z.string().min(1)).min(1).optional(),
    /** A text inside the message's JSON; for IMS inside the form. */
    contains: z.string().min(1).optional(),
    flowId: z.string().min(1).optional(),
  })
  .refine((given) => Object.keys(given).length > 0, {
    error: 'needs at least one of idPrefix, ids, contains, flowId',
  });

const which = z.union(
  [
    z.enum(['all', 'first', 'last']),
    z.array(z.number().int().min(0)).min(1),
    z.strictObject({ match }),
    z.strictObject({ fraction: z.number().min(0).max(1) }),
  ],
  { error: 'must be all, first, last, a list of positions, {match: {…}} or {fraction: 0.5}' },
);

const items = z.strictObject({
  which: which.default('all'),
  status: z.number().int().min(400).max(599),
  /** Live systems say `status`, Adobe's documentation `statusCode` (reference: adobe.md §2.5). */
  key: z.enum(['status', 'statusCode']).default('status'),
  message: z.string().optional(),
  omitXaction: z.boolean().default(false),
  /** The message is taken although its item says it failed. */
  lands: z.boolean().default(false),
});

export const XACTION_FORMS = [
  'normal',
  'missing',
  'uuid',
  'colon4',
  'colon3',
  'odd',
  'shuffled',
  'offByOne',
] as const;

export const ANSWER_SHAPES = [
  'drop-last',
  'drop-first',
  'extra',
  'empty',
  'not-json',
  'no-responses',
  'batch200',
] as const;

const then = z
  .strictObject({
    status: z.number().int().min(200).max(599).optional(),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.json().optional(),
    /** Seconds, or the text of the header (a date, or nonsense). */
    retryAfter: z.union([z.number().int().min(0), z.string()]).optional(),
    delayMs: z.number().int().min(0).max(600_000).optional(),
    hang: z.literal(true).optional(),
    reset: z.enum(['before', 'mid-body']).optional(),
    /** Whether Adobe took the messages. Default: exactly when the answer says so. */
    landed: z.boolean().optional(),
    items: items.optional(),
    xaction: z.enum(XACTION_FORMS).optional(),
    shape: z.enum(ANSWER_SHAPES).optional(),
  })
  .refine((action) => Object.keys(action).length > 0, { error: 'says nothing to do' })
  .refine((action) => !(action.hang && action.reset), { error: 'hang and reset exclude each other' });

export const faultRuleSchema = z
  .strictObject({
    on: z.enum(['ims', 'batch', 'single', 'inlet', 'any']),
    /** How often it fires; default for ever. */
    times: z.number().int().min(1).optional(),
    /** Fitting requests let through first. */
    after: z.number().int().min(0).default(0),
    probability: z.number().min(0).max(1).optional(),
    match: match.optional(),
    // oxlint-disable-next-line unicorn/no-thenable -- the key of the rule's own format, and never a function
    then,
  })
  .refine((rule) => !(rule.on === 'ims' && rule.then.items), { error: 'IMS answers have no items' })
  .refine((rule) => !(['ims', 'single'].includes(rule.on) && (rule.then.xaction ?? rule.then.shape)), {
    error: 'xaction and shape are about batch answers: use on: batch, inlet or any',
  });

export type FaultRule = z.output<typeof faultRuleSchema>;
export type FaultRuleInput = z.input<typeof faultRuleSchema>;
export type FaultAction = FaultRule['then'];
export type FaultMatch = z.output<typeof match>;
export type FaultItems = z.output<typeof items>;
export type XactionForm = (typeof XACTION_FORMS)[number];
export type AnswerShape = (typeof ANSWER_SHAPES)[number];

/** Thrown for rules that cannot be used. Each issue names the path, e.g. `[0].then.status`, and the cure. */
export class FaultRuleError extends Error {
  override name = 'FaultRuleError';
  readonly issues: readonly string[];

  constructor(issues: readonly string[]) {
    super(`the fault rules cannot be used: ${issues.join('; ')}`);
    this.issues = issues;
  }
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('') || '(top)';
}

/** Reads a list of rules; throws FaultRuleError. */
export function parseFaultRules(value: unknown): FaultRule[] {
  const read = z.array(faultRuleSchema, { error: 'must be a list of rules' }).max(100).safeParse(value);
  if (read.success) return read.data;
  throw new FaultRuleError(read.error.issues.map((issue) => `${pathOf(issue.path)}: ${issue.message}`));
}
