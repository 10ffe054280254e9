import type { IdentifierKind } from '../capillary/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { toTimestamp } from '../capillary/times.ts';
import { conform } from '../xdm/conform.ts';
import { profileShape } from '../xdm/profile-fields.ts';
import { expandAttributes } from './attributes.ts';
import { type CustomerState, isNewer, type Told } from './customer-state.ts';
import type { Identity } from './identities.ts';
import { buildIdentityMap, nameIdentities, unique } from './identity-map.ts';
import type { MappingContext, MappingNote } from './mapped.ts';
import { createNotes, noteFault } from './notes.ts';
import { IDENTITY_PREFIX } from './profile-change.ts';
import { shrinkProfile } from './shrink.ts';

export interface ProfileRecord {
  /** xdmEntity of the whole profile fragment. */
  readonly entity: JsonObject;
  /** JSON text of `entity`. */
  readonly json: string;
  readonly notes: readonly MappingNote[];
}

/** What a profile record is made with besides its attributes. */
export interface ProfileContext {
  /** `_id` of the record: that of the event that changes it. */
  readonly id: string;
  readonly destination: Pick<MappingContext['destination'], 'identity' | 'tenant' | 'schemaFeatures'>;
}

type Attributes = ReadonlyMap<string, Told>;

/**
 * The record of all that is known of a customer: a record replaces the customer's whole fragment in AEP, so less would wipe the rest
 * (reference: adobe.md §4.3). Customers who were merged into it fill in what it has not told itself, the newest value first; their identities
 * stand behind its own, so that the graph links them.
 */
export function profileRecord(state: CustomerState, { id, destination }: ProfileContext): ProfileRecord {
  const { identity, tenant, schemaFeatures } = destination;
  const notes = createNotes();
  const known = attributesOf(state);
  const identities = [state.own.told, ...foldedIdentities(state)].map((told) =>
    nameIdentities(identitiesIn(told, identity), identity),
  );
  const draft = {
    _id: id,
    ...expandAttributes(valuesOf(known), notes),
    ...(schemaFeatures.sourceAudit ? auditOf([...known.values(), ...identityTimes(state)]) : {}),
  };
  const valid = conform(draft, profileShape(schemaFeatures, tenant), '', noteFault(notes));
  const identityMap = buildIdentityMap(unique(identities.flat()), identity, notes);
  const entity = {
    ...(isJsonObject(valid) ? valid : {}),
    ...(identityMap === undefined ? {} : { identityMap }),
  };
  return { ...shrinkProfile(entity, tenant, notes), notes: notes.list() };
}

/** The attributes of a record but its identities: path → value. */
function attributesOf({ own, folded }: CustomerState): Attributes {
  const known = new Map<string, Told>();
  const parts = [...folded].toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [, part] of parts) {
    for (const [path, told] of part.told) {
      const other = known.get(path);
      if (!isIdentity(path) && (other === undefined || isNewer(told, other))) {
        known.set(path, told);
      }
    }
  }
  for (const [path, told] of own.told) {
    if (!isIdentity(path)) {
      known.set(path, told);
    }
  }
  return known;
}

function valuesOf(attributes: Attributes): ReadonlyMap<string, JsonValue> {
  const values = new Map<string, JsonValue>();
  for (const [path, { value }] of attributes) {
    values.set(path, value);
  }
  return values;
}

function isIdentity(path: string): boolean {
  return path.startsWith(IDENTITY_PREFIX);
}

/** Attributes of the customers merged into one, those last heard of first. */
function foldedIdentities({ folded }: CustomerState): readonly Attributes[] {
  const parts = [...folded].map(([lane, { told }]) => ({
    lane,
    told,
    newest: Math.max(...[...told].filter(([path]) => isIdentity(path)).map(([, { at }]) => at)),
  }));
  return parts.toSorted((a, b) => b.newest - a.newest || (a.lane < b.lane ? -1 : 1)).map(({ told }) => told);
}

function identityTimes({ own, folded }: CustomerState): readonly Told[] {
  return [own, ...folded.values()].flatMap(({ told }) =>
    [...told].filter(([path]) => isIdentity(path)).map(([, one]) => one),
  );
}

function auditOf(told: readonly Told[]): JsonObject {
  return told.length === 0
    ? {}
    : { extSourceSystemAudit: { lastUpdatedDate: toTimestamp(Math.max(...told.map(({ at }) => at))) } };
}

/** Identities by the namespaces that are configured now; what is kept of others waits for their return. */
function identitiesIn(
  known: Attributes,
  { namespaces }: ProfileContext['destination']['identity'],
): readonly Identity[] {
  const found: Identity[] = [];
  for (const kind of Object.keys(namespaces) as IdentifierKind[]) {
    const namespace = namespaces[kind];
    const ids = namespace === undefined ? undefined : known.get(`${IDENTITY_PREFIX}${namespace}`)?.value;
    for (const id of Array.isArray(ids) ? ids : []) {
      if (typeof id === 'string') {
        found.push({ kind, id });
      }
    }
  }
  return found;
}
