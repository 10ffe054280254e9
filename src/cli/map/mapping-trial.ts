import { parseEvent } from '../../capillary/event-parser.ts';
import type { Entities } from '../../capillary/entities.ts';
import type { CapillaryEvent } from '../../capillary/event.ts';
import type { JsonObject } from '../../capillary/json.ts';
import type { DestinationConfig, SourceConfig } from '../../config/config-schema.ts';
import { victimLaneOf } from '../../mapping/identities.ts';
import { type CustomerUpdate, applyToCustomer } from '../../mapping/customer/apply-to-customer.ts';
import { mapEvent } from '../../mapping/map-event.ts';
import { createProgramCatalogue } from '../../mapping/program-catalogue.ts';
import type {
  MappingResult,
  MappingContext,
  MappingNote,
  UnreadFields,
} from '../../mapping/mapping-result.ts';

/** What one body maps to. */
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
      /** In the relay it would become a dead letter. */
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
      /** Absent for a late merge of a deleted customer, for which only the profile is sent. */
      readonly event?: JsonObject;
      readonly profile?: JsonObject;
      /** The customer was deleted: the stored data of the customer is erased. */
      readonly erase: boolean;
      readonly notes: readonly MappingNote[];
      /** Paths in the payload that no mapping reads and that are not sent: `data.a.b[].c`. */
      readonly unread: readonly string[];
    };

export interface TrialParts {
  readonly source: SourceConfig;
  readonly destination: DestinationConfig;
}

/** What is known about a body apart from its bytes. */
export interface Received {
  /** Epoch ms. */
  readonly receivedAt: number;
  /** Only of a stored event. */
  readonly identity?: string;
  readonly orgId?: number;
  /** What Capillary's API said about its customer and bill. */
  readonly entities?: Entities;
  /** What the API could have said and did not, and why. */
  readonly incomplete?: MappingContext['incomplete'];
}

/** Maps one body. */
export type TrialOf = (body: string | Uint8Array, received: Received) => Promise<Trial>;

/**
 * Creates a function that maps bodies one after the other as the relay would, but without journal
 * and network. The stored state of each customer builds up from event to event, starting empty.
 */
export function createTrial({ source, destination }: TrialParts): TrialOf {
  // Stored state by lane, and which lane each merged lane was merged into.
  const states = new Map<string, string>();
  const mergedInto = new Map<string, string>();
  const programs = createProgramCatalogue();

  const currentLane = (lane: string): string => {
    const next = mergedInto.get(lane);
    return next === undefined ? lane : currentLane(next);
  };

  const updateCustomer = (
    event: CapillaryEvent,
    ownLane: string,
    mapped: MappingResult,
    context: MappingContext,
  ): CustomerUpdate => {
    const lane = currentLane(ownLane);
    const from = victimLaneOf(event);
    const victim = from === undefined ? undefined : { lane: from, state: states.get(from) };
    const update = applyToCustomer(
      event,
      mapped,
      { lane, ownLane, state: states.get(lane), victim },
      context,
    );
    const { merged, state } = update;
    if (merged !== undefined) states.delete(merged.from);
    if (state !== undefined) states.set(lane, state);
    if (merged !== undefined && !mergedInto.has(merged.from) && currentLane(merged.into) !== merged.from)
      mergedInto.set(merged.from, merged.into);
    return update;
  };

  return async (body, { receivedAt, identity, orgId, entities, incomplete }) => {
    const orgIds = orgId === undefined ? (source.orgIds ?? []) : [orgId];
    const parsed = parseEvent(Buffer.from(body), { orgIds, timezone: source.timezone });
    if (!parsed.ok) return { outcome: 'not-an-event', code: parsed.code, detail: parsed.detail };
    const { eventName, eventId, lane } = parsed.event;
    const names = { eventName, ...(eventId === undefined ? {} : { eventId }) };
    const context: MappingContext = {
      source,
      destination,
      programs,
      receivedAt,
      idSuffix: '',
      ...(entities === undefined ? {} : { entities }),
      ...(incomplete === undefined ? {} : { incomplete }),
    };
    const event = { ...parsed.event, identity: identity ?? parsed.event.identity };
    const mapped = await mapEvent(event, context);
    if (mapped.outcome === 'failed') {
      const { reason, detail, notes } = mapped;
      return { outcome: 'failed', ...names, reason, detail, notes };
    }
    const update = lane === undefined ? undefined : updateCustomer(event, lane, mapped, context);
    const notes = [...mapped.notes, ...(update?.profile?.notes ?? [])];
    if (update?.isLate === true && update.profile === undefined)
      return { outcome: 'ignored', ...names, reason: 'customer-deleted', notes };
    if (mapped.outcome === 'ignored') return { outcome: 'ignored', ...names, reason: mapped.reason, notes };
    const isLate = update?.isLate === true;
    const record = update?.profile?.entity ?? (isLate ? undefined : mapped.upsert);
    return {
      outcome: 'messages',
      ...names,
      id: mapped.id,
      ...(isLate ? {} : { event: mapped.event }),
      ...(record === undefined ? {} : { profile: record }),
      erase: mapped.erase,
      notes,
      unread: unreadPaths(mapped.unread, destination),
    };
  };
}

/** An event without a mapping of its own is sent as text if the destination has a tenant. */
function unreadPaths(unread: UnreadFields | undefined, { tenant }: DestinationConfig): readonly string[] {
  const isSentAsText = unread?.mapping === 'generic' && tenant !== undefined;
  return unread === undefined || isSentAsText ? [] : [...unread.fields.keys()];
}
