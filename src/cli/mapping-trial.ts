import { parseEvent } from '../capillary/envelope.ts';
import type { JsonObject } from '../capillary/json.ts';
import type { DestinationConfig, SourceConfig } from '../config/schema.ts';
import { mapEvent } from '../mapping/map-event.ts';
import type { Mapped, MappingContext, MappingNote } from '../mapping/mapped.ts';
import { type AssembledProfile, assembleProfile } from '../mapping/profile.ts';

/** What became of one body. */
export type Trial =
  | { readonly outcome: 'not-an-event'; readonly code: string; readonly detail: string }
  | {
      readonly outcome: 'ignored';
      readonly eventName: string;
      readonly eventId?: string;
      readonly reason: string;
      readonly notes: readonly MappingNote[];
    }
  | {
      /** In the relay a dead letter. */
      readonly outcome: 'failed';
      readonly eventName: string;
      readonly eventId?: string;
      readonly reason: string;
      readonly detail: string;
      readonly notes: readonly MappingNote[];
    }
  | {
      readonly outcome: 'messages';
      readonly eventName: string;
      readonly eventId?: string;
      readonly id: string;
      readonly event: JsonObject;
      readonly profile?: JsonObject;
      /** The customer was deleted: what is kept of them is erased. */
      readonly erase: boolean;
      readonly notes: readonly MappingNote[];
    };

export interface TrialParts {
  readonly source: SourceConfig;
  readonly destination: DestinationConfig;
  /** Epoch ms that stands for the time of receipt. */
  readonly now: number;
}

/** What the journal knows of an event that was received before. */
export interface Received {
  readonly identity: string;
  readonly orgId: number;
  /** Epoch ms. */
  readonly receivedAt: number;
}

type Messages = Extract<Mapped, { outcome: 'messages' }>;

/**
 * Maps bodies one after the other as the relay would, without a journal and without a network. Profiles grow from event to event as
 * they would in an empty journal.
 */
export const createTrial = ({
  source,
  destination,
  now,
}: TrialParts): ((body: string, received?: Received) => Promise<Trial>) => {
  /** Assembled profiles by lane, as the journal keeps them. */
  const profiles = new Map<string, string>();

  const assemble = (lane: string, { id, profile: change, erase }: Messages): AssembledProfile | undefined => {
    if (erase) profiles.delete(lane);
    if (change === undefined || destination.profile?.write !== 'assemble') return undefined;
    const folded =
      change.foldFrom === undefined || change.foldFrom === lane ? undefined : profiles.get(change.foldFrom);
    const assembled = assembleProfile(profiles.get(lane), change, folded, { id, destination });
    profiles.set(lane, assembled.state);
    return assembled;
  };

  return async (body, received) => {
    const orgIds = received === undefined ? (source.orgIds ?? []) : [received.orgId];
    const parsed = parseEvent(Buffer.from(body), { orgIds });
    if (!parsed.ok) return { outcome: 'not-an-event', code: parsed.code, detail: parsed.detail };
    const { eventName, eventId, lane } = parsed.event;
    const names = { eventName, ...(eventId === undefined ? {} : { eventId }) };
    const receivedAt = received?.receivedAt ?? now;
    const context: MappingContext = { source, destination, receivedAt, idSuffix: '' };
    const identity = received?.identity ?? parsed.event.identity;
    const mapped = await mapEvent({ ...parsed.event, identity }, context);
    if (mapped.outcome === 'ignored')
      return { outcome: 'ignored', ...names, reason: mapped.reason, notes: mapped.notes };
    if (mapped.outcome === 'failed') {
      const { reason, detail, notes } = mapped;
      return { outcome: 'failed', ...names, reason, detail, notes };
    }
    const { id, event, erase, notes } = mapped;
    const profile = lane === undefined ? undefined : assemble(lane, mapped);
    const record = profile?.entity ?? mapped.upsert;
    return {
      outcome: 'messages',
      ...names,
      id,
      event,
      ...(record === undefined ? {} : { profile: record }),
      erase,
      notes: [...notes, ...(profile?.notes ?? [])],
    };
  };
};
