import type { CapillaryEvent } from '../capillary/event.ts';
import type { SchemaFeatures } from '../xdm/event-fields.ts';
import { profileShape } from '../xdm/profile-fields.ts';
import { eventTime } from './event-time.ts';
import type { Family } from './families/family.ts';
import type { Identity } from './identities.ts';
import type { MappingContext } from './mapped.ts';
import { createNotes } from './notes.ts';
import { profileAttributes } from './profile-change.ts';
import { createReader } from './reader.ts';

/** Stands for a tenant where the destination names none: in `format: raw` only Data Prep knows the schema. */
const ANY_TENANT = '_tenant';

/**
 * True when the built-in mapping finds something of the profile in the event, on a schema with every field group: such an event is worth
 * an upsert of the profile in `format: raw`. What it finds is not sent, so its notes are not kept either.
 */
export function tellsOfProfile(
  event: CapillaryEvent,
  family: Family,
  identities: readonly Identity[],
  context: MappingContext,
): boolean {
  const schemaFeatures = withEveryGroup(context.destination.schemaFeatures);
  const tenant = context.destination.tenant ?? ANY_TENANT;
  const notes = createNotes();
  const data = createReader(event.data, 'data', context.source.timezone, notes);
  const input = {
    event,
    data,
    identities,
    context: { ...context, destination: { ...context.destination, schemaFeatures, tenant } },
    at: eventTime(event, data, context, notes),
    notes,
  };
  return profileAttributes(input, family(input), new Map(), profileShape(schemaFeatures, tenant)).size > 0;
}

function withEveryGroup(features: SchemaFeatures): SchemaFeatures {
  return Object.fromEntries(Object.keys(features).map((name) => [name, true])) as unknown as SchemaFeatures;
}
