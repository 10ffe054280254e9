import { envelope } from '../adobe/envelope.ts';
import { parseEvent } from '../capillary/envelope.ts';
import type { JsonObject } from '../capillary/json.ts';
import type { DestinationConfig, SourceConfig } from '../config/schema.ts';
import type { ClaimedEvent, Journal } from '../journal/journal.ts';
import { mapEvent } from '../mapping/map-event.ts';
import type { MappingContext, MappingNote, ProfileChange } from '../mapping/mapped.ts';
import { assembleProfile } from '../mapping/profile.ts';
import type { Unread } from '../mapping/unread.ts';
import { envelopeTarget } from './envelope-target.ts';
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
  readonly profiles: Journal['profiles'];
}

/** Maps a stored event as the configuration and the mapping of today have it, so that a replay profits from what was mended. */
export const prepare = async (event: ClaimedEvent, parts: PrepareParts): Promise<Prepared> => {
  const parsed = parseEvent(event.body, { orgIds: [event.orgId] });
  if (!parsed.ok) return { kind: 'unusable', reason: parsed.code, detail: parsed.detail, notes: [] };
  const context: MappingContext = { ...parts, receivedAt: event.receivedAt, idSuffix: event.idSuffix };
  // The identity stays what it was at intake, so that `_id` never changes with the way events are read.
  const mapped = await mapEvent({ ...parsed.event, identity: event.identity }, context);
  const erase = mapped.erase && event.lane !== undefined ? { erase: [event.lane] } : {};
  if (mapped.outcome === 'ignored') {
    return { kind: 'ignored', reason: mapped.reason, effects: erase, notes: mapped.notes };
  }

  if (mapped.outcome === 'failed') {
    return { kind: 'unusable', reason: mapped.reason, detail: mapped.detail, notes: mapped.notes };
  }

  const messages = [outMessage(event, 'event', mapped.event, parts)];
  const profile =
    mapped.profile && event.lane !== undefined && parts.destination.profile?.write === 'assemble'
      ? await assemble(event, event.lane, mapped.profile, mapped.id, context, parts)
      : undefined;
  const record = profile?.entity ?? mapped.upsert;
  if (record !== undefined) messages.push(outMessage(event, 'profile', record, parts));

  const told = {
    notes: [...mapped.notes, ...(profile?.notes ?? [])],
    ...(mapped.unread === undefined ? {} : { unread: mapped.unread }),
  };
  const missing = messages.filter((message) => !event.delivered.includes(message.kind));
  const tooLarge = missing.find((message) => message.bytes >= REQUEST_LIMIT - 100);
  if (tooLarge !== undefined) {
    const detail = `the ${tooLarge.kind} message has ${tooLarge.bytes} bytes; a request may have ${REQUEST_LIMIT}`;
    return { kind: 'unusable', reason: 'too-large', detail, ...told };
  }
  return {
    kind: 'messages',
    messages: missing,
    ...told,
    effects: {
      ...(profile && event.lane !== undefined
        ? { profiles: [{ lane: event.lane, state: profile.state }] }
        : {}),
      ...erase,
    },
  };
};

const assemble = async (
  event: ClaimedEvent,
  lane: string,
  change: ProfileChange,
  id: string,
  context: MappingContext,
  parts: PrepareParts,
) => {
  const folded =
    change.foldFrom === undefined || change.foldFrom === lane
      ? undefined
      : (await parts.profiles(event.destination, [change.foldFrom])).get(change.foldFrom);
  return assembleProfile(event.profile, change, folded, { id, destination: context.destination });
};

const outMessage = (
  event: ClaimedEvent,
  kind: OutMessage['kind'],
  entity: JsonObject,
  { destination, now }: PrepareParts,
): OutMessage => {
  // A clock that was set back makes nothing younger than new.
  const age = Math.max(0, now - event.receivedAt);
  const json = envelope(envelopeTarget(destination, kind), entity, event.receivedAt);
  return {
    receipt: event.receipt,
    kind,
    json,
    bytes: Buffer.byteLength(json),
    suspect: event.failures > 0,
    age,
    expired: age > destination.retry.maxAge,
  };
};
