import type { IdentifierKind } from '../capillary/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { toTimestamp } from '../capillary/times.ts';
import { conform } from '../xdm/conform.ts';
import { profileShape } from '../xdm/profile-fields.ts';
import { expandAttributes } from './attributes.ts';
import type { Identity } from './identities.ts';
import { buildIdentityMap, nameIdentities } from './identity-map.ts';
import type { MappingContext, MappingNote, ProfileChange } from './mapped.ts';
import { createNotes, noteFault } from './notes.ts';
import { IDENTITY_PREFIX } from './profile-change.ts';
import { shrinkProfile } from './shrink.ts';

/** What a profile record is made with besides its attributes. */
export interface ProfileContext {
  /** `_id` of the record: that of the event that changes it. */
  readonly id: string;
  readonly destination: Pick<MappingContext['destination'], 'identity' | 'tenant' | 'schemaFeatures'>;
}

export interface AssembledProfile {
  /** To be kept for the next change: attribute path → value and time, in a fixed order. */
  readonly state: string;
  /** xdmEntity of the whole profile fragment. */
  readonly entity: JsonObject;
  readonly notes: readonly MappingNote[];
}

interface Known {
  readonly value: JsonValue;
  /** Epoch ms of the event that told it. */
  readonly at: number;
}

/**
 * Puts a change into what is known of a customer, and makes the record of all that is known: a record
 * replaces the customer's whole fragment in AEP, so less would wipe the rest (reference: adobe.md §4.3). For
 * each attribute the newer event time wins whatever the order of arrival; at equal times the change that came
 * later does.
 *
 * @param previous state after the last change; undefined for a customer not known yet
 * @param folded state of a customer merged into this one: it fills in only what this one lacks
 */
export function assembleProfile(
  previous: string | undefined,
  change: ProfileChange,
  folded: string | undefined,
  context: ProfileContext,
): AssembledProfile {
  const known = readState(previous);
  for (const [path, value] of change.attributes) {
    if (change.at >= (known.get(path)?.at ?? Number.NEGATIVE_INFINITY)) {
      known.set(path, { value, at: change.at });
    }
  }
  for (const [path, attribute] of readState(folded)) {
    if (!known.has(path)) {
      known.set(path, attribute);
    }
  }
  return { state: writeState(known), ...entityOf(known, context) };
}

function entityOf(known: ReadonlyMap<string, Known>, { id, destination }: ProfileContext) {
  const { identity, tenant, schemaFeatures } = destination;
  const notes = createNotes();
  const fields = [...known]
    .filter(([path]) => !path.startsWith(IDENTITY_PREFIX))
    .map(([path, { value }]) => [path, value] as const);
  const newest = Math.max(...[...known.values()].map(({ at }) => at));
  const draft = {
    _id: id,
    ...expandAttributes(fields, notes),
    ...(schemaFeatures.sourceAudit && known.size > 0
      ? { extSourceSystemAudit: { lastUpdatedDate: toTimestamp(newest) } }
      : {}),
  };
  const valid = conform(draft, profileShape(schemaFeatures, tenant), '', noteFault(notes));
  const identityMap = buildIdentityMap(
    nameIdentities(identitiesIn(known, identity), identity),
    identity,
    notes,
  );
  const entity = {
    ...(isJsonObject(valid) ? valid : {}),
    ...(identityMap === undefined ? {} : { identityMap }),
  };
  return { entity: shrinkProfile(entity, tenant, notes), notes: notes.list() };
}

/** Identities by the namespaces that are configured now; what is kept of others waits for their return. */
function identitiesIn(
  known: ReadonlyMap<string, Known>,
  { namespaces }: ProfileContext['destination']['identity'],
): readonly Identity[] {
  const kinds = Object.entries(namespaces) as [IdentifierKind, string | undefined][];
  return kinds.flatMap(([kind, namespace]) => {
    const ids = namespace === undefined ? undefined : known.get(`${IDENTITY_PREFIX}${namespace}`)?.value;
    return (Array.isArray(ids) ? ids : []).flatMap((id) => (typeof id === 'string' ? [{ kind, id }] : []));
  });
}

function readState(state: string | undefined): Map<string, Known> {
  const parsed: unknown = state === undefined ? {} : JSON.parse(state);
  const entries = isJsonObject(parsed) ? Object.entries(parsed) : [];
  return new Map(
    entries.flatMap(([path, attribute]) => {
      const { value, at } = isJsonObject(attribute) ? attribute : {};
      return value === undefined || typeof at !== 'number' ? [] : [[path, { value, at }] as const];
    }),
  );
}

const writeState = (known: ReadonlyMap<string, Known>): string =>
  JSON.stringify(Object.fromEntries([...known].toSorted(([a], [b]) => (a < b ? -1 : 1))));
