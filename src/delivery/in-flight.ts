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
import { type Enriched, withEnrichment } from './enriched-event.ts';
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
  /** What was fetched for it; undefined if its source does not enrich, or it lacks nothing. */
  enriched: Enriched | undefined;
  /** Of its mapping, if the process is traced. */
  span: Span | undefined;
}

export function createInFlight(token: string, event: ClaimedEvent): InFlight {
  return {
    token,
    event,
    results: [],
    outstanding: 0,
    prepared: undefined,
    enriched: undefined,
    span: undefined,
  };
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
 * The settlement of an event without outstanding messages. Undefined if nothing of it was sent, and
 * nothing was fetched for it: then it is only released.
 */
export function settlementOfAll(
  { event, results, enriched }: InFlight,
  prepared: Prepared,
  rules: RetryRules,
  now: number,
): Settlement | undefined {
  const sent = enriched?.refresh === undefined ? sentSettlement : refreshSettlement;
  const settlement =
    prepared.kind === 'messages'
      ? sent(event, prepared, results, rules, now)
      : unsentSettlement(event, prepared);
  if (enriched === undefined) return settlement && withNotes(settlement, prepared.notes);
  if (settlement !== undefined) return withEnrichment(withNotes(settlement, prepared.notes), enriched, event);
  // What was fetched is kept for the next claim: the calls of an hour are few.
  const kept = withEnrichment(postponed(event, 0), enriched, event);
  return kept.enrichment === undefined ? undefined : kept;
}

/** The event waits without having failed. */
function postponed(
  { receipt, delivered, failedAttempts, ownFaultCount }: ClaimedEvent,
  dueIn: number,
): Extract<Settlement, { state: 'pending' }> {
  return { receipt, attempts: [], delivered, state: 'pending', dueIn, failedAttempts, ownFaultCount };
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

/** What was delivered before a refresh stays so, but says nothing about what the refresh sends. */
function refreshSettlement(
  event: ClaimedEvent,
  prepared: Extract<Prepared, { kind: 'messages' }>,
  results: readonly MessageResult[],
  rules: RetryRules,
  now: number,
): Settlement | undefined {
  const settlement = sentSettlement({ ...event, delivered: [] }, prepared, results, rules, now);
  if (settlement === undefined) return undefined;
  const { kept = [] } = prepared;
  return { ...settlement, delivered: [...new Set([...kept, ...event.delivered, ...settlement.delivered])] };
}

function unsentSettlement(
  event: ClaimedEvent,
  prepared: Exclude<Prepared, { kind: 'messages' }>,
): Settlement {
  if (prepared.kind === 'postponed') return { ...postponed(event, prepared.dueIn), detail: prepared.detail };
  const { receipt, delivered } = event;
  const common = { receipt, attempts: [], delivered };
  const { kind, reason } = prepared;
  return kind === 'ignored'
    ? { ...common, ...effectsAfter(prepared.effects, ALL_DELIVERED), state: kind, reason }
    : { ...common, state: 'dead', reason, detail: prepared.detail, sent: [] };
}
