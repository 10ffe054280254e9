import type { Attempt, ClaimedEvent, MessageKind, Settlement } from '../journal/journal.ts';
import type { MappingNote } from '../mapping/mapping-result.ts';
import { limitNotes } from '../mapping/mapping-notes.ts';
import { jitteredDelay } from './scheduling.ts';
import type { MessageOutcome, OutgoingMessage } from './outcome.ts';

export interface RetryRules {
  /** ms */
  readonly minDelay: number;
  /** ms */
  readonly maxDelay: number;
  /** ms after receipt at which an event that fails through its own fault becomes a dead letter. */
  readonly maxAge: number;
  /** Failures through its own fault after which a message is considered poison. */
  readonly poisonAttempts: number;
}

/** One message of an event with its outcome. */
export interface MessageResult {
  readonly message: OutgoingMessage;
  readonly outcome: MessageOutcome;
}

type WrittenEffects = Pick<Settlement, 'profiles' | 'erase' | 'eraseOwn' | 'alias'>;

/** What a settlement writes besides the state of the event. */
export interface SettlementEffects extends WrittenEffects {
  /**
   * A profile record carries `profiles` and `alias` to Adobe: they are written once it is
   * delivered.
   */
  readonly withProfile?: boolean;
}

/** For an event that needs no message. */
export const ALL_DELIVERED = { profile: true, all: true };

/**
 * The effects to write after some messages were delivered: the state of a customer with the record
 * that carries it, erasures only when all messages are delivered.
 */
export function effectsAfter(
  { profiles, alias, erase, eraseOwn, withProfile = false }: SettlementEffects,
  delivered: { readonly profile: boolean; readonly all: boolean },
): WrittenEffects {
  const written: { -readonly [Name in keyof WrittenEffects]: WrittenEffects[Name] } = {};
  if (withProfile ? delivered.profile : delivered.all) {
    if (profiles) written.profiles = profiles;
    if (alias) written.alias = alias;
  }
  if (delivered.all) {
    if (erase) written.erase = erase;
    if (eraseOwn === true) written.eraseOwn = eraseOwn;
  }
  return written;
}

function attemptsOf(results: readonly MessageResult[]): Attempt[] {
  const attempts: Attempt[] = [];
  for (const { outcome } of results) {
    if (outcome.attempt !== undefined) attempts.push(outcome.attempt);
  }
  return attempts;
}

function deliveredOf(event: ClaimedEvent, results: readonly MessageResult[]): MessageKind[] {
  const delivered = [...event.delivered];
  for (const { message, outcome } of results) {
    if (outcome.kind === 'delivered' && !delivered.includes(message.kind)) delivered.push(message.kind);
  }
  return delivered;
}

/**
 * Combines the outcomes of an event's messages into one settlement. The event is delivered when all
 * its messages are, dead when one is rejected and no other can be retried, and pending otherwise.
 */
export function settlementOf(
  event: ClaimedEvent,
  results: readonly MessageResult[],
  effects: SettlementEffects,
  rules: RetryRules,
  now: number,
): Settlement {
  const { receipt } = event;
  const attempts = attemptsOf(results);
  const delivered = deliveredOf(event, results);
  const isProfileDelivered = delivered.includes('profile');
  if (results.every(({ outcome }) => outcome.kind === 'delivered')) {
    const written = effectsAfter(effects, { profile: isProfileDelivered, all: true });
    return { receipt, attempts, delivered, ...written, state: 'delivered' };
  }
  const common = { receipt, attempts, delivered };
  const outcomes = results.map(({ outcome }) => outcome);
  const retryable = outcomes.filter((outcome) => outcome.kind === 'retry' || outcome.kind === 'held');
  const failed = retryable.filter((outcome) => outcome.kind === 'retry');
  const ownFaultCount = event.ownFaultCount + (failed.some((outcome) => outcome.isOwnFault) ? 1 : 0);
  const deadReason = ownFaultReason(event, ownFaultCount, rules, now);

  if (retryable.length > 0 && deadReason === undefined) {
    const failedAttempts = event.failedAttempts + (failed.length > 0 ? 1 : 0);
    const retryAfterMs = Math.max(0, ...failed.map((outcome) => outcome.retryAfterMs ?? 0));
    const wait = Math.max(retryAfterMs, ownWaitMs(event, failed[0], rules));
    const detail = retryable[0]?.detail ?? '';
    return {
      ...common,
      ...effectsAfter(effects, { profile: isProfileDelivered, all: false }),
      state: 'pending',
      dueIn: wait,
      failedAttempts,
      ownFaultCount,
      detail,
    };
  }
  const rejected = outcomes.find((outcome) => outcome.kind === 'rejected');
  return {
    ...common,
    ...effectsAfter(effects, { profile: isProfileDelivered, all: false }),
    state: 'dead',
    reason: rejected?.reason ?? deadReason ?? 'rejected',
    detail: rejected?.detail ?? retryable[0]?.detail ?? '',
    sent: results
      .filter(({ outcome }) => outcome.kind !== 'delivered')
      .map(({ message }) => ({ kind: message.kind, json: message.json })),
  };
}

function ownWaitMs(
  { failedAttempts }: ClaimedEvent,
  failed: Extract<MessageOutcome, { kind: 'retry' }> | undefined,
  rules: RetryRules,
): number {
  if (failed === undefined || failed.ownWait === 'none') return 0;
  const failures = failed.ownWait === 'short' ? 0 : failedAttempts;
  return jitteredDelay(failures, rules, () => failed.jitter);
}

/** Adds the notes of the mapping to a settlement that is final. */
export function withNotes(settlement: Settlement, notes: readonly MappingNote[]): Settlement {
  return settlement.state === 'pending' || notes.length === 0
    ? settlement
    : { ...settlement, notes: limitNotes(notes).map(({ path, code }) => ({ path, code })) };
}

/**
 * Only the event's own faults can make it a dead letter, never those of Adobe or of a credential.
 */
function ownFaultReason(
  event: ClaimedEvent,
  ownFaultCount: number,
  rules: RetryRules,
  now: number,
): string | undefined {
  if (ownFaultCount === event.ownFaultCount) return undefined;
  if (ownFaultCount >= rules.poisonAttempts) return 'poison';
  return now - event.receivedAt > rules.maxAge ? 'expired' : undefined;
}
