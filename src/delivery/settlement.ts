import type { Attempt, ClaimedEvent, MessageKind, Settlement } from '../journal/journal.ts';
import type { MappingNote } from '../mapping/mapped.ts';
import { boundedNotes } from '../mapping/notes.ts';
import { fullJitter } from './backoff.ts';
import type { MessageOutcome, OutMessage } from './message.ts';

export interface RetryRules {
  readonly minDelay: number;
  readonly maxDelay: number;
  /** ms after receipt at which a failing event of its own fault is given up. */
  readonly maxAge: number;
  /** Charged failures after which a message is taken for poison. */
  readonly poisonAttempts: number;
}

/** One message of an event and what became of it. */
export interface Result {
  readonly message: OutMessage;
  readonly outcome: MessageOutcome;
}

/** What is written besides the state itself. */
export interface Effects extends Pick<Settlement, 'profiles' | 'erase' | 'eraseOwn' | 'alias'> {
  /** `profiles` and `alias` are told to Adobe by a profile record, and written when that is taken. */
  readonly withProfile?: boolean;
}

type Written = Pick<Settlement, 'profiles' | 'erase' | 'eraseOwn' | 'alias'>;

/** Told of an event that needs no message. */
export const DONE = { profile: true, all: true };

/** What is kept of a customer goes with the record that tells it, what is erased with the delivery of all. */
export function writtenWith(
  { profiles, alias, erase, eraseOwn, withProfile = false }: Effects,
  told: { readonly profile: boolean; readonly all: boolean },
): Written {
  const written: { -readonly [Name in keyof Written]: Written[Name] } = {};
  if (withProfile ? told.profile : told.all) {
    if (profiles) written.profiles = profiles;
    if (alias) written.alias = alias;
  }
  if (told.all) {
    if (erase) written.erase = erase;
    if (eraseOwn === true) written.eraseOwn = eraseOwn;
  }
  return written;
}

function attemptsOf(results: readonly Result[]): Attempt[] {
  const attempts: Attempt[] = [];
  for (const { outcome } of results) {
    if (outcome.attempt !== undefined) attempts.push(outcome.attempt);
  }
  return attempts;
}

function deliveredOf(event: ClaimedEvent, results: readonly Result[]): MessageKind[] {
  const delivered = [...event.delivered];
  for (const { message, outcome } of results) {
    if (outcome.kind === 'delivered' && !delivered.includes(message.kind)) delivered.push(message.kind);
  }
  return delivered;
}

/**
 * Joins the outcomes of an event's messages into the one step that the journal takes. An event is delivered when all its messages are, dead
 * when one is refused for good and none can still be tried, and waits otherwise (design: sections 1 and 8).
 */
export function settlementOf(
  event: ClaimedEvent,
  results: readonly Result[],
  effects: Effects,
  rules: RetryRules,
  now: number,
): Settlement {
  const common = {
    receipt: event.receipt,
    now,
    attempts: attemptsOf(results),
    delivered: deliveredOf(event, results),
  };
  const profile = common.delivered.includes('profile');
  if (results.every(({ outcome }) => outcome.kind === 'delivered')) {
    return { ...common, ...writtenWith(effects, { profile, all: true }), state: 'delivered' };
  }
  const outcomes = results.map(({ outcome }) => outcome);
  const open = outcomes.filter((outcome) => outcome.kind === 'retry' || outcome.kind === 'held');
  const failed = open.filter((outcome) => outcome.kind === 'retry');
  const charged = event.charged + (failed.some((outcome) => outcome.charged) ? 1 : 0);
  const givenUp = giveUp(event, charged, rules, now);

  if (open.length > 0 && givenUp === undefined) {
    const failures = event.failures + (failed.length > 0 ? 1 : 0);
    const asked = Math.max(0, ...failed.map((outcome) => outcome.retryAfter ?? 0));
    const jitter = failed[0]?.jitter ?? 0;
    const wait =
      failed.length > 0
        ? Math.max(
            asked,
            fullJitter(event.failures, rules, () => jitter),
          )
        : 0;
    const detail = open[0]?.detail ?? '';
    return {
      ...common,
      ...writtenWith(effects, { profile, all: false }),
      state: 'pending',
      dueAt: now + wait,
      failures,
      charged,
      detail,
    };
  }
  const refused = outcomes.find((outcome) => outcome.kind === 'rejected');
  return {
    ...common,
    ...writtenWith(effects, { profile, all: false }),
    state: 'dead',
    reason: refused?.reason ?? givenUp ?? 'rejected',
    detail: refused?.detail ?? open[0]?.detail ?? '',
    sent: results
      .filter(({ outcome }) => outcome.kind !== 'delivered')
      .map(({ message }) => ({ kind: message.kind, json: message.json })),
  };
}

/** With the notes of the mapping that led to it, if it is for good. */
export function withNotes(settlement: Settlement, notes: readonly MappingNote[]): Settlement {
  return settlement.state === 'pending' || notes.length === 0
    ? settlement
    : { ...settlement, notes: boundedNotes(notes).map(({ path, code }) => ({ path, code })) };
}

/** Only failures charged to the event itself can bury it: never Adobe's or a credential's trouble. */
function giveUp(event: ClaimedEvent, charged: number, rules: RetryRules, now: number): string | undefined {
  if (charged === event.charged) return undefined;
  if (charged >= rules.poisonAttempts) return 'poison';
  return now - event.receivedAt > rules.maxAge ? 'expired' : undefined;
}
