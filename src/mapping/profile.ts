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
  const newer = [...change.attributes].filter(([path]) => change.at >= toldAt(known, path));
  for (const [path] of newer) {
    known.delete(path.replace(CONSENT, '$1.time'));
  }
  for (const [path, value] of newer) {
    known.set(path, { value, at: change.at });
  }
  const own = new Set(known.keys());
  for (const [path, attribute] of readState(folded)) {
    if (!own.has(path) && !own.has(answerOf(path))) {
      known.set(path, attribute);
    }
  }
  return { state: writeState(known), ...entityOf(known, context) };
}

/**
 * The answer and the time of a consent are one (reference: adobe.md §5.7): the time is as old as its answer, and
 * an answer that comes without a time takes the old time away.
 */
const CONSENT = /^(consents\..+)\.(?:val|time)$/;

/** The path of the answer that a path belongs to; every other path is its own. */
const answerOf = (path: string): string => path.replace(CONSENT, '$1.val');

const toldAt = (known: ReadonlyMap<string, Known>, path: string): number =>
  Math.max(...[path, answerOf(path)].map((one) => known.get(one)?.at ?? Number.NEGATIVE_INFINITY));

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
