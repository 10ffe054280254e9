import { randomUUID } from 'node:crypto';
import { type Random, shuffled } from '../random.ts';
import { type Answer, jsonAnswer } from './exchange.ts';
import {
  type AnswerShape,
  type FaultItems,
  type FaultMessage,
  type FiredFault,
  matchesMessage,
  type XactionForm,
} from './fault-script.ts';
import type { Violation } from './field-violations.ts';

/** The result of one message in the answer. */
export type ItemAnswer =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly status: number;
      readonly key: 'status' | 'statusCode';
      readonly message: string;
      readonly omitXaction: boolean;
    };

type Responses = Readonly<Record<string, unknown>>[];

function responseOf(item: ItemAnswer, xactionId: string | undefined): Record<string, unknown> {
  const id = xactionId === undefined || (!item.ok && item.omitXaction) ? {} : { xactionId };
  return item.ok ? id : { ...id, [item.key]: item.status, message: item.message };
}

const RESHAPE: Readonly<Partial<Record<AnswerShape, (responses: Responses) => Responses>>> = {
  'drop-first': (responses) => responses.slice(1),
  'drop-last': (responses) => responses.slice(0, -1),
  extra: (responses) => [...responses, { xactionId: 'ffffffff-0000-4000-8000-000000000000-9999' }],
  empty: () => [],
};

/** The positions of the messages that a fault's `items` selects. */
export function failingItems(
  items: FaultItems,
  messages: readonly FaultMessage[],
  random: Random,
): ReadonlySet<number> {
  const { which } = items;
  const isSelected = (message: FaultMessage, index: number): boolean => {
    if (which === 'all') return true;
    if (which === 'first') return index === 0;
    if (which === 'last') return index === messages.length - 1;
    if (Array.isArray(which)) return which.includes(index);
    return 'match' in which ? matchesMessage(which.match, message) : random() < which.fraction;
  };
  return new Set(messages.flatMap((message, index) => (isSelected(message, index) ? [index] : [])));
}

/**
 * The answer to a batch: always 207, unless a fault changes it
 * (docs/platforms/adobe.md#success-answers).
 */
export function batchAnswer(
  inletId: string,
  now: number,
  items: readonly ItemAnswer[],
  fault: FiredFault | undefined,
): Answer {
  const { xaction = 'normal', shape } = fault?.action ?? {};
  if (shape === 'not-json') return { status: 207, headers: {}, body: 'upstream connect error' };
  const ids = xactionIds(xaction, items.length, now);
  const results = items.map((item, index) => responseOf(item, ids[index]));
  const ordered = xaction === 'shuffled' && fault ? shuffled(fault.random, results) : results;
  const responses = (shape && RESHAPE[shape]?.(ordered)) ?? ordered;
  const body = { inletId, batchId: `${now}:1750:244`, receivedTimeMs: now };
  return jsonAnswer(
    shape === 'batch200' ? 200 : 207,
    shape === 'no-responses' ? body : { ...body, responses },
  );
}

function colonForm(now: number, index?: number): string {
  return [now, 1_750, 244, ...(index === undefined ? [] : [index])].join(':');
}

/**
 * The xactionIds of a batch in the order of its messages: the forms seen in live answers, and
 * misleading ones (docs/platforms/adobe.md#item-matching).
 */
function xactionIds(form: XactionForm, count: number, now: number): readonly (string | undefined)[] {
  const batch = randomUUID();
  const makeId: Readonly<Record<XactionForm, (index: number) => string | undefined>> = {
    normal: (index) => `${batch}-${index}`,
    shuffled: (index) => `${batch}-${index}`,
    offByOne: (index) => `${batch}-${index + 1}`,
    missing: () => undefined,
    // Without an index: the digits after its last dash are not an index.
    uuid: () => randomUUID(),
    colon4: (index) => colonForm(now, index),
    colon3: () => colonForm(now),
    odd: (index) => `trx/${index}?`,
  };
  return Array.from({ length: count }, (_, index) => makeId[form](index));
}

const TYPE = 'http://ns.adobe.com/adobecloud/problem/data-collection-service/inlet';
const AUTHORIZATION_TYPE = 'https://ns.adobe.com/adobecloud/problem/data-collection-service-authorization';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Invalid XDM Message Format',
  403: 'Forbidden',
  404: 'Inlet not found',
  413: 'Payload too large',
  415: 'Unsupported media type',
  429: 'Too many requests',
  500: 'Internal server error',
  501: 'Not implemented',
  503: 'Service unavailable',
};

/**
 * The answer to a token that the inlet does not accept. Only here `status` is a string
 * (docs/platforms/adobe.md#error-documents).
 */
export function authorizationProblem(inletId: string, message: string): Answer {
  return jsonAnswer(401, {
    type: AUTHORIZATION_TYPE,
    status: '401',
    title: 'Authorization',
    report: { message: `[${inletId}] ${message}` },
  });
}

/**
 * The problem document for a request or a single message (docs/platforms/adobe.md#error-documents).
 */
export function inletProblem(status: number, message: string): Answer {
  return jsonAnswer(status, { type: TYPE, status, title: TITLES[status] ?? 'Error', report: { message } });
}

/** A violation in the form of Adobe's validator. */
export function violationNode({ pointer, keyword, message }: Violation): object {
  return {
    schemaLocation: `#/properties${pointer.slice(1)}`,
    pointerToViolation: pointer,
    keyword,
    message,
    causingExceptions: [],
  };
}

/**
 * The answer of the single endpoint to a message that fails the requested validation
 * (docs/platforms/adobe.md#synchronous-validation).
 */
export function validationProblem(message: string, violations: readonly Violation[]): Answer {
  const causingExceptions = violations.map(violationNode);
  const cause = {
    schemaLocation: '#',
    pointerToViolation: '#',
    causingExceptions,
    message: `${violations.length} schema violations found`,
  };
  return jsonAnswer(400, {
    type: TYPE,
    status: 400,
    title: 'Invalid XDM Message Format',
    report: { message, cause: { _streamingValidation: [cause] } },
  });
}
