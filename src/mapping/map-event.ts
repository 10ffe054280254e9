import type { CapillaryEvent } from '../capillary/event.ts';
import type { JsonObject } from '../capillary/json.ts';
import { xdmId } from '../xdm/xdm-record.ts';
import {
  applyContactChanges,
  type ContactChanges,
  contactChangesOf,
  NO_CONTACT_CHANGES,
} from './contact-changes.ts';
import { isDeletion, RELEASE_EVENT, withoutPersonalData } from '../capillary/deletion.ts';
import { attributeTime, eventTime } from './event-time.ts';
import { buildDeletionEvent } from './experience-event.ts';
import { eventKeyOf } from './event-key.ts';
import type { Family } from './families/family.ts';
import { FAMILIES, mapGeneric } from './families/index.ts';
import { type EventIdentity, type Identity, identitiesOf, victimIdOf } from './identities.ts';
import { assignNamespaces, buildIdentityMap } from './identity-map.ts';
import { identityRules, sentIdentities } from './identity-rules.ts';
import { createNotes, type Notes } from './mapping-notes.ts';
import type { MappingContext, MappingResult } from './mapping-result.ts';
import { MappingFailure } from './overrides.ts';
import { changesProfile, flatEvent } from './raw-format.ts';
import { createReader, type Reads } from './reader.ts';
import { shrinkEvent } from './record-size.ts';
import { customerSnapshot } from './snapshot/customer-snapshot.ts';
import { isAbout, isErased, learnFromAnswer, noteIncomplete } from './snapshot/answered-customer.ts';
import { snapshotIdentities } from './snapshot/snapshot-identities.ts';
import { unreadFieldsOf } from './unread-fields.ts';
import { type XdmMessages, buildXdmMessages } from './xdm-messages.ts';

/** Of the `_id` of an event that adds the lines to a bill that was sent before without them. */
const LINES_SUFFIX = '-lines';

/** What identifies the person of an event, and the notes about it. */
export interface Identified {
  readonly identities: readonly EventIdentity[];
  readonly contactChanges: ContactChanges;
  readonly notes: Notes;
}

/**
 * The identities that the mapping of an event uses: none for a sample that is not delivered, only
 * the customerId for a deletion or a release of identifiers.
 */
export function identify(event: CapillaryEvent, context: MappingContext): Identified {
  const notes = createNotes();
  if (isIgnoredSample(event, context)) {
    return { identities: [], contactChanges: NO_CONTACT_CHANGES, notes };
  }
  const isHiding = isDeletion(event, context.source) || event.eventName === RELEASE_EVENT;
  const contactChanges = contactChangesOf(event, context);
  const identities = applyContactChanges(identitiesOf(event, context, notes), contactChanges).filter(
    ({ kind }) => !isHiding || kind === 'customerId',
  );
  return { identities, contactChanges, notes };
}

function isIgnoredSample({ isSample }: CapillaryEvent, { source }: MappingContext): boolean {
  return isSample && source.testEvents === 'ignore';
}

/** Deletions are sent without their data. */
function isExamined({ eventName }: CapillaryEvent, erase: boolean, context: MappingContext): boolean {
  return !erase && (context.isExamined === undefined || context.isExamined(eventName));
}

/**
 * Maps one event (docs/mapping.md). The same event and context produce the same result; what the
 * event says about its program is added to `context.programs`.
 * Returns a promise only if the source overrides the mapping of this event. It neither throws nor
 * rejects, whatever the event contains.
 *
 * @param identified the result of `identify` for the same event and context
 */
