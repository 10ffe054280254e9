import type { CapillaryEvent } from '../../capillary/event.ts';
import type { JsonValue } from '../../capillary/json.ts';
import { attributeTime } from '../event-time.ts';
import { storedIdentityRules } from '../identity-rules.ts';
import type { MappingContext, MappingResult, ProfileSnapshot } from '../mapping-result.ts';
import { applySnapshot, isSameProfile } from './apply-snapshot.ts';
import {
  absorbMerged,
  type CustomerFragment,
  type CustomerState,
  deletionTimeOf,
  fragmentOf,
  lanesMergedInto,
  markDeleted,
  parseState,
  pruneDeleted,
  serializeAttributes,
  serializeState,
  setAttribute,
} from './customer-state.ts';
import { buildProfileRecord, type ProfileRecord, profileRecord } from './profile-record.ts';
import { notesAbout, withoutRepeated } from './record-notes.ts';
import { pruneFacts } from './prune-facts.ts';

/** The stored state before an event, as `serializeState` wrote it. */
export interface PriorState {
  /** The lane of the event. */
  readonly lane: string;
  /**
   * The lane of the event's own customer. Differs from `lane` after a merge into the customer of
   * `lane`.
   */
  readonly ownLane: string;
  /** State of `lane`; undefined if there is none. */
  readonly state: string | undefined;
  /** State of the customer that the event merges into its own: the one of `victimLaneOf`. */
  readonly victim: { readonly lane: string; readonly state: string | undefined } | undefined;
}

/** What an event changes in the stored state of its customer. */
export interface CustomerUpdate {
  /**
   * The event is not newer than the deletion of its customer, so it is not delivered; only
   * `profile` is sent, if there is one.
   */
  readonly isLate: boolean;
  /** The new state of the lane; undefined if it is unchanged. */
  readonly state?: string;
  /** The profile record to send. */
  readonly profile?: ProfileRecord;
  /** Lanes whose stored data must be erased. */
  readonly erase: readonly string[];
  /** From now on the lane `from` is an alias of `into` and has no state of its own. */
  readonly merged?: { readonly from: string; readonly into: string };
}

/** The digits of an `_id` that order two events of the same millisecond. */
const TIE_BREAKER_DIGITS = { from: 'cap-'.length, to: 'cap-'.length + 12 };

/**
 * Applies an event to the stored state of its customer. The newest version of each attribute wins,
 * by event time and then by `_id`; a deletion removes everything that is not newer; a merge adds
 * the fragment of one customer to the lane of the other. So the order in which events are accepted
 * does not matter.
 */
export function applyToCustomer(
  event: CapillaryEvent,
  mapped: MappingResult,
  before: PriorState,
  context: MappingContext,
): CustomerUpdate {
  const { lane, ownLane } = before;
  const at = attributeTime(event, context);
  const state = parseState(before.state);
  const erasedAt = mapped.outcome === 'failed' ? undefined : mapped.erasedAt;
  const isKnownErased = erasedAt !== undefined && isDeleted(fragmentOf(state, lane, ownLane));
  if (mapped.erase) {
    markDeleted(fragmentOf(state, lane, ownLane), erasedAt ?? at);
  }
  const deletedAt = deletionTimeOf(state, lane, ownLane);
  const isLate = isKnownErased || (!mapped.erase && deletedAt !== undefined && at <= deletedAt);
  // Serializing is costly, so it is done only where a deletion can have removed attributes.
  const attributesBefore = mapped.erase || isLate ? serializeAttributes(state) : undefined;
  const delivered = mapped.outcome === 'messages' && !isLate ? mapped : undefined;
  const by = delivered?.id.slice(TIE_BREAKER_DIGITS.from, TIE_BREAKER_DIGITS.to) ?? '';
  if (delivered?.profile !== undefined) {
    const { at: changedAt, attributes } = delivered.profile;
    for (const [path, value] of groupConsentFields(attributes)) {
      setAttribute(fragmentOf(state, lane, ownLane), path, { value, at: changedAt, by });
    }
  }
  const applied =
    delivered?.snapshot === undefined
      ? 'none'
      : applySnapshot(state, withConsents(delivered.snapshot), { lane, ownLane });
  const victim = mapped.outcome === 'messages' && before.victim?.lane !== lane ? before.victim : undefined;
  if (victim !== undefined) {
    absorbMerged(state, lane, { from: victim.lane, into: ownLane, state: parseState(victim.state) });
  }
  pruneDeleted(state, lane);
  pruneFacts(state, lane, context);
  const serialized = serializeState(state);
  // After a deletion a record is sent if attributes are left and others were removed.
  const attributesLeft = attributesBefore === undefined ? undefined : serializeAttributes(state);
  const isPruned =
    attributesLeft !== undefined && attributesLeft !== '[]' && attributesLeft !== attributesBefore;
  const isStated = delivered?.profile !== undefined || isPruned;
  // The record of a customer who was merged elsewhere would bring back a profile that is gone.
  const isElsewhere = delivered?.isMerged === true && lane === ownLane;
  const record =
    mapped.outcome === 'messages' &&
    !isElsewhere &&
    (isStated || applied !== 'none') &&
    sendsProfiles(context)
      ? recordOf(state, event, mapped, context)
      : undefined;
  const isSent =
    record !== undefined &&
    (isStated || applied === 'news' || !isSameProfile(record, earlierRecord(event, mapped, before, context)));
  const victimLanes = victim === undefined ? [] : lanesMergedInto(state, lane, victim.lane);
  return {
    isLate,
    // The erasure of a lane also removes its state, so after a deletion the state is always
    // written.
    ...(serialized === (before.state ?? '{}') && !mapped.erase ? {} : { state: serialized }),
    ...(isSent ? { profile: record } : {}),
    erase: [...(mapped.erase ? lanesMergedInto(state, lane, ownLane) : []), ...(isLate ? victimLanes : [])],
    ...(victim === undefined ? {} : { merged: { from: victim.lane, into: ownLane } }),
  };
}

