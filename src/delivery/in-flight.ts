import type { Span } from '@opentelemetry/api';
import type { ClaimedEvent, Settlement } from '../journal/journal.ts';
import {
  ALL_DELIVERED,
  effectsAfter,
  type MessageResult,
  type RetryRules,
  settlementOf,
  withNotes,
} from './event-settlement.ts';
import type { MessageOutcome, OutgoingMessage } from './outcome.ts';
import type { Prepared } from './prepare.ts';

/**
 * A claimed event until its claim ends. It collects the outcomes of its messages, which can be in
 * different requests, so that no message needs a promise of its own.
 */
export interface InFlight {
  /** Of its claim. */
  readonly token: string;
  readonly event: ClaimedEvent;
  /** The messages that have their outcome. */
  readonly results: MessageResult[];
  /** Messages that have none yet. */
  outstanding: number;
  /** Undefined until it is mapped. */
  prepared: Prepared | undefined;
  /** Of its mapping, if the process is traced. */
  span: Span | undefined;
}

export function createInFlight(token: string, event: ClaimedEvent): InFlight {
  return { token, event, results: [], outstanding: 0, prepared: undefined, span: undefined };
}

/** @returns whether the event has no outstanding message any more */
export function addOutcome(inFlight: InFlight, message: OutgoingMessage, outcome: MessageOutcome): boolean {
  const { results } = inFlight;
  // The record lists the attempts of the event before those of its profile.
  if (message.kind === 'event') results.unshift({ message, outcome });
  else results.push({ message, outcome });
  inFlight.outstanding -= 1;
  return inFlight.outstanding === 0;
}

/**
 * The settlement of an event without outstanding messages. Undefined if nothing of it was sent:
 * then it is only released.
 */
export function settlementOfAll(
  { event, results }: InFlight,
  prepared: Prepared,
  rules: RetryRules,
  now: number,
): Settlement | undefined {
  const settlement =
    prepared.kind === 'messages'
      ? sentSettlement(event, prepared, results, rules, now)
      : unsentSettlement(event, prepared);
  return settlement && withNotes(settlement, prepared.notes);
}

function sentSettlement(
  event: ClaimedEvent,
  { effects }: Extract<Prepared, { kind: 'messages' }>,
  results: readonly MessageResult[],
  rules: RetryRules,
  now: number,
): Settlement | undefined {
  const isUnsent = results.every(({ outcome }) => outcome.kind === 'held' && outcome.attempt === undefined);
  return isUnsent && results.length > 0 ? undefined : settlementOf(event, results, effects, rules, now);
}

function unsentSettlement(
  { receipt, delivered }: ClaimedEvent,
  prepared: Exclude<Prepared, { kind: 'messages' }>,
): Settlement {
  const common = { receipt, attempts: [], delivered };
  const { kind, reason } = prepared;
  return kind === 'ignored'
    ? { ...common, ...effectsAfter(prepared.effects, ALL_DELIVERED), state: kind, reason }
    : { ...common, state: 'dead', reason, detail: prepared.detail, sent: [] };
}
