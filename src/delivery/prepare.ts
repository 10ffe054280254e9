import type { Enricher } from '../capillary/enricher.ts';
import type { CapillaryEvent } from '../capillary/event.ts';
import { parseEvent } from '../capillary/event-parser.ts';
import type { DestinationConfig, SourceConfig } from '../config/config-schema.ts';
import type { ClaimedEvent, MessageKind } from '../journal/journal.ts';
import { victimLaneOf } from '../mapping/identities.ts';
import { identitiesToCount } from '../mapping/snapshot/snapshot-identities.ts';
import {
  applyToCustomer,
  type CustomerUpdate,
  type PriorState,
} from '../mapping/customer/apply-to-customer.ts';
import { type Identified, identify, mapEvent } from '../mapping/map-event.ts';
import type { ProgramCatalogue } from '../mapping/program-catalogue.ts';
import type { MappingResult, MappingContext, MappingNote, UnreadFields } from '../mapping/mapping-result.ts';
import { isNeverExamined, samplingOf } from '../mapping/unread-sampling.ts';
import { textOf } from '../xdm/json-buffer.ts';
import type { ContactRegister } from './contact-register.ts';
import { type Enriched, isCorrection } from './enriched-event.ts';
import type { SettlementEffects } from './event-settlement.ts';
import type { OutgoingMessage } from './outcome.ts';
import { outgoingMessage } from './outgoing-message.ts';

/** The inlet refuses requests of this size and above: docs/platforms/adobe.md#request-limits */
const MAX_REQUEST_BYTES = 1_000_000;
/** Size of a request besides its only message, rounded up. */
const REQUEST_OVERHEAD_BYTES = 100;

/** The messages to send for a stored event, or why nothing is sent. */
export type Prepared =
  | {
      readonly kind: 'ignored';
      readonly reason: string;
      readonly effects: SettlementEffects;
      readonly notes: readonly MappingNote[];
    }
  | {
      readonly kind: 'unusable';
      readonly reason: string;
      readonly detail: string;
      readonly notes: readonly MappingNote[];
      readonly unread?: UnreadFields;
    }
  /** It waits for something, and is claimed again in `dueIn` ms. */
  | {
      readonly kind: 'postponed';
      readonly reason: string;
      readonly detail: string;
      readonly dueIn: number;
      readonly notes: readonly MappingNote[];
    }
  | {
      readonly kind: 'messages';
      /** Only those that are not delivered yet. */
      readonly messages: readonly OutgoingMessage[];
      /** Of a refresh: what was delivered before and is not sent again. */
      readonly kept?: readonly MessageKind[];
      readonly effects: SettlementEffects;
      /** Of the mapping of the event, then of the assembly of the profile. */
      readonly notes: readonly MappingNote[];
      readonly unread?: UnreadFields;
    };

/** What an event is prepared with. */
export interface PrepareParts {
  /** Epoch ms. */
  readonly now: number;
  readonly destination: DestinationConfig;
  readonly source: SourceConfig;
  readonly programs: ProgramCatalogue;
  /** Absent: contacts are not counted, and none is shared. */
  readonly contacts?: ContactRegister | undefined;
  /** Absent: events are mapped as they came. */
  readonly enricher?: Enricher | undefined;
}

/*
 * A stored event is mapped with the current configuration and mapping, so that a replay benefits
 * from fixes. The steps do not wait; `preparer.ts` does, for the few events that must.
 */

/** A stored event that was read, with what identifies its person. */
export interface ReadEvent {
  readonly capillary: CapillaryEvent;
  readonly context: MappingContext;
  readonly identified: Identified;
  readonly enriched?: Enriched;
}

/** An event that cannot be delivered. */
export type Unusable = Extract<Prepared, { kind: 'unusable' }>;

export function readEvent(event: ClaimedEvent, parts: PrepareParts): ReadEvent | Unusable {
  // The identity is the one computed at intake, so that `_id` does not depend on the parser's
  // version.
  const known = { identity: event.identity, lane: event.ownLane ?? event.lane };
  const parsed = parseEvent(event.body, { orgIds: [event.orgId], timezone: parts.source.timezone, known });
  if (!parsed.ok) return { kind: 'unusable', reason: parsed.code, detail: parsed.detail, notes: [] };
  const context = contextOf(event, parts);
  return { capillary: parsed.event, context, identified: identify(parsed.event, context) };
}

/** The event with what was fetched for it. */
export function addEntities({ capillary, context: plain }: ReadEvent, enriched: Enriched): ReadEvent {
  const { entities, missing: incomplete } = enriched;
  const context: MappingContext = {
    ...plain,
    entities,
    ...(incomplete === undefined ? {} : { incomplete }),
    ...(isCorrection(enriched) ? { isCorrection: true } : {}),
    ...(enriched.refresh === undefined ? {} : { isExamined: isNeverExamined }),
  };
  return { capillary, context, identified: identify(capillary, context), enriched };
}

/** Counts its contacts, those that the API states too; undefined if none is new. */
export function countContacts(
  event: ClaimedEvent,
  { capillary, context, identified }: ReadEvent,
  { contacts, source }: PrepareParts,
): Promise<void> | undefined {
  // What the API says of a customer who was merged is the survivor's, whose lane is another one.
  const isElsewhere = context.entities?.customer?.kind === 'merged' && event.ownLane === undefined;
  const identities = isElsewhere ? identified.identities : identitiesToCount(identified.identities, context);
  return contacts?.count(event, { event: capillary, identities, source });
}

/** Returns a promise only if the source overrides the mapping of this event. */
export function mapReadEvent({
  capillary,
  context,
  identified,
}: ReadEvent): MappingResult | Promise<MappingResult> {
  return mapEvent(capillary, context, identified);
}

