import type { IdentifierKind } from '../../capillary/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import { toTimestamp } from '../../capillary/times.ts';
import { conform } from '../../xdm/conform.ts';
import { profileShape } from '../../xdm/profile-shape.ts';
import type { Identity } from '../identities.ts';
import { assignNamespaces, buildIdentityMap, uniqueIdentities } from '../identity-map.ts';
import { type IdentityRules, PLAIN_IDENTITIES, sentIdentities } from '../identity-rules.ts';
import { createNotes, faultRecorder } from '../mapping-notes.ts';
import type { MappingContext, MappingNote } from '../mapping-result.ts';
import { expandAttributes, IDENTITY_PREFIX } from '../profile-attributes.ts';
import { shrinkProfile } from '../record-size.ts';
import { type AttributeVersion, type CustomerState, isNewer } from './customer-state.ts';

export interface ProfileRecord {
  /** xdmEntity of the whole profile fragment. */
  readonly entity: JsonObject;
  /** JSON text of `entity`. */
  readonly json: string;
  readonly notes: readonly MappingNote[];
}

export interface ProfileContext {
  /** `_id` of the record: that of the event that changes it. */
  readonly id: string;
  readonly destination: Pick<MappingContext['destination'], 'identity' | 'tenant' | 'schemaFeatures'>;
  /** Absent: every stored identity is sent as it is. */
  readonly rules?: IdentityRules;
}

type Attributes = ReadonlyMap<string, AttributeVersion>;

/**
 * The record with all known attributes of a customer: a record replaces the customer's whole
 * fragment in AEP, so a partial one would remove the rest (docs/platforms/adobe.md#whole-fragment).
 * Customers that were merged into it supply the attributes that it lacks, the newest value first.
 * Their identities follow its own, so that AEP links them.
 */
export function buildProfileRecord(state: CustomerState, context: ProfileContext): ProfileRecord {
  const { id, destination, rules = PLAIN_IDENTITIES } = context;
  const { identity, tenant, schemaFeatures } = destination;
  const notes = createNotes();
  const attributes = attributesOf(state);
  const identities = [state.own.attributes, ...mergedAttributes(state)].map((customerAttributes) =>
    assignNamespaces(sentIdentities(identitiesIn(customerAttributes, identity), rules, notes), identity),
  );
  const draft = {
    _id: id,
    ...expandAttributes(valuesOf(attributes), notes),
    ...(schemaFeatures.sourceAudit ? auditOf([...attributes.values(), ...identityVersions(state)]) : {}),
  };
  const valid = conform(draft, profileShape(schemaFeatures, tenant), '', faultRecorder(notes));
  const identityMap = buildIdentityMap(uniqueIdentities(identities.flat()), identity, notes);
  const entity = {
    ...(isJsonObject(valid) ? valid : {}),
    ...(identityMap === undefined ? {} : { identityMap }),
  };
  return { ...shrinkProfile(entity, tenant, notes), notes: notes.list() };
}

/** The attributes of a record without its identities. */
function attributesOf({ own, merged }: CustomerState): Attributes {
  const attributes = new Map<string, AttributeVersion>();
  const inOrder = [...merged].toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [, fragment] of inOrder) {
    for (const [path, version] of fragment.attributes) {
      const other = attributes.get(path);
      if (!isIdentity(path) && (other === undefined || isNewer(version, other))) {
        attributes.set(path, version);
      }
    }
  }
  for (const [path, version] of own.attributes) {
    if (!isIdentity(path)) {
      attributes.set(path, version);
    }
  }
  return attributes;
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

/** The attributes of each merged customer, the one with the newest identity first. */
function mergedAttributes({ merged }: CustomerState): readonly Attributes[] {
  const fragments = [...merged].map(([lane, { attributes }]) => ({
    lane,
    attributes,
    newest: Math.max(...[...attributes].filter(([path]) => isIdentity(path)).map(([, { at }]) => at)),
  }));
  return fragments
    .toSorted((a, b) => b.newest - a.newest || (a.lane < b.lane ? -1 : 1))
    .map(({ attributes }) => attributes);
}

function identityVersions({ own, merged }: CustomerState): readonly AttributeVersion[] {
  return [own, ...merged.values()].flatMap(({ attributes }) =>
    [...attributes].filter(([path]) => isIdentity(path)).map(([, version]) => version),
  );
}

function auditOf(versions: readonly AttributeVersion[]): JsonObject {
  return versions.length === 0
    ? {}
    : { extSourceSystemAudit: { lastUpdatedDate: toTimestamp(Math.max(...versions.map(({ at }) => at))) } };
}

/**
 * Identities of the currently configured namespaces; stored ones of other namespaces are not sent.
 */
function identitiesIn(
  attributes: Attributes,
  { namespaces }: ProfileContext['destination']['identity'],
): readonly Identity[] {
  const found: Identity[] = [];
  for (const kind of Object.keys(namespaces) as IdentifierKind[]) {
    const namespace = namespaces[kind];
    const ids = namespace === undefined ? undefined : attributes.get(`${IDENTITY_PREFIX}${namespace}`)?.value;
    for (const id of Array.isArray(ids) ? ids : []) {
      if (typeof id === 'string') {
        found.push({ kind, id });
      }
    }
  }
  return found;
}
