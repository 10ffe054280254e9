import type { JsonObject, JsonValue } from '../capillary/json.ts';
import { eventShape } from '../xdm/event-fields.ts';
import { profileShape } from '../xdm/profile-fields.ts';
import { expandAttributes } from './attributes.ts';
import { customFields } from './custom-fields.ts';
import { eventEntity, extendEvent } from './event-entity.ts';
import { attributeTime } from './event-time.ts';
import type { Family, FamilyInput } from './families/family.ts';
import { flatEvent } from './flat-event.ts';
import { victimLaneOf } from './identities.ts';
import { nameIdentities } from './identity-map.ts';
import type { ProfileChange } from './mapped.ts';
import { MappingFailure } from './mapping-failure.ts';
import { type OverrideInput, type OverridePart, overrideFault, overridesOf } from './overrides.ts';
import { extendAttributes, identityAttributes, profileAttributes } from './profile-change.ts';

/** What an event becomes: an ExperienceEvent, and what it tells of the profile. */
export interface XdmMessages {
  readonly entity: JsonObject;
  readonly profile?: ProfileChange;
}

/**
 * Built-in mapping, then the configured fields, then the overrides; every result is validated. Rejects with a MappingFailure when an override
 * fails.
 */
export async function xdmMessages(
  input: FamilyInput,
  family: Family,
  identityMap: JsonObject,
  id: string,
): Promise<XdmMessages> {
  const { schemaFeatures, tenant, profile } = input.context.destination;
  const shapes = { event: eventShape(schemaFeatures, tenant), profile: profileShape(schemaFeatures, tenant) };
  const result = family(input);
  const custom = customFields(input, shapes.event, shapes.profile);
  const entity = { ...eventEntity(input, result, custom.event, id, shapes.event), identityMap };
  const attributes = profileAttributes(input, result, custom.profile, shapes.profile);

  const seen = () => ({
    event: flatEvent(input.event),
    mapped: entity,
    profile: expandAttributes(attributes),
  });
  const eventPatch = isOverridden(input, 'event') ? await runOverride(input, 'event', seen) : undefined;
  const extended = eventPatch === undefined ? entity : extendEvent(entity, eventPatch, shapes.event, input);
  if (profile?.write !== 'assemble') {
    return { entity: extended };
  }
  const profilePatch = isOverridden(input, 'profile') ? await runOverride(input, 'profile', seen) : undefined;
  const told =
    profilePatch === undefined
      ? attributes
      : extendAttributes(attributes, profilePatch, shapes.profile, input);
  const change = profileChange(input, told);
  return { entity: extended, ...(change === undefined ? {} : { profile: change }) };
}

function profileChange(
  { event, context, identities }: FamilyInput,
  attributes: ReadonlyMap<string, JsonValue>,
): ProfileChange | undefined {
  if (attributes.size === 0 && victimLaneOf(event) === undefined) {
    return undefined;
  }
  const own = identityAttributes(nameIdentities(identities, context.destination.identity));
  return {
    at: attributeTime(event, context),
    attributes: joined(own, attributes),
  };
}

function joined(
  first: ReadonlyMap<string, JsonValue>,
  second: ReadonlyMap<string, JsonValue>,
): ReadonlyMap<string, JsonValue> {
  const both = new Map(first);
  for (const [path, value] of second) {
    both.set(path, value);
  }
  return both;
}

/** Asked before one is run, because to wait for what is not there takes turns too. */
const isOverridden = ({ event, context }: FamilyInput, part: OverridePart): boolean =>
  overridesOf(context.source).has(event.eventName, part);

/** What the source's override gives, if there is one. The built-in result in its place would be sent as if it were what the brand wants. */
async function runOverride(
  { event, context }: FamilyInput,
  part: OverridePart,
  seen: () => OverrideInput,
): Promise<JsonObject | undefined> {
  try {
    return await overridesOf(context.source).run(event.eventName, part, seen, context.receivedAt);
  } catch (error) {
    const place = `source ${context.source.name}, ${event.eventName}, override of the ${part}`;
    throw new MappingFailure(`${place}: ${overrideFault(error)}`, { cause: error });
  }
}
