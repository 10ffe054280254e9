import type { FaultAction, FaultMatch, FaultRule } from './fault-rule.ts';
import { createRandom, type Random } from './random.ts';

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
