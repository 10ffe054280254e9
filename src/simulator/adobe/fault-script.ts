import { z } from 'zod';
import { createRandom, type Random } from '../random.ts';

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

export type Endpoint = 'ims' | 'batch' | 'single';

/** What a rule can look at in one message. */
export interface FaultMessage {
  readonly id: string | undefined;
  readonly flowId: string | undefined;
  /** The message as it came, for `contains`. */
  readonly value: unknown;
}

export interface FaultRequest {
  readonly endpoint: Endpoint;
  readonly messages: readonly FaultMessage[];
}

/** The rule that fired, and the generator that decides what it leaves to chance. */
export interface FiredFault {
  readonly action: FaultAction;
  readonly random: Random;
}

export interface FaultState {
  readonly rule: FaultRule;
  /** Requests that fitted. */
  readonly seen: number;
  readonly fired: number;
}

/** The script of faults. The first rule that fits, is not used up and wins its draw fires; later rules do not see the request. */
export interface Faults {
  /** Replaces the script; every counter and generator starts anew, so a script plays the same each time. */
  set(rules: readonly FaultRule[]): void;
  list(): FaultState[];
  next(request: FaultRequest): FiredFault | undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Whether a message meets every criterion. */
export function matchesMessage(match: FaultMatch, message: FaultMessage): boolean {
  return (
    (match.idPrefix === undefined || message.id?.startsWith(match.idPrefix) === true) &&
    (match.ids === undefined || (message.id !== undefined && match.ids.includes(message.id))) &&
    (match.flowId === undefined || message.flowId === match.flowId) &&
    (match.contains === undefined || textOf(message.value).includes(match.contains))
  );
}

function covers(on: FaultRule['on'], endpoint: Endpoint): boolean {
  return on === 'any' || on === endpoint || (on === 'inlet' && endpoint !== 'ims');
}

function fits(rule: FaultRule, request: FaultRequest): boolean {
  const { match } = rule;
  if (!covers(rule.on, request.endpoint)) return false;
  return match === undefined || request.messages.some((message) => matchesMessage(match, message));
}

interface Script {
  readonly rule: FaultRule;
  readonly random: Random;
  seen: number;
  fired: number;
}

function fires(script: Script): boolean {
  const { after, times, probability } = script.rule;
  script.seen += 1;
  if (script.seen <= after || script.fired >= (times ?? Infinity)) return false;
  if (probability !== undefined && script.random() >= probability) return false;
  script.fired += 1;
  return true;
}

/** `seed`: each rule gets a generator of its own, so one rule's draws do not shift another's. */
export function createFaults(seed: number): Faults {
  let scripts: Script[] = [];
  return {
    set: (rules) => {
      scripts = rules.map((rule, index) => ({ rule, random: createRandom(seed + index), seen: 0, fired: 0 }));
    },
    list: () => scripts.map(({ rule, seen, fired }) => ({ rule, seen, fired })),
    next: (request) => {
      const script = scripts.find((candidate) => fits(candidate.rule, request) && fires(candidate));
      return script && { action: script.rule.then, random: script.random };
    },
  };
}
