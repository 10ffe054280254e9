import { envelope } from '../adobe/envelope.ts';
import { isJsonObject, type JsonObject } from '../capillary/json.ts';
import type { DestinationConfig } from '../config/schema.ts';
import { envelopeTarget } from '../delivery/envelope-target.ts';
import type { MessageKind } from '../journal/journal.ts';
import { createTrial, type Received, type Trial } from './mapping-trial.ts';
import { diffValues, type ValueChange } from './value-diff.ts';
import type { Way } from './way.ts';

/** A difference in what is sent for an event. */
export interface Change extends ValueChange {
  /** `outcome`: whether something is sent at all. `event`, `profile`: that message. */
  readonly part: 'outcome' | MessageKind;
}

/** How one event fares under the old and the new configuration. */
export interface EventDiff {
  readonly eventName?: string;
  readonly eventId?: string;
  readonly changes: readonly Change[];
  /** It is no event under either. */
  readonly isNoEvent: boolean;
}

const KINDS: readonly MessageKind[] = ['event', 'profile'];

/** Maps the same bodies by an old and a new way, one after the other, each with profiles of its own that grow. */
export function createDiffer(
  old: Way | undefined,
  next: Way | undefined,
  now: number,
): (body: string, received?: Received) => Promise<EventDiff> {
  const sides = [old, next].map((way) => ({ way, trial: way && createTrial({ ...way, now }) }));
  return async (body, received) => {
    const seen = await Promise.all(
      sides.map(async ({ way, trial }) => ({ way, trial: await trial?.(body, received) })),
    );
    const [before = NOWHERE, after = NOWHERE] = seen.map(({ way, trial }) =>
      viewOf(trial, way?.destination, received?.receivedAt ?? now),
    );
    const name = seen.flatMap(({ trial }) =>
      trial === undefined || trial.outcome === 'not-an-event' ? [] : [trial],
    );
    const { eventName, eventId } = name[0] ?? {};
    return {
      ...(eventName === undefined ? {} : { eventName }),
      ...(eventId === undefined ? {} : { eventId }),
      changes: changesOf(before, after),
      isNoEvent: name.length === 0,
    };
  };
}

/** What is sent for an event, as far as it can be compared. */
interface View {
  readonly outcome: string;
  readonly messages: Readonly<Partial<Record<MessageKind, JsonObject>>>;
}

const NOWHERE: View = { outcome: 'not taken: there is no such source', messages: {} };

function viewOf(
  trial: Trial | undefined,
  destination: DestinationConfig | undefined,
  receivedAt: number,
): View {
  if (trial === undefined || destination === undefined) return NOWHERE;
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
          return entity === undefined
            ? []
            : [[kind, messageOf(destination, kind, entity, receivedAt)] as const];
        }),
      );
      return { outcome: `sent (${Object.keys(messages).join(', ')})`, messages };
    }
  }
}

/** The fields of a message at its top, and under `header` where it goes; the body names the schema of the header again, so that is left out. */
function messageOf(
  destination: DestinationConfig,
  kind: MessageKind,
  entity: JsonObject,
  receivedAt: number,
): JsonObject {
  const { name, sandbox, inletUrl } = destination;
  const whole: unknown = JSON.parse(envelope(envelopeTarget(destination, kind), entity, receivedAt));
  const header = isJsonObject(whole) && isJsonObject(whole['header']) ? whole['header'] : {};
  return { header: { destination: name, inletUrl, sandbox, ...header }, ...entity };
}

function changesOf(before: View, after: View): readonly Change[] {
  const outcome = diffValues(before.outcome, after.outcome).map(
    (change) => ({ part: 'outcome', ...change }) as const,
  );
  const inMessages = KINDS.flatMap((part) => {
    const [old, next] = [before.messages[part], after.messages[part]];
    // A message that only one side sends is in the outcome already.
    if (old === undefined || next === undefined) return [];
    return diffValues(old, next).map((change) => ({ part, ...change }));
  });
  return [...outcome, ...inMessages];
}
