import type { CapillaryEvent } from '../capillary/event.ts';
import type { JsonObject } from '../capillary/json.ts';
import { xdmId } from '../xdm/xdm-id.ts';
import { depersonalised, isDeletion } from './deletion.ts';
import { deletionEntity } from './event-entity.ts';
import { eventTime } from './event-time.ts';
import { FAMILIES } from './families/families.ts';
import type { Family } from './families/family.ts';
import { flatEvent } from './flat-event.ts';
import { mapGeneric } from './families/generic.ts';
import { type Identity, identitiesOf, victimIdOf } from './identities.ts';
import { buildIdentityMap, nameIdentities } from './identity-map.ts';
import type { MapEvent, Mapped, MappingContext } from './mapped.ts';
import { MappingFailure } from './mapping-failure.ts';
import { createNotes, type Notes } from './notes.ts';
import { tellsOfProfile } from './raw-upsert.ts';
import { createReader, type Reads } from './reader.ts';
import { shrinkEvent } from './shrink.ts';
import { unreadOf } from './unread.ts';
import { type XdmMessages, xdmMessages } from './xdm-messages.ts';

/** Maps one event (reference: mapping.md). Never rejects for anything that can stand in an event. */
export const mapEvent: MapEvent = (event, context) => {
  const notes = createNotes();
  const ignored = (reason: string, erase = false): Mapped => ({
    outcome: 'ignored',
    reason,
    erase,
    notes: notes.list(),
  });
  if (event.isSample && context.source.testEvents === 'ignore') {
    return ignored('test-event');
  }
  const erase = isDeletion(event);
  const identities = identitiesOf(event, context, notes).filter(
    ({ kind }) => !erase || kind === 'customerId',
  );
  const identityMap = identityMapOf(event, identities, context, notes);
  if (identityMap === undefined) {
    return ignored('no-identity', erase);
  }
  const family = familyOf(event, context);
  if (family === undefined && !erase) {
    return ignored('unmapped');
  }
  const id = xdmId(event.identity, context.idSuffix);
  if (context.destination.format === 'raw') {
    const raw = flatEvent(event, erase ? depersonalised(event) : event.data);
    const isUpsert =
      context.destination.profile?.write === 'assemble' &&
      family !== undefined &&
      !erase &&
      tellsOfProfile(event, family, identities, context);
    return {
      outcome: 'messages',
      id,
      event: raw,
      ...(isUpsert ? { upsert: raw } : {}),
      erase,
      notes: notes.list(),
    };
  }
  const reads: Reads = new Map();
  const data = createReader(event.data, 'data', context.source.timezone, notes, reads);
  const input = { event, data, identities, context, at: eventTime(event, data, context, notes), notes };
  const finish = (result: XdmMessages | MappingFailure): Mapped => {
    if (result instanceof MappingFailure) {
      const { message: detail } = result;
      return { outcome: 'failed', reason: 'mapping', detail, erase: false, notes: notes.list() };
    }
    const { profile } = result;
    const { entity, json } = shrinkEvent(result.entity, context.destination.tenant, notes);
    return {
      outcome: 'messages',
      id,
      event: entity,
      json,
      ...(profile === undefined ? {} : { profile }),
      erase,
      notes: notes.list(),
      ...(erase ? {} : { unread: unreadOf(event, context.source, reads) }),
    };
  };
  const made =
    family === undefined || erase
      ? { entity: { ...deletionEntity(input, id), identityMap } }
      : xdmMessages(input, family, identityMap, id);
  return made instanceof Promise ? made.catch(failureOf).then(finish) : finish(made);
};

function failureOf(error: unknown): MappingFailure {
  if (error instanceof MappingFailure) {
    return error;
  }
  throw error;
}

/**
 * The identityMap of the ExperienceEvent: that of a merge holds the dissolved customer too, so that AEP links
 * the two. The dissolved one is never the primary.
 */
function identityMapOf(
  event: CapillaryEvent,
  identities: readonly Identity[],
  context: MappingContext,
  notes: Notes,
): JsonObject | undefined {
  const { identity } = context.destination;
  const own = nameIdentities(identities, identity);
  if (own.length === 0) {
    if (identities.length > 0) {
      notes.add('identityMap', 'no-namespace');
    }
    return undefined;
  }
  const victimId = victimIdOf(event);
  const victim = victimId === undefined ? [] : [{ kind: 'customerId' as const, id: victimId }];
  const linked = nameIdentities(victim, identity).filter(
    ({ namespace, id }) => !own.some((one) => one.namespace === namespace && one.id === id),
  );
  return buildIdentityMap([...own, ...linked], identity, notes);
}

/** Undefined for a name that nothing maps and that the source wants ignored. */
function familyOf({ eventName }: CapillaryEvent, { source }: MappingContext): Family | undefined {
  const own = FAMILIES.get(eventName);
  const isWanted = source.unmapped === 'generic' || Object.hasOwn(source.overrides, eventName);
  return own ?? (isWanted ? mapGeneric : undefined);
}
