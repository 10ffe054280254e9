import { parseEvent } from '../capillary/envelope.ts';
import type { CapillaryEvent } from '../capillary/event.ts';
import type { JsonObject } from '../capillary/json.ts';
import type { DestinationConfig, SourceConfig } from '../config/schema.ts';
import { victimLaneOf } from '../mapping/identities.ts';
import { type Kept, keep } from '../mapping/keep.ts';
import { mapEvent } from '../mapping/map-event.ts';
import type { Mapped, MappingContext, MappingNote } from '../mapping/mapped.ts';

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
      /** Absent for a late merge of a deleted customer of which only the profile goes on. */
      readonly event?: JsonObject;
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

/**
 * Maps bodies one after the other as the relay would, without a journal and without a network. What is kept of customers grows from event
 * to event as it would in an empty journal.
 */
export function createTrial({
  source,
  destination,
  now,
}: TrialParts): (body: string, received?: Received) => Promise<Trial> {
  /** What is kept, by lane, and which lanes are others now. */
  const states = new Map<string, string>();
  const aliases = new Map<string, string>();

  const laneAt = (own: string): string => {
    const next = aliases.get(own);
    return next === undefined ? own : laneAt(next);
  };

  const keepAll = (event: CapillaryEvent, own: string, mapped: Mapped, context: MappingContext): Kept => {
    const lane = laneAt(own);
    const from = victimLaneOf(event);
    const victim = from === undefined ? undefined : { lane: from, state: states.get(from) };
    const kept = keep(event, mapped, { lane, own, state: states.get(lane), victim }, context);
    const { merged, state } = kept;
    if (merged !== undefined) states.delete(merged.from);
    if (state !== undefined) states.set(lane, state);
    if (merged !== undefined && !aliases.has(merged.from) && laneAt(merged.into) !== merged.from)
      aliases.set(merged.from, merged.into);
    return kept;
  };

  return async (body, received) => {
    const orgIds = received === undefined ? (source.orgIds ?? []) : [received.orgId];
    const parsed = parseEvent(Buffer.from(body), { orgIds });
    if (!parsed.ok) return { outcome: 'not-an-event', code: parsed.code, detail: parsed.detail };
    const { eventName, eventId, lane } = parsed.event;
    const names = { eventName, ...(eventId === undefined ? {} : { eventId }) };
    const receivedAt = received?.receivedAt ?? now;
    const context: MappingContext = { source, destination, receivedAt, idSuffix: '' };
    const event = { ...parsed.event, identity: received?.identity ?? parsed.event.identity };
    const mapped = await mapEvent(event, context);
    if (mapped.outcome === 'failed') {
      const { reason, detail, notes } = mapped;
      return { outcome: 'failed', ...names, reason, detail, notes };
    }
    const kept = lane === undefined ? undefined : keepAll(event, lane, mapped, context);
    const notes = [...mapped.notes, ...(kept?.profile?.notes ?? [])];
    if (kept?.isLate === true && kept.profile === undefined)
      return { outcome: 'ignored', ...names, reason: 'customer-deleted', notes };
    if (mapped.outcome === 'ignored') return { outcome: 'ignored', ...names, reason: mapped.reason, notes };
    const isLate = kept?.isLate === true;
    const record = kept?.profile?.entity ?? (isLate ? undefined : mapped.upsert);
    return {
      outcome: 'messages',
      ...names,
      id: mapped.id,
      ...(isLate ? {} : { event: mapped.event }),
      ...(record === undefined ? {} : { profile: record }),
      erase: mapped.erase,
      notes,
    };
  };
}
