import type { CapillaryEvent } from '../capillary/event.ts';
import type { JsonObject } from '../capillary/json.ts';
import { profileShape } from '../xdm/profile-shape.ts';
import type { SchemaFeatures } from '../xdm/shape.ts';
import { contactChangesOf } from './contact-changes.ts';
import { eventKeyOf } from './event-key.ts';
import { eventTime } from './event-time.ts';
import type { Family } from './families/family.ts';
import type { EventIdentity } from './identities.ts';
import { createNotes } from './mapping-notes.ts';
import type { MappingContext } from './mapping-result.ts';
import { buildProfileAttributes } from './profile-attributes.ts';
import { createReader } from './reader.ts';

/**
 * The event in Capillary's flat form, whatever its envelope was
 * (docs/platforms/capillary.md#flat-event).
 */
export function flatEvent(event: CapillaryEvent, data: JsonObject = event.data): JsonObject {
  const { eventName, eventId, orgId, refId, apiRequestId, createdAt, loyaltyEventId } = event;
  return {
    eventName,
    ...(eventId === undefined ? {} : { eventId }),
    orgId,
    ...(refId === undefined ? {} : { refId }),
    ...(apiRequestId === undefined ? {} : { apiRequestId }),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(loyaltyEventId === undefined ? {} : { loyaltyEventId }),
    data,
  };
}

/** Used if the destination has no tenant: in `format: raw` only Data Prep knows the schema. */
const PLACEHOLDER_TENANT = '_tenant';

/**
 * True if the built-in mapping, with every field group, finds a profile attribute in the event:
 * only then is it also sent as a profile upsert in `format: raw`. The attributes are not sent, so
 * their notes are dropped.
 */
export function changesProfile(
  event: CapillaryEvent,
  family: Family,
  identities: readonly EventIdentity[],
  context: MappingContext,
): boolean {
  const schemaFeatures = allEnabled(context.destination.schemaFeatures);
  const tenant = context.destination.tenant ?? PLACEHOLDER_TENANT;
  const notes = createNotes();
  const data = createReader(event.data, 'data', context.source.timezone, notes);
  const input = {
    event,
    data,
    identities,
    contactChanges: contactChangesOf(event, context),
    context: { ...context, destination: { ...context.destination, schemaFeatures, tenant } },
    occurredAt: eventTime(event, data, context, notes),
    eventKey: eventKeyOf(event),
    programs: context.programs.of(event.orgId),
    notes,
  };
  return (
    buildProfileAttributes(input, family(input), new Map(), profileShape(schemaFeatures, tenant)).size > 0
  );
}

function allEnabled(features: SchemaFeatures): SchemaFeatures {
  return Object.fromEntries(Object.keys(features).map((name) => [name, true])) as unknown as SchemaFeatures;
}
