import type { JsonObject, JsonValue } from '../capillary/json.ts';
import { eventShape } from '../xdm/event-shape.ts';
import type { WrittenText } from '../xdm/json-buffer.ts';
import { profileShape } from '../xdm/profile-shape.ts';
import type { ObjectShape } from '../xdm/shape.ts';
import { readCustomFields } from './custom-fields.ts';
import { attributeTime } from './event-time.ts';
import { applyEventOverride, buildExperienceEvent } from './experience-event.ts';
import type { Family, FamilyInput } from './families/family.ts';
import { knownBill } from './families/known-bill.ts';
import { attributesOfChange } from './customer/change-view.ts';
import { contactAttribute, identityFact } from './customer/contacts.ts';
import { isJoinedFact, JOIN_DATE } from './customer/loyalty-membership.ts';
import { victimLaneOf } from './identities.ts';
import { identityRules, sentIdentities } from './identity-rules.ts';
import { hasOwnLane } from './lane-owner.ts';
import type { ProfileChange } from './mapping-result.ts';
import {
  describeOverrideError,
  MappingFailure,
  type OverrideInput,
  type OverridePart,
  overridesOf,
} from './overrides.ts';
import { applyProfileOverride, expandAttributes, buildProfileAttributes } from './profile-attributes.ts';
import { flatEvent } from './raw-format.ts';

/** The result of the mapping: an ExperienceEvent and, for some events, a profile change. */
export interface XdmMessages {
  readonly event: WrittenText;
  readonly profile?: ProfileChange;
}

/**
 * Applies the built-in mapping, then the configured fields, then the overrides; each result is
 * validated. Returns a promise only for events with an override, so that all others are mapped
 * synchronously. The promise rejects with a MappingFailure if an override fails.
 */
export function buildXdmMessages(
  input: FamilyInput,
  family: Family,
  identityMap: JsonObject,
  id: string,
): XdmMessages | Promise<XdmMessages> {
  const { schemaFeatures, tenant } = input.context.destination;
  const shapes = { event: eventShape(schemaFeatures, tenant), profile: profileShape(schemaFeatures, tenant) };
  const result = family(input);
  const custom = readCustomFields(input, shapes.event, shapes.profile);
  const event = buildExperienceEvent(input, result, custom.event, { id, identityMap, shape: shapes.event });
  const attributes = buildProfileAttributes(input, result, custom.profile, shapes.profile);
  return overridesOf(input.context.source).has(input.event.eventName)
    ? applyOverrides(input, { event, attributes }, shapes)
    : buildMessages(input, { event, attributes });
}

/** An ExperienceEvent and the profile attributes of the same event. */
interface BuiltRecords {
  readonly event: WrittenText;
  readonly attributes: ReadonlyMap<string, JsonValue>;
}

function isAssembling({ context }: FamilyInput): boolean {
  return context.destination.profile?.write === 'assemble';
}

function buildMessages(input: FamilyInput, { event, attributes }: BuiltRecords): XdmMessages {
  const profile = isAssembling(input) ? buildProfileChange(input, attributes) : undefined;
  return profile === undefined ? { event } : { event, profile };
}

async function applyOverrides(
  input: FamilyInput,
  built: BuiltRecords,
  shapes: { readonly event: ObjectShape; readonly profile: ObjectShape },
): Promise<XdmMessages> {
  const entity = JSON.parse(built.event.json) as JsonObject;
  const overrideInput = () => ({
    ...readEntities(input),
    event: flatEvent(input.event),
    mapped: entity,
    profile: expandAttributes(
      attributesOfChange(
        { at: attributeTime(input.event, input.context), attributes: built.attributes },
        { ...input.context, programs: input.programs },
      ),
    ),
  });
  const eventPatch = await runOverride(input, 'event', overrideInput);
  const event =
    eventPatch === undefined ? built.event : applyEventOverride(entity, eventPatch, shapes.event, input);
  const profilePatch = isAssembling(input) ? await runOverride(input, 'profile', overrideInput) : undefined;
  const attributes =
    profilePatch === undefined
      ? built.attributes
      : applyProfileOverride(built.attributes, profilePatch, shapes.profile, input);
  return buildMessages(input, { event, attributes });
}

/** What was read from Capillary's API, as an override sees it. */
function readEntities(input: FamilyInput): Pick<OverrideInput, 'bill' | 'customer'> {
  const bill = knownBill(input);
  const answer = input.context.entities?.customer;
  const customer = answer?.kind === 'found' || answer?.kind === 'no-loyalty' ? answer.customer : undefined;
  return { ...(bill && { bill }), ...(customer && { customer }) };
}

function buildProfileChange(
  { event, context, identities, contactChanges: { cleared }, notes }: FamilyInput,
  attributes: ReadonlyMap<string, JsonValue>,
): ProfileChange | undefined {
  if (attributes.size === 0 && victimLaneOf(event) === undefined) {
    return undefined;
  }
  const ownIdentities = () => sentIdentities(identities, identityRules(event.orgId, context), notes);
  if (!hasOwnLane(event, ownIdentities)) {
    return undefined;
  }
  const hasJoinDate = attributes.has(JOIN_DATE);
  const change = new Map<string, JsonValue>();
  for (const [path, value] of attributes) {
    // A join date that the source configures replaces the one of the registration.
    if (!hasJoinDate || !isJoinedFact(path)) {
      change.set(path, value);
    }
  }
  for (const { kind, slot } of cleared) {
    change.set(identityFact(kind, slot), null);
    const attribute = slot === 'instore' ? contactAttribute(kind) : undefined;
    const isStated = identities.some((identity) => identity.kind === kind);
    if (attribute !== undefined && !isStated && !change.has(attribute)) {
      change.set(attribute, null);
    }
  }
  for (const { kind, id, slot } of identities) {
    change.set(identityFact(kind, slot), id);
  }
  return { at: attributeTime(event, context), attributes: change };
}

/**
 * The result of the source's override, if there is one. If it fails, the mapping fails too, because
 * the built-in result is not what the brand configured.
 */
async function runOverride(
  { event, context }: FamilyInput,
  part: OverridePart,
  overrideInput: () => OverrideInput,
): Promise<JsonObject | undefined> {
  try {
    return await overridesOf(context.source).run(event.eventName, part, overrideInput, context.receivedAt);
  } catch (error) {
    const place = `source ${context.source.name}, ${event.eventName}, override of the ${part}`;
    throw new MappingFailure(`${place}: ${describeOverrideError(error)}`, { cause: error });
  }
}
