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

/** What the answer says of one message. */
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

function response(item: ItemAnswer, xactionId: string | undefined): Record<string, unknown> {
  const id = xactionId === undefined || (!item.ok && item.omitXaction) ? {} : { xactionId };
  return item.ok ? id : { ...id, [item.key]: item.status, message: item.message };
}

const RESHAPED: Readonly<Partial<Record<AnswerShape, (responses: Responses) => Responses>>> = {
  'drop-first': (responses) => responses.slice(1),
  'drop-last': (responses) => responses.slice(0, -1),
  extra: (responses) => [...responses, { xactionId: 'ffffffff-0000-4000-8000-000000000000-9999' }],
  empty: () => [],
};

/** The positions of the messages that a fault's `items` names. */
export function failingItems(
  items: FaultItems,
  messages: readonly FaultMessage[],
  random: Random,
): ReadonlySet<number> {
  const { which } = items;
  const isNamed = (message: FaultMessage, index: number): boolean => {
    if (which === 'all') return true;
    if (which === 'first') return index === 0;
    if (which === 'last') return index === messages.length - 1;
    if (Array.isArray(which)) return which.includes(index);
    return 'match' in which ? matchesMessage(which.match, message) : random() < which.fraction;
  };
  return new Set(messages.flatMap((message, index) => (isNamed(message, index) ? [index] : [])));
}

/** The inlet's answer to a batch: 207 whatever became of the items, unless a fault reshapes it (reference: adobe.md §2.5). */
export function batchAnswer(
  inletId: string,
  now: number,
  items: readonly ItemAnswer[],
  fault: FiredFault | undefined,
): Answer {
  const { xaction = 'normal', shape } = fault?.action ?? {};
  if (shape === 'not-json') return { status: 207, headers: {}, body: 'upstream connect error' };
  const ids = xactionIds(xaction, items.length, now);
  const told = items.map((item, index) => response(item, ids[index]));
  const ordered = xaction === 'shuffled' && fault ? shuffled(fault.random, told) : told;
  const responses = (shape && RESHAPED[shape]?.(ordered)) ?? ordered;
  const body = { inletId, batchId: `${now}:1750:244`, receivedTimeMs: now };
  return jsonAnswer(
    shape === 'batch200' ? 200 : 207,
    shape === 'no-responses' ? body : { ...body, responses },
  );
}

function colon(now: number, index?: number): string {
  return [now, 1_750, 244, ...(index === undefined ? [] : [index])].join(':');
}

/** The xactionIds of one answer's items, in order: the forms seen live and some that nobody should trust (reference: adobe.md §2.5). */
export function xactionIds(form: XactionForm, count: number, now: number): readonly (string | undefined)[] {
  const batch = randomUUID();
  const of: Readonly<Record<XactionForm, (index: number) => string | undefined>> = {
    normal: (index) => `${batch}-${index}`,
    shuffled: (index) => `${batch}-${index}`,
    offByOne: (index) => `${batch}-${index + 1}`,
    missing: () => undefined,
    // Without an index; what follows its last dash must not be taken for one.
    uuid: () => randomUUID(),
    colon4: (index) => colon(now, index),
    colon3: () => colon(now),
    odd: (index) => `trx/${index}?`,
  };
  return Array.from({ length: count }, (_, index) => of[form](index));
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

/** The inlet's answer to a token it does not take. `status` is a string here and nowhere else (reference: adobe.md §2.6). */
export function authorizationProblem(inletId: string, message: string): Answer {
  return jsonAnswer(401, {
    type: AUTHORIZATION_TYPE,
    status: '401',
    title: 'Authorization',
    report: { message: `[${inletId}] ${message}` },
  });
}

/** The inlet's problem document for a request or, alone, a message (reference: adobe.md §2.6). */
export function inletProblem(status: number, message: string): Answer {
  return jsonAnswer(status, { type: TYPE, status, title: TITLES[status] ?? 'Error', report: { message } });
}

/** What the single endpoint answers when it was asked to validate and the message fails (reference: adobe.md §2.6, §2.10). */
export function validationProblem(message: string, violations: readonly Violation[]): Answer {
  const causingExceptions = violations.map(({ pointer, keyword, message: detail }) => ({
    schemaLocation: `#/properties${pointer.slice(1)}`,
    pointerToViolation: pointer,
    keyword,
    message: detail,
    causingExceptions: [],
  }));
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
