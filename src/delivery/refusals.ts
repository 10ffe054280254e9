import type { MessageKind } from '../journal/journal.ts';
import type { DestinationState } from './destination-state.ts';
import type { MessageOutcome, OutgoingMessage } from './outcome.ts';

/** Customers whose messages are refused one by one, and none accepted, until it is an outage. */
export const SEVERAL_CUSTOMERS = 3;
/** How long a refused message waits for another one to show whether the destination works. */
const DECISION_MS = 2_000;
/** Refused messages that are remembered. Forgetting one costs it another attempt. */
const MAX_REMEMBERED = 10_000;

export type Rejected = Extract<MessageOutcome, { kind: 'rejected' }>;

/**
 * Decides whether what Adobe refuses is the message's fault. It is if other messages to the same
 * flow pass; it is not if messages of several customers are refused and none passes: then their
 * dataset, schema or flow is at fault, and the destination pauses. A message that is refused while
 * no other one is sent becomes a dead letter too, after a short wait.
 * Source: docs/platforms/adobe.md#everything-refused
 */
export interface Refusals {
  /** Adobe refused a request with these messages as a whole. */
  noteRequest(batch: readonly OutgoingMessage[], at: number): void;
  /** Adobe refused this message by itself, and none of the same request was taken. */
  noteMessage(message: OutgoingMessage, at: number, detail: string): void;
  /** Adobe refused this message and took others of the same request: it is its own fault. */
  noteOwnFault(message: OutgoingMessage): void;
  /** A message of a request that was sent at this time was taken. */
  notePass(kind: MessageKind, sentAt: number): void;
  /** Whether a message passed that was sent at or after this time. */
  hasPassedSince(kind: MessageKind, at: number): boolean;
  /**
   * The final outcome of a message that was refused by itself: rejected, or held until it is known
   * whose fault it is.
   */
  decide(message: OutgoingMessage, rejected: Rejected): MessageOutcome | Promise<MessageOutcome>;
  /** Holds all messages that wait for a decision, now and later. */
  close(): void;
}

interface Undecided {
  readonly kind: MessageKind;
  readonly hold: () => void;
}

function keyOf({ kind, receipt }: OutgoingMessage): string {
  return `${kind} ${receipt}`;
}

/** Not its fault as far as is known: it stays pending, and no attempt is counted. */
function heldInstead({ detail, attempt }: Rejected): MessageOutcome {
  return {
    kind: 'held',
    detail,
    ...(attempt === undefined ? {} : { attempt: { ...attempt, outcome: 'destination' } }),
  };
}

export function createRefusals(parts: {
  readonly state: Pick<DestinationState, 'status' | 'isHealthy' | 'pauseForFault'>;
  readonly decisionMs?: number;
}): Refusals {
  const { state, decisionMs = DECISION_MS } = parts;
  /** When each message was first refused; all times are monotonic ms. */
  const firstRefusedAt = new Map<string, number>();
  const lastPassSentAt = new Map<MessageKind, number>();
  /** Customers whose messages were refused by themselves since the last pass; at most several. */
  const customers: Readonly<Record<MessageKind, Set<string>>> = { event: new Set(), profile: new Set() };
  /** Messages whose own fault it is, until they are decided. */
  const guilty = new Set<string>();
  const undecided = new Set<Undecided>();
  let isClosed = false;

  /** @returns when it was first refused */
  const remember = (message: OutgoingMessage, at: number): number => {
    const key = keyOf(message);
    const first = firstRefusedAt.get(key);
    if (first !== undefined) return first;
    firstRefusedAt.set(key, at);
    const [oldest] = firstRefusedAt.keys();
    if (firstRefusedAt.size > MAX_REMEMBERED && oldest !== undefined) firstRefusedAt.delete(oldest);
    return at;
  };

  const holdAll = (): void => {
    for (const one of undecided) one.hold();
  };

  const hasPassedSince = (kind: MessageKind, at: number): boolean =>
    (lastPassSentAt.get(kind) ?? Number.NEGATIVE_INFINITY) >= at;

  const waitForOthers = (message: OutgoingMessage, rejected: Rejected): Promise<MessageOutcome> =>
    new Promise((resolve) => {
      const end = (outcome: MessageOutcome): void => {
        clearTimeout(timer);
        undecided.delete(one);
        resolve(outcome);
      };
      const one: Undecided = { kind: message.kind, hold: () => end(heldInstead(rejected)) };
      const timer = setTimeout(() => {
        // Without any other message to compare with, Adobe's own words decide.
        if (state.status().state !== 'flowing') one.hold();
        else {
          firstRefusedAt.delete(keyOf(message));
          end(rejected);
        }
      }, decisionMs);
      undecided.add(one);
    });

  return {
    noteRequest(batch, at) {
      for (const message of batch) remember(message, at);
    },
    noteMessage(message, at, detail) {
      const { kind, lane, receipt } = message;
      const didOthersPass = hasPassedSince(kind, remember(message, at));
      const refused = customers[kind];
      // If most requests fail, a pass may have been luck: few messages may die of it.
      const isCounted = !(didOthersPass && state.isHealthy());
      if (isCounted && refused.size < SEVERAL_CUSTOMERS) refused.add(lane ?? receipt);
      if (!isCounted || refused.size < SEVERAL_CUSTOMERS) {
        if (didOthersPass) guilty.add(keyOf(message));
        return;
      }
      state.pauseForFault('everything-refused', detail, { kind });
      holdAll();
    },
    noteOwnFault(message) {
      guilty.add(keyOf(message));
    },
    notePass(kind, sentAt) {
      lastPassSentAt.set(kind, Math.max(sentAt, lastPassSentAt.get(kind) ?? sentAt));
      customers[kind].clear();
      // They are sent again, since the fault may have ended between their refusal and this pass.
      for (const one of undecided) if (one.kind === kind) one.hold();
    },
    hasPassedSince,
    decide(message, rejected) {
      if (guilty.delete(keyOf(message))) {
        firstRefusedAt.delete(keyOf(message));
        return rejected;
      }
      const isUndecided = state.status().state === 'flowing' && !isClosed;
      return isUndecided ? waitForOthers(message, rejected) : heldInstead(rejected);
    },
    close() {
      isClosed = true;
      holdAll();
    },
  };
}
