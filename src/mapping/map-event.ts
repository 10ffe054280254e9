import type { CapillaryEvent } from '../capillary/event.ts';
import type { JsonObject, JsonValue } from '../capillary/json.ts';
import { eventShape } from '../xdm/event-fields.ts';
import { profileShape } from '../xdm/profile-fields.ts';
import { expandAttributes } from './attributes.ts';
import { customFields } from './custom-fields.ts';
import { depersonalised, isDeletion } from './deletion.ts';
import { deletionEntity, eventEntity, validEvent } from './event-entity.ts';
import { attributeTime, eventTime } from './event-time.ts';
import { extend } from './extend.ts';
import { FAMILIES } from './families.ts';
import type { Family, FamilyInput, FamilyResult } from './family.ts';
import { flatEvent } from './flat-event.ts';
import { mapGeneric } from './generic.ts';
import { type Identity, identitiesOf, victimIdOf } from './identities.ts';
import { buildIdentityMap, nameIdentities } from './identity-map.ts';
import type { MapEvent, Mapped, MappingContext, ProfileChange } from './mapped.ts';
import { createNotes, type Notes } from './notes.ts';
import { type OverridePart, overrideFaultCode, overridesOf } from './overrides.ts';
import { extendAttributes, identityAttributes, profileAttributes } from './profile-change.ts';
import { createReader } from './reader.ts';
import { shrinkEvent } from './shrink.ts';

/** Fields that an override may not set: they make a resend harmless and the record belong to the right person at the right time. */
const PROTECTED = ['_id', 'timestamp', 'identityMap'];

/** Maps one event (reference: mapping.md). Never rejects for anything that can stand in an event. */
export const mapEvent: MapEvent = async (event, context) => {
  const notes = createNotes();
  const ignored = (reason: string): Mapped => ({ outcome: 'ignored', reason, notes: notes.list() });
  if (event.isSample && context.source.testEvents === 'ignore') {
    return ignored('test-event');
  }
  const erase = isDeletion(event);
  const identities = identitiesOf(event, context, notes).filter(({ kind }) => !erase || kind === 'customerId');
  const named = nameIdentities([...identities, ...victim(event)], context.destination.identity);
  if (named.length === 0) {
    if (identities.length > 0) {
      notes.add('identityMap', 'no-namespace');
    }
    return ignored('no-identity');
  }
  const family = familyOf(event, context);
  if (family === undefined && !erase) {
    return ignored('unmapped');
  }
  const data = createReader(event.data, 'data', context.source.timezone, notes);
  const at = eventTime(event, data, context, notes);
  const input: FamilyInput = { event, data, identities, context, at, notes };
  const id = `cap-${event.identity.slice(0, 40)}${context.idSuffix}`;
  const finished = context.destination.format === 'raw' ? rawEvent(input, erase)
};
