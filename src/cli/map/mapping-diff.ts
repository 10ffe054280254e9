import { serializeEnvelope } from '../../adobe/inlet/inlet-envelope.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { DestinationConfig } from '../../config/config-schema.ts';
import { envelopeTarget } from '../../delivery/outgoing-message.ts';
import type { MessageKind } from '../../journal/journal.ts';
import type { Route } from '../route.ts';
import { createTrial, type Received, type Trial } from './mapping-trial.ts';

/** One difference between two JSON values. */
export interface ValueChange {
  /** `commerce.order.priceTotal`, `productListItems[0].SKU`; empty for the values as a whole. */
  readonly path: string;
  /** Absent when the old value has nothing here. */
  readonly old?: JsonValue;
  /** Absent when the new value has nothing here. */
  readonly new?: JsonValue;
}

/** The members of an object or array by path; undefined for a single value. */
function membersOf(value: JsonValue | undefined, path: string): Map<string, JsonValue> | undefined {
  if (Array.isArray(value)) return new Map(value.map((item, index) => [`${path}[${index}]`, item] as const));
  if (!isJsonObject(value)) return undefined;
  const prefix = path === '' ? '' : `${path}.`;
  return new Map(Object.entries(value).map(([name, inner]) => [`${prefix}${name}`, inner] as const));
}

/**
 * The deepest differences between two values, in the order of the old value; members that only the
 * new value has come last.
 */
export function diffValues(
  old: JsonValue | undefined,
  next: JsonValue | undefined,
  path = '',
): readonly ValueChange[] {
  const before = membersOf(old, path);
  const after = membersOf(next, path);
  if (before !== undefined && after !== undefined && Array.isArray(old) === Array.isArray(next)) {
    const paths = [...new Set([...before.keys(), ...after.keys()])];
    return paths.flatMap((inner) => diffValues(before.get(inner), after.get(inner), inner));
  }
  if (before === undefined && after === undefined && old === next) return [];
  return [{ path, ...(old === undefined ? {} : { old }), ...(next === undefined ? {} : { new: next }) }];
}

/** A difference in what is sent for an event. */
export interface Change extends ValueChange {
  /** `outcome`: whether something is sent at all. `event`, `profile`: in that message. */
  readonly part: 'outcome' | MessageKind;
}

/** The differences for one event between the old and the new mapping. */
export interface EventDiff {
  readonly eventName?: string;
  readonly eventId?: string;
  readonly changes: readonly Change[];
  /** It is not an event under either of them. */
  readonly isNoEvent: boolean;
}

const KINDS: readonly MessageKind[] = ['event', 'profile'];

/** Maps one body on both sides, and compares. */
export type Differ = (body: string | Uint8Array, received: Received) => Promise<EventDiff>;

/**
 * Creates a function that maps the same bodies along an old and a new route, one after the other.
 * Each side builds up its own customer profiles.
 */
export function createDiffer(old: Route | undefined, next: Route | undefined): Differ {
  const sides = [old, next].map((route) => ({ route, trialOf: route && createTrial(route) }));
  return async (body, received) => {
    const [before, after] = await Promise.all(
      sides.map(async ({ route, trialOf }) => ({
        trial: await trialOf?.(body, received),
        inMessage: (kind: MessageKind, entity: JsonObject) =>
          route === undefined ? entity : messageOf(route.destination, kind, entity, received.receivedAt),
      })),
    );
    return diffTrials(before ?? {}, after ?? {});
  };
}

/** One side of a comparison. */
export interface Side {
  /** Absent if the configuration lacks the source. */
  readonly trial?: Trial | undefined;
  /** What is compared of a message; the mapped record alone, unless stated otherwise. */
  readonly inMessage?: (kind: MessageKind, entity: JsonObject) => JsonObject;
}

/** The differences between what one event maps to on two sides. */
export function diffTrials(before: Side, after: Side): EventDiff {
  const events = [before.trial, after.trial].flatMap((trial) =>
    trial === undefined || trial.outcome === 'not-an-event' ? [] : [trial],
  );
  const { eventName, eventId } = events[0] ?? {};
  return {
    ...(eventName === undefined ? {} : { eventName }),
    ...(eventId === undefined ? {} : { eventId }),
    changes: changesOf(viewOf(before), viewOf(after)),
    isNoEvent: events.length === 0,
  };
}

/** What is sent for an event, in the form that is compared. */
interface View {
  readonly outcome: string;
  readonly messages: Readonly<Partial<Record<MessageKind, JsonObject>>>;
}

const NO_SOURCE: View = { outcome: 'not accepted: no such source', messages: {} };

function viewOf({ trial, inMessage = (_, entity) => entity }: Side): View {
  if (trial === undefined) return NO_SOURCE;
  switch (trial.outcome) {
    case 'not-an-event':
      return { outcome: `not an event (${trial.code})`, messages: {} };
    case 'ignored':
      return { outcome: `ignored (${trial.reason})`, messages: {} };
    case 'failed':
      return { outcome: `dead letter (${trial.reason}): ${trial.detail}`, messages: {} };
    case 'messages': {
      const messages = Object.fromEntries(
        KINDS.flatMap((kind) => {
          const entity = trial[kind];
          return entity === undefined ? [] : [[kind, inMessage(kind, entity)] as const];
        }),
      );
      return { outcome: `sent (${Object.keys(messages).join(', ')})`, messages };
    }
  }
}

/**
 * The fields of a message, with its target and header below `header`. The rest of the envelope only
 * repeats the schema of the header.
 */
function messageOf(
  destination: DestinationConfig,
  kind: MessageKind,
  entity: JsonObject,
  receivedAt: number,
): JsonObject {
  const { name, sandbox, inletUrl } = destination;
  const message: unknown = JSON.parse(
    serializeEnvelope(envelopeTarget(destination, kind), entity, receivedAt),
  );
  const header = isJsonObject(message) && isJsonObject(message['header']) ? message['header'] : {};
  return { header: { destination: name, inletUrl, sandbox, ...header }, ...entity };
}

function changesOf(before: View, after: View): readonly Change[] {
  const outcome = diffValues(before.outcome, after.outcome).map(
    (change) => ({ part: 'outcome', ...change }) as const,
  );
  const inMessages = KINDS.flatMap((part) => {
    const [old, next] = [before.messages[part], after.messages[part]];
    // The outcome already reports a message that only one side sends.
    if (old === undefined || next === undefined) return [];
    return diffValues(old, next).map((change) => ({ part, ...change }));
  });
  return [...outcome, ...inMessages];
}
