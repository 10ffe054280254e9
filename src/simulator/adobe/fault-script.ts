import { z } from 'zod';
import { createRandom, type Random } from '../random.ts';

/** Selects messages that meet all given criteria. A request matches if one of its messages does. */
const matchSchema = z
  .strictObject({
    /** Prefix of the entity's `_id`. */
    idPrefix: z.string().min(1).optional(),
    ids: z.array(z.string().min(1)).min(1).optional(),
    /** A substring of the message's JSON; for IMS, of the form; for an API, of the body. */
    contains: z.string().min(1).optional(),
    flowId: z.string().min(1).optional(),
    /** Of a call to an API: `platform` or `capillary`. */
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).optional(),
    /** Prefix of the path of such a call, as it is sent: ids may be URL-encoded. */
    path: z.string().startsWith('/').optional(),
  })
  .refine((given) => Object.keys(given).length > 0, {
    error: 'needs at least one of idPrefix, ids, contains, flowId, method, path',
  });

const whichSchema = z.union(
  [
    z.enum(['all', 'first', 'last']),
    z.array(z.number().int().min(0)).min(1),
    z.strictObject({ match: matchSchema }),
    z.strictObject({ fraction: z.number().min(0).max(1) }),
  ],
  { error: 'must be all, first, last, a list of positions, {match: {…}} or {fraction: 0.5}' },
);

const itemsSchema = z.strictObject({
  which: whichSchema.default('all'),
  status: z.number().int().min(400).max(599),
  /**
   * Live systems use `status`, Adobe's documentation `statusCode`
   * (docs/platforms/adobe.md#success-answers).
   */
  key: z.enum(['status', 'statusCode']).default('status'),
  message: z.string().optional(),
  omitXaction: z.boolean().default(false),
  /** Whether the message is accepted although its item reports a failure. */
  lands: z.boolean().default(false),
});

const XACTION_FORMS = [
  'normal',
  'missing',
  'uuid',
  'colon4',
  'colon3',
  'odd',
  'shuffled',
  'offByOne',
] as const;

const ANSWER_SHAPES = [
  'drop-last',
  'drop-first',
  'extra',
  'empty',
  'not-json',
  'no-responses',
  'batch200',
] as const;

/** Answers of something other than Adobe: docs/platforms/adobe.md#foreign-answers */
const FOREIGN_ANSWERS = ['html', 'text', 'empty', 'object', 'error'] as const;

const thenSchema = z
  .strictObject({
    status: z.number().int().min(200).max(599).optional(),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.json().optional(),
    /** Seconds, or the header's text (a date or something invalid). */
    retryAfter: z.union([z.number().int().min(0), z.string()]).optional(),
    delayMs: z.number().int().min(0).max(600_000).optional(),
    hang: z.literal(true).optional(),
    reset: z.enum(['before', 'mid-body']).optional(),
    /** Whether the messages are accepted. Default: what the answer says. */
    landed: z.boolean().optional(),
    items: itemsSchema.optional(),
    xaction: z.enum(XACTION_FORMS).optional(),
    shape: z.enum(ANSWER_SHAPES).optional(),
    /** The answer of a proxy instead, with `status` (200 if absent); by default nothing lands. */
    foreign: z.enum(FOREIGN_ANSWERS).optional(),
    /** The text of Adobe's own error document for `status`, which must be 400 or above. */
    problem: z.string().min(1).optional(),
  })
  .refine((action) => Object.keys(action).length > 0, { error: 'must have at least one key' })
  .refine((action) => !(action.hang && action.reset), { error: 'hang and reset exclude each other' })
  .refine((action) => action.problem === undefined || (action.status ?? 200) >= 400, {
    error: 'problem needs a status of 400 or above',
  })
  .refine((action) => action.foreign === undefined || (action.body ?? action.problem) === undefined, {
    error: 'foreign excludes body and problem',
  });

const faultRuleSchema = z
  .strictObject({
    on: z.enum(['ims', 'batch', 'single', 'inlet', 'platform', 'capillary', 'any']),
    /** How often it fires; unlimited if absent. */
    times: z.number().int().min(1).optional(),
    /** Number of matching requests to let through first. */
    after: z.number().int().min(0).default(0),
    probability: z.number().min(0).max(1).optional(),
    match: matchSchema.optional(),
    // oxlint-disable-next-line unicorn/no-thenable -- a key of the rules' format, never a function
    then: thenSchema,
  })
  .refine((rule) => !(['ims', 'platform', 'capillary'].includes(rule.on) && rule.then.items), {
    error: 'only answers of an inlet have items',
  })
  .refine((rule) => ['batch', 'inlet', 'any'].includes(rule.on) || !(rule.then.xaction ?? rule.then.shape), {
    error: 'xaction and shape apply to batch answers: use on: batch, inlet or any',
  });