/** True if the customer was deleted and nothing newer is known. */
function isDeleted({ deletedAt, attributes }: CustomerFragment): boolean {
  return deletedAt !== undefined && attributes.size === 0;
}

/** The record of the state before an event. */
function earlierRecord(
  event: CapillaryEvent,
  mapped: MappingResult,
  before: PriorState,
  context: MappingContext,
): ProfileRecord | undefined {
  return mapped.outcome === 'messages'
    ? recordOf(parseState(before.state), event, mapped, context)
    : undefined;
}

function withConsents(snapshot: ProfileSnapshot): ProfileSnapshot {
  return { ...snapshot, attributes: groupConsentFields(snapshot.attributes) };
}

function recordOf(
  state: CustomerState,
  event: CapillaryEvent,
  { id, profile, snapshot, notes }: Extract<MappingResult, { outcome: 'messages' }>,
  context: MappingContext,
): ProfileRecord {
  const record = buildProfileRecord(state, id, {
    ...context,
    programs: context.programs.of(event.orgId),
    rules: storedIdentityRules(event.orgId, context),
  });
  const news = withoutRepeated(record.notes, notes);
  const change = profile?.attributes ?? new Map<string, JsonValue>();
  const all = snapshot === undefined ? change : new Map([...change, ...snapshot.attributes]);
  return profileRecord(record, notesAbout(all, news));
}

function sendsProfiles({ destination: { format, profile } }: MappingContext): boolean {
  return format === 'xdm' && profile?.write === 'assemble';
}

const CONSENTS_PREFIX = 'consents.';
const CONSENT_FIELD = /^(consents\..+)\.(val|time|reason)$/;

/**
 * Combines answer, time and reason of a consent into one attribute, such as
 * `consents.marketing.sms`, because an older event must not change one of them alone
 * (docs/platforms/adobe.md#consents). A consent without an answer is left out.
 */
function groupConsentFields(attributes: ReadonlyMap<string, JsonValue>): ReadonlyMap<string, JsonValue> {
  if (!hasConsents(attributes)) {
    return attributes;
  }
  const grouped = new Map<string, JsonValue>();
  const consents = new Map<string, Record<string, JsonValue>>();
  for (const [path, value] of attributes) {
    const [, consent, field] = CONSENT_FIELD.exec(path) ?? [];
    if (consent === undefined || field === undefined) {
      grouped.set(path, value);
    } else {
      consents.set(consent, { ...consents.get(consent), [field]: value });
    }
  }
  for (const [path, consent] of consents) {
    if (consent['val'] !== undefined) {
      grouped.set(path, consent);
    }
  }
  return grouped;
}

function hasConsents(attributes: ReadonlyMap<string, JsonValue>): boolean {
  for (const path of attributes.keys()) {
    if (path.startsWith(CONSENTS_PREFIX)) {
      return true;
    }
  }
  return false;
}