export function mapEvent(
  event: CapillaryEvent,
  context: MappingContext,
  { identities: identified, contactChanges, notes }: Identified = identify(event, context),
): MappingResult | Promise<MappingResult> {
  if (event.isWindows1252 === true) {
    notes.add('', 'not-utf-8');
  }
  const ignoredResult = (reason: string, erase = false, erasedAt?: number): MappingResult => ({
    outcome: 'ignored',
    reason,
    erase,
    ...(erasedAt === undefined ? {} : { erasedAt }),
    notes: notes.list(),
  });
  if (isIgnoredSample(event, context)) {
    return ignoredResult('test-event');
  }
  context.programs.learn(event, attributeTime(event, context));
  const answer = context.entities?.customer;
  const isDeleting = isDeletion(event, context.source);
  const erasedAt = !isDeleting && answer !== undefined && isErased(context) ? answer.at : undefined;
  const erase = isDeleting || erasedAt !== undefined;
  if (answer !== undefined && !erase) {
    learnFromAnswer(event, answer, context);
  }
  const isHiding = erase || event.eventName === RELEASE_EVENT;
  const identities =
    erasedAt === undefined
      ? withStated(identified, event, context)
      : identified.filter(({ kind }) => kind === 'customerId');
  const identityMap = identityMapOf(event, identities, context, notes);
  if (identityMap === undefined) {
    return ignoredResult('no-identity', erase, erasedAt);
  }
  const family = familyOf(event, context);
  if (family === undefined && !erase) {
    return ignoredResult('unmapped');
  }
  const id = xdmId(event.identity, `${context.idSuffix}${context.isCorrection === true ? LINES_SUFFIX : ''}`);
  if (context.destination.format === 'raw') {
    const raw = flatEvent(event, isHiding ? withoutPersonalData(event) : event.data);
    const isUpsert =
      context.destination.profile?.write === 'assemble' &&
      family !== undefined &&
      !isHiding &&
      changesProfile(event, family, identities, context);
    return {
      outcome: 'messages',
      id,
      event: raw,
      ...(isUpsert ? { upsert: raw } : {}),
      erase,
      ...(erasedAt === undefined ? {} : { erasedAt }),
      notes: notes.list(),
    };
  }
  if (context.incomplete !== undefined && !erase) {
    noteIncomplete(context, notes);
  }
  const reads: Reads | undefined = isExamined(event, erase, context) ? new Map() : undefined;
  const data = createReader(event.data, 'data', context.source.timezone, notes, reads);
  // `enteredAt` of a deletion can be that of an earlier change of the customer.
  const changedAt = erasedAt ?? attributeTime(event, context);
  const occurredAt = erase ? changedAt : eventTime(event, data, context, notes);
  const input = {
    event,
    data,
    identities,
    contactChanges,
    context,
    occurredAt,
    eventKey: eventKeyOf(event),
    programs: context.programs.of(event.orgId),
    notes,
  };
  const finish = (result: XdmMessages | MappingFailure): MappingResult => {
    if (result instanceof MappingFailure) {
      const { message: detail } = result;
      return { outcome: 'failed', reason: 'mapping', detail, erase: false, notes: notes.list() };
    }
    const { profile } = result;
    const snapshot = answer === undefined || erase ? undefined : customerSnapshot(answer, input);
    const { json, bytes } = shrinkEvent(result.event, context.destination.tenant, notes);
    return {
      outcome: 'messages',
      id,
      // Delivery needs the text only.
      get event() {
        return JSON.parse(json) as JsonObject;
      },
      json,
      bytes,
      ...(profile === undefined ? {} : { profile }),
      ...(snapshot === undefined ? {} : { snapshot }),
      ...(answer?.kind === 'merged' && !erase ? { isMerged: true as const } : {}),
      erase,
      ...(erasedAt === undefined ? {} : { erasedAt }),
      notes: notes.list(),
      ...(reads === undefined ? {} : { unread: unreadFieldsOf(event, context.source, reads) }),
    };
  };
  const messages =
    family === undefined || erase
      ? { event: buildDeletionEvent(input, id, identityMap) }
      : buildXdmMessages(input, family, identityMap, id);
  return messages instanceof Promise ? messages.catch(toMappingFailure).then(finish) : finish(messages);
}

function toMappingFailure(error: unknown): MappingFailure {
  if (error instanceof MappingFailure) {
    return error;
  }
  throw error;
}

/**
 * The identities of an event, with those that the API states if the event could not be delivered
 * without them: none of its own has a namespace.
 */
function withStated(
  identities: readonly EventIdentity[],
  event: CapillaryEvent,
  { entities, destination, source }: MappingContext,
): readonly EventIdentity[] {
  const answer = entities?.customer;
  if (answer?.kind !== 'found' || assignNamespaces(identities, destination.identity).length > 0) {
    return identities;
  }
  const stated = isAbout(answer, event) ? snapshotIdentities(answer.customer, source) : [];
  return [...identities, ...stated.filter(({ kind }) => kind !== 'customerId')];
}

/**
 * The identityMap of the ExperienceEvent; undefined if no identity has a namespace. For a merge it
 * also contains the victim, so that AEP links both customers, unless the namespace is unique in the
 * identity graph (docs/platforms/adobe.md#unique-namespaces). The victim is never primary.
 */
function identityMapOf(
  event: CapillaryEvent,
  identities: readonly Identity[],
  context: MappingContext,
  notes: Notes,
): JsonObject | undefined {
  const { identity } = context.destination;
  const rules = identityRules(event.orgId, context);
  const own = assignNamespaces(sentIdentities(identities, rules, notes), identity);
  if (own.length === 0) {
    if (identities.length > 0) {
      notes.add('identityMap', 'no-namespace');
    }
    return undefined;
  }
  const victimId = identity.linkMerged ? victimIdOf(event) : undefined;
  const victim = victimId === undefined ? [] : [{ kind: 'customerId' as const, id: victimId }];
  const linked = assignNamespaces(sentIdentities(victim, rules, notes), identity).filter(
    (candidate) => !own.some(({ namespace, id }) => namespace === candidate.namespace && id === candidate.id),
  );
  return buildIdentityMap([...own, ...linked], identity, notes);
}

/** Undefined if the event has no mapping of its own and the source ignores such events. */
function familyOf({ eventName }: CapillaryEvent, { source }: MappingContext): Family | undefined {
  const own = FAMILIES.get(eventName);
  const isWanted = source.unmapped === 'generic' || Object.hasOwn(source.overrides, eventName);
  return own ?? (isWanted ? mapGeneric : undefined);
}
