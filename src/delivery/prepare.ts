import { parseEvent } from '../capillary/envelope.ts';
import type { DestinationConfig, SourceConfig } from '../config/schema.ts';
import type { ClaimedEvent, Journal } from '../journal/journal.ts';
import { mapEvent } from '../mapping/map-event.ts';
import { victimLaneOf } from '../mapping/identities.ts';
import { type Kept, type KeptBefore, keep } from '../mapping/keep.ts';
import type { Mapped, MappingContext, MappingNote } from '../mapping/mapped.ts';
import type { Unread } from '../mapping/unread.ts';
import { envelopeOf } from './envelope-target.ts';
import type { OutMessage } from './message.ts';
import type { Effects } from './settlement.ts';

/** Requests of this many bytes and more are refused by the inlet (adobe.md §3). */
const REQUEST_LIMIT = 1_000_000;

/** A stored event turned into what is to be sent for it; or why nothing is. */
export type Prepared =
  | {
      readonly kind: 'ignored';
      readonly reason: string;
      readonly effects: Effects;
      readonly notes: readonly MappingNote[];
    }
  | {
      readonly kind: 'unusable';
      readonly reason: string;
      readonly detail: string;
      readonly notes: readonly MappingNote[];
      readonly unread?: Unread;
    }
  | {
      readonly kind: 'messages';
      /** Those that are not delivered yet. */
      readonly messages: readonly OutMessage[];
      readonly effects: Effects;
      /** Of the event's mapping, then of the profile's assembly. */
      readonly notes: readonly MappingNote[];
      readonly unread?: Unread;
    };

export interface PrepareParts {
  /** Epoch ms. */
  readonly now: number;
  readonly destination: DestinationConfig;
  readonly source: SourceConfig;
  readonly journal: Pick<Journal, 'profiles'>;
}

/** Maps a stored event as the configuration and the mapping of today have it, so that a replay profits from what was mended. */
export async function prepare(event: ClaimedEvent, parts: PrepareParts): Promise<Prepared> {
  // The identity stays what it was at intake, so that `_id` never changes with the way events are read.
  const known = { identity: event.identity, lane: event.ownLane ?? event.lane };
  const parsed = parseEvent(event.body, { orgIds: [event.orgId], known });
  if (!parsed.ok) return { kind: 'unusable', reason: parsed.code, detail: parsed.detail, notes: [] };
  const context: MappingContext = { ...parts, receivedAt: event.receivedAt, idSuffix: event.idSuffix };
  const capillary = parsed.event;
  // Without a wait in between, what an event was parsed and mapped to is garbage before the next one is begun with.
  const mapping = mapEvent(capillary, context);
  const mapped = mapping instanceof Promise ? await mapping : mapping;
  if (mapped.outcome === 'failed') {
    return { kind: 'unusable', reason: mapped.reason, detail: mapped.detail, notes: mapped.notes };
  }
  const victimLane = event.lane === undefined ? undefined : victimLaneOf(capillary);
  const victim = victimLane === undefined ? undefined : await victimOf(event, victimLane, parts);
  const before = keptBefore(event, victim);
  const kept = before && keep(capillary, mapped, before, context);
  const effects = effectsOf(kept, before);
  const notes = [...mapped.notes, ...(kept?.profile?.notes ?? [])];
  const unread = mapped.outcome === 'messages' && kept?.isLate !== true ? mapped.unread : undefined;
  const told = { notes, ...(unread === undefined ? {} : { unread }) };
  const messages = messagesOf(event, mapped, kept, parts);
  if (messages.length === 0) {
    const reason = mapped.outcome === 'ignored' && kept?.isLate !== true ? mapped.reason : 'customer-deleted';
    return { kind: 'ignored', reason, effects, notes };
  }

  const missing = messages.filter((message) => !event.delivered.includes(message.kind));
  const tooLarge = missing.find((message) => message.bytes >= REQUEST_LIMIT - 100);
  if (tooLarge !== undefined) {
    const detail = `the ${tooLarge.kind} message has ${tooLarge.bytes} bytes; a request may have ${REQUEST_LIMIT}`;
    return { kind: 'unusable', reason: 'too-large', detail, ...told };
  }
  return { kind: 'messages', messages: missing, ...told, effects };
}

/** What is kept of the customer whom the event dissolves. */
async function victimOf(
  { destination }: ClaimedEvent,
  lane: string,
  { journal }: PrepareParts,
): Promise<KeptBefore['victim']> {
  return {
    lane,
    state: (await journal.profiles(destination, [lane])).get(lane),
  };
}

/** What is kept of the event's customer; undefined for an event of nobody. */
function keptBefore(
  { lane, ownLane, profile }: ClaimedEvent,
  victim: KeptBefore['victim'],
): KeptBefore | undefined {
  return lane === undefined ? undefined : { lane, own: ownLane ?? lane, state: profile, victim };
}

function messagesOf(
  event: ClaimedEvent,
  mapped: Mapped,
  kept: Kept | undefined,
  parts: PrepareParts,
): OutMessage[] {
  if (mapped.outcome !== 'messages') return [];
  const isLate = kept?.isLate === true;
  const upsert = isLate || mapped.upsert === undefined ? undefined : JSON.stringify(mapped.upsert);
  const record = kept?.profile?.json ?? upsert;
  const messages: OutMessage[] = [];
  if (!isLate) {
    messages.push(outMessage(event, 'event', mapped.json ?? JSON.stringify(mapped.event), parts));
  }
  if (record !== undefined) messages.push(outMessage(event, 'profile', record, parts));
  return messages;
}

function effectsOf(kept: Kept | undefined, before: KeptBefore | undefined): Effects {
  if (kept === undefined || before === undefined) return {};
  const { state, merged, erase, isLate, profile } = kept;
  const profiles = [
    ...(merged === undefined ? [] : [{ lane: merged.from, state: null }]),
    ...(state === undefined ? [] : [{ lane: before.lane, state }]),
  ];
  return {
    ...(profiles.length === 0 ? {} : { profiles }),
    ...(profile === undefined ? {} : { withProfile: true }),
    ...(erase.length === 0 ? {} : { erase }),
    ...(isLate ? { eraseOwn: true } : {}),
    ...(merged === undefined
      ? {}
      : { alias: { from: merged.from, to: merged.into, profile: before.victim?.state ?? null } }),
  };
}

/** @param record its JSON text */
function outMessage(
  event: ClaimedEvent,
  kind: OutMessage['kind'],
  record: string,
  { destination, now }: PrepareParts,
): OutMessage {
  // A clock that was set back makes nothing younger than new.
  const age = Math.max(0, now - event.receivedAt);
  return {
    receipt: event.receipt,
    kind,
    ...envelopeOf(destination, kind)(record, event.receivedAt),
    suspect: event.failures > 0,
    age,
    expired: age > destination.retry.maxAge,
    ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
  };
}