/** The lane whose stored state is needed: that of the customer who is merged into another. */
export function victimLane({ lane }: ClaimedEvent, { capillary }: ReadEvent): string | undefined {
  return lane === undefined ? undefined : victimLaneOf(capillary);
}

/** @param victim the state of the customer of `victimLane`, if there is one */
export function prepareMapped(
  event: ClaimedEvent,
  read: ReadEvent,
  mapped: MappingResult,
  victim: PriorState['victim'],
  parts: PrepareParts,
): Prepared {
  if (mapped.outcome === 'failed') {
    return { kind: 'unusable', reason: mapped.reason, detail: mapped.detail, notes: mapped.notes };
  }
  const { capillary, context, enriched } = read;
  const prior = priorStateOf(event, victim);
  const update = prior && applyToCustomer(capillary, mapped, prior, context);
  const effects = effectsOf(update, prior);
  const recordNotes = update?.profile?.notes ?? [];
  const notes = recordNotes.length === 0 ? mapped.notes : [...mapped.notes, ...recordNotes];
  const unread = mapped.outcome === 'messages' && update?.isLate !== true ? mapped.unread : undefined;
  const report = unread === undefined ? { notes } : { notes, unread };
  const all = messagesOf(event, mapped, update, parts);
  const isRefresh = enriched?.refresh !== undefined;
  const messages = isRefresh ? all.filter(({ kind }) => isRefreshed(kind, context, mapped, update)) : all;
  if (messages.length === 0 && (!isRefresh || update?.isLate === true)) {
    const reason =
      mapped.outcome === 'ignored' && update?.isLate !== true ? mapped.reason : 'customer-deleted';
    return { kind: 'ignored', reason, effects, notes };
  }

  const missing =
    event.delivered.length === 0 || isRefresh
      ? messages
      : messages.filter((message) => !event.delivered.includes(message.kind));
  const tooLarge = missing.find((message) => message.bytes >= MAX_REQUEST_BYTES - REQUEST_OVERHEAD_BYTES);
  if (tooLarge !== undefined) {
    const detail = `the ${tooLarge.kind} message has ${tooLarge.bytes} bytes; a request may have ${MAX_REQUEST_BYTES}`;
    return { kind: 'unusable', reason: 'too-large', detail, ...report };
  }
  const prepared = { kind: 'messages', messages: missing, ...report, effects } as const;
  if (!isRefresh) return prepared;
  return { ...prepared, kept: kindsOf(all).filter((kind) => !kindsOf(missing).includes(kind)) };
}

function kindsOf(messages: readonly OutgoingMessage[]): readonly MessageKind[] {
  return messages.map(({ kind }) => kind);
}

/**
 * A refresh sends no event again, except one that corrects it, and no profile that has not changed.
 */
function isRefreshed(
  kind: MessageKind,
  context: MappingContext,
  { erase }: MappingResult,
  update: CustomerUpdate | undefined,
): boolean {
  if (update?.isLate === true) return true;
  return kind === 'event' ? erase || context.isCorrection === true : update?.state !== undefined;
}

function contextOf(
  event: ClaimedEvent,
  { source, destination, programs, contacts }: PrepareParts,
): MappingContext {
  const { receivedAt, idSuffix, replays } = event;
  const isChecked = contacts !== undefined && source.contacts.sharedBy > 0;
  return {
    source,
    destination,
    programs,
    receivedAt,
    idSuffix,
    isExamined: replays > 0 ? isNeverExamined : samplingOf(source),
    ...(isChecked ? { isShared: contacts.isShared } : {}),
  };
}

/** The stored state of the event's customer; undefined for an event without a customer. */
function priorStateOf(
  { lane, ownLane, profile }: ClaimedEvent,
  victim: PriorState['victim'],
): PriorState | undefined {
  return lane === undefined ? undefined : { lane, ownLane: ownLane ?? lane, state: profile, victim };
}

function messagesOf(
  event: ClaimedEvent,
  mapped: MappingResult,
  update: CustomerUpdate | undefined,
  parts: PrepareParts,
): OutgoingMessage[] {
  if (mapped.outcome !== 'messages') return [];
  const isLate = update?.isLate === true;
  const upsert = isLate || mapped.upsert === undefined ? undefined : textOf(mapped.upsert);
  const record = update?.profile ?? upsert;
  const messages: OutgoingMessage[] = [];
  if (!isLate) {
    const { json, bytes } = mapped;
    const text = json === undefined || bytes === undefined ? textOf(mapped.event) : { json, bytes };
    messages.push(outgoingMessage(event, 'event', text, parts));
  }
  if (record !== undefined) messages.push(outgoingMessage(event, 'profile', record, parts));
  return messages;
}

function effectsOf(update: CustomerUpdate | undefined, prior: PriorState | undefined): SettlementEffects {
  if (update === undefined || prior === undefined) return {};
  const { state, merged, erase, isLate, profile } = update;
  const effects: { -readonly [Name in keyof SettlementEffects]: SettlementEffects[Name] } = {};
  const profiles: { lane: string; state: string | null }[] = [];
  if (merged !== undefined) {
    profiles.push({ lane: merged.from, state: null });
    effects.alias = { from: merged.from, to: merged.into, profile: prior.victim?.state ?? null };
  }
  if (state !== undefined) profiles.push({ lane: prior.lane, state });
  if (profiles.length > 0) effects.profiles = profiles;
  if (profile !== undefined) effects.withProfile = true;
  if (erase.length > 0) effects.erase = erase;
  if (isLate) effects.eraseOwn = true;
  return effects;
}