export type FaultRule = z.output<typeof faultRuleSchema>;
export type FaultRuleInput = z.input<typeof faultRuleSchema>;
export type FaultAction = FaultRule['then'];
export type FaultMatch = z.output<typeof matchSchema>;
export type FaultItems = z.output<typeof itemsSchema>;
export type XactionForm = (typeof XACTION_FORMS)[number];
export type ForeignAnswer = (typeof FOREIGN_ANSWERS)[number];
export type AnswerShape = (typeof ANSWER_SHAPES)[number];

/** Invalid rules. Each issue names the path, such as `[0].then.status`, and the fix. */
export class FaultRuleError extends Error {
  override name = 'FaultRuleError';
  readonly issues: readonly string[];

  constructor(issues: readonly string[]) {
    super(`the fault rules are invalid: ${issues.join('; ')}`);
    this.issues = issues;
  }
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('') || '(top)';
}

/** @throws FaultRuleError */
export function parseFaultRules(value: unknown): FaultRule[] {
  const read = z.array(faultRuleSchema, { error: 'must be a list of rules' }).max(100).safeParse(value);
  if (read.success) return read.data;
  throw new FaultRuleError(read.error.issues.map((issue) => `${pathOf(issue.path)}: ${issue.message}`));
}

export type Endpoint = 'ims' | 'batch' | 'single' | 'platform' | 'capillary';

/** What a rule can match in one message. */
export interface FaultMessage {
  readonly id: string | undefined;
  readonly flowId: string | undefined;
  /** The message as received, for `contains`. */
  readonly value: unknown;
}

interface FaultRequest {
  readonly endpoint: Endpoint;
  /** Of a call to an API. */
  readonly method?: string;
  readonly path?: string;
  readonly messages: readonly FaultMessage[];
}

/** The action of the rule that fired, and the generator for its random choices. */
export interface FiredFault {
  readonly action: FaultAction;
  readonly random: Random;
}

export interface FaultState {
  readonly rule: FaultRule;
  /** Requests that matched. */
  readonly seen: number;
  readonly fired: number;
}

/**
 * For each request, the first rule that matches, is not used up and passes its probability fires.
 * Later rules do not see the request.
 */
export interface FaultScript {
  /**
   * Replaces the rules and resets counters and generators: the same script repeats its sequence.
   */
  set(rules: readonly FaultRule[]): void;
  list(): FaultState[];
  next(request: FaultRequest): FiredFault | undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Whether a message meets all criteria. */
export function matchesMessage(match: FaultMatch, message: FaultMessage): boolean {
  return (
    (match.idPrefix === undefined || message.id?.startsWith(match.idPrefix) === true) &&
    (match.ids === undefined || (message.id !== undefined && match.ids.includes(message.id))) &&
    (match.flowId === undefined || message.flowId === match.flowId) &&
    (match.contains === undefined || textOf(message.value).includes(match.contains))
  );
}

function coversEndpoint(on: FaultRule['on'], endpoint: Endpoint): boolean {
  return on === 'any' || on === endpoint || (on === 'inlet' && ['batch', 'single'].includes(endpoint));
}

function matchesRequest(rule: FaultRule, request: FaultRequest): boolean {
  const { match } = rule;
  if (!coversEndpoint(rule.on, request.endpoint)) return false;
  if (match?.method !== undefined && match.method !== request.method) return false;
  if (match?.path !== undefined && request.path?.startsWith(match.path) !== true) return false;
  return match === undefined || request.messages.some((message) => matchesMessage(match, message));
}

interface RuleState {
  readonly rule: FaultRule;
  readonly random: Random;
  seen: number;
  fired: number;
}

function fires(state: RuleState): boolean {
  const { after, times, probability } = state.rule;
  state.seen += 1;
  if (state.seen <= after || state.fired >= (times ?? Infinity)) return false;
  if (probability !== undefined && state.random() >= probability) return false;
  state.fired += 1;
  return true;
}

/** Each rule has its own generator, so that rules do not influence each other's random choices. */
export function createFaultScript(seed: number): FaultScript {
  let states: RuleState[] = [];
  return {
    set: (rules) => {
      states = rules.map((rule, index) => ({ rule, random: createRandom(seed + index), seen: 0, fired: 0 }));
    },
    list: () => states.map(({ rule, seen, fired }) => ({ rule, seen, fired })),
    next: (request) => {
      const state = states.find((candidate) => matchesRequest(candidate.rule, request) && fires(candidate));
      return state && { action: state.rule.then, random: state.random };
    },
  };
}
