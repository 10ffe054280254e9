import type { Answer } from './answer.ts';
import { jsonAnswer } from './answer.ts';
import type { AnswerShape, FaultItems } from './fault-rule.ts';
import { type FaultMessage, type FiredFault, matchesMessage } from './faults.ts';
import { shuffled, type Random } from './random.ts';
import { xactionIds } from './xaction.ts';

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
