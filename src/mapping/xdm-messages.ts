import type { JsonObject, JsonValue } from '../capillary/json.ts';
import { eventShape } from '../xdm/event-fields.ts';
import { profileShape } from '../xdm/profile-fields.ts';
import type { ObjectShape } from '../xdm/shape.ts';
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
 * Built-in mapping, then the configured fields, then the overrides; every result is validated. A promise only where there is an override to wait
 * for, so that of other events nothing waits with them. It rejects with a MappingFailure when an override fails.
 */
export function xdmMessages(
  input: FamilyInput,
  family: Family,
  identityMap: JsonObject,
  id: string,
): XdmMessages | Promise<XdmMessages> {
  const { schemaFeatures, tenant } = input.context.destination;
  const shapes = { event: eventShape(schemaFeatures, tenant), profile: profileShape(schemaFeatures, tenant) };
  const result = family(input);
  const custom = customFields(input, shapes.event, shapes.profile);
  const entity = { ...eventEntity(input, result, custom.event, id, shapes.event), identityMap };
  const attributes = profileAttributes(input, result, custom.profile, shapes.profile);
  return overridesOf(input.context.source).has(input.event.eventName)
    ? overridden(input, { entity, attributes }, shapes)
    : messagesOf(input, { entity, attributes });
}

/** An event's entity, and the profile attributes that it tells. */
interface Built {
  readonly entity: JsonObject;
  readonly attributes: ReadonlyMap<string, JsonValue>;
}

function isAssembling({ context }: FamilyInput): boolean {
  return context.destination.profile?.write === 'assemble';
}

function messagesOf(input: FamilyInput, { entity, attributes }: Built): XdmMessages {
  const profile = isAssembling(input) ? profileChange(input, attributes) : undefined;
  return profile === undefined ? { entity } : { entity, profile };
}

async function overridden(
  input: FamilyInput,
  built: Built,
  shapes: { readonly event: ObjectShape; readonly profile: ObjectShape },
): Promise<XdmMessages> {
  const seen = () => ({
    event: flatEvent(input.event),
    mapped: built.entity,
    profile: expandAttributes(built.attributes),
  });
  const eventPatch = await runOverride(input, 'event', seen);
  const entity =
    eventPatch === undefined ? built.entity : extendEvent(built.entity, eventPatch, shapes.event, input);
  const profilePatch = isAssembling(input) ? await runOverride(input, 'profile', seen) : undefined;
  const attributes =
    profilePatch === undefined
      ? built.attributes
      : extendAttributes(built.attributes, profilePatch, shapes.profile, input);
  return messagesOf(input, { entity, attributes });
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
