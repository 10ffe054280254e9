import type { IdentifierKind } from '../../capillary/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import { toTimestamp } from '../../capillary/times.ts';
import { conform } from '../../xdm/conform.ts';
import { profileShape } from '../../xdm/profile-shape.ts';
import { assignNamespaces, buildIdentityMap, uniqueIdentities } from '../identity-map.ts';
import { createNotes, faultRecorder, type Notes } from '../mapping-notes.ts';
import type { MappingNote } from '../mapping-result.ts';
import { expandAttributes, IDENTITY_PREFIX } from '../profile-attributes.ts';
import { shrinkProfile } from '../record-size.ts';
import {
  type DatedIdentity,
  goneCheckOf,
  type GoneCheck,
  identitiesInFacts,
  IDENTITY_FACTS,
} from './contacts.ts';
import { type AttributeVersion, type CustomerState, isNewer } from './customer-state.ts';
import { customersInOrder, deriveAttributes, type RecordContext } from './derived-attributes.ts';
import { type FactGroups, factsIn, isFact } from './facts.ts';
import { isAfter } from './program-standing.ts';

export interface ProfileRecord {
  /** xdmEntity of the whole profile fragment. */
  readonly entity: JsonObject;
  /** JSON text of `entity`. */
  readonly json: string;
  readonly notes: readonly MappingNote[];
}

type Attributes = ReadonlyMap<string, AttributeVersion>;

/** One customer of a lane. */
interface Customer {
  readonly attributes: Attributes;
  readonly facts: FactGroups;
  readonly identities: readonly DatedIdentity[];
}

/**
 * The record with all known attributes of a customer: a record replaces the customer's whole
 * fragment in AEP, so a partial one would remove the rest (docs/platforms/adobe.md#whole-fragment).
 * Customers that were merged into it supply the attributes that it lacks, the newest value first,
 * and their identities apart from the customerId: an identity namespace that is unique accepts one
 * of them only (docs/platforms/adobe.md#identity-map).
 *
 * @param id `_id` of the record: that of the event that changes it
 */
export function buildProfileRecord(state: CustomerState, id: string, context: RecordContext): ProfileRecord {
  const { identity, tenant, schemaFeatures } = context.destination;
  const notes = createNotes();
  const isGone = goneCheckOf(state);
  const customers = customersOf(state, context, isGone);
  const attributes = attributesOf(customers, context, isGone, notes);
  const identities = customers.flatMap((customer) => assignNamespaces(customer.identities, identity));
  const [own] = identities.filter(({ kind }) => kind === 'customerId');
  const draft = {
    _id: id,
    ...expandAttributes(valuesOf(attributes), notes),
    ...(schemaFeatures.sourceAudit ? auditOf(attributes, customers) : {}),
  };
  const valid = conform(draft, profileShape(schemaFeatures, tenant), '', faultRecorder(notes));
  const identityMap = buildIdentityMap(
    uniqueIdentities(identities.filter(({ kind, id: value }) => kind !== 'customerId' || value === own?.id)),
    identity,
    notes,
  );
  const entity = {
    ...(isJsonObject(valid) ? valid : {}),
    ...(identityMap === undefined ? {} : { identityMap }),
  };
  return { ...shrinkProfile(entity, tenant, notes), notes: notes.list() };
}

/** The lane's own customer, then those merged into it, the one with the newest value first. */
function customersOf(
  state: CustomerState,
  { destination }: RecordContext,
  isGone: GoneCheck,
): readonly Customer[] {
  return customersInOrder(state).map((attributes) => {
    const facts = factsIn(attributes);
    const identities = [
      ...identitiesInFacts(facts, isGone),
      ...earlierIdentities(attributes, facts, isGone, destination.identity.namespaces),
    ];
    return { attributes, facts, identities };
  });
}

/**
 * Identities that an older relay stored as one attribute per namespace. They are valid until a
 * newer event has an identity of the same kind; cards add up.
 */
function earlierIdentities(
  attributes: Attributes,
  facts: FactGroups,
  isGone: GoneCheck,
  namespaces: RecordContext['destination']['identity']['namespaces'],
): readonly DatedIdentity[] {
  return (Object.keys(namespaces) as IdentifierKind[]).flatMap((kind) => {
    const stored = attributes.get(`${IDENTITY_PREFIX}${namespaces[kind]}`);
    const slots = facts.get(IDENTITY_FACTS)?.get(kind) ?? [];
    if (stored === undefined || (kind !== 'cardNumber' && slots.some((slot) => isNewer(slot, stored)))) {
      return [];
    }
    const { value, at, by } = stored;
    return (Array.isArray(value) ? value : []).flatMap((id) =>
      typeof id === 'string' && !isGone(kind, id, at) ? [{ kind, id, at, by }] : [],
    );
  });
}

/** The attributes of a record without its identities: stored ones and those from facts. */
function attributesOf(
  customers: readonly Customer[],
  context: RecordContext,
  isGone: GoneCheck,
  notes: Notes,
): Attributes {
  const attributes = storedAttributes(customers);
  const derived = deriveAttributes(
    customers.map(({ facts }) => facts),
    context,
    notes,
    attributes,
  );
  for (const [path, version] of [...derived, ...loyaltyIds(customers)]) {
    const stored = attributes.get(path);
    if (stored === undefined || isAfter(version, stored)) {
      attributes.set(path, version);
    }
  }
  for (const [path, { value, at }] of attributes) {
    const kind = CONTACT_ATTRIBUTES.get(path);
    if (value === null || (kind !== undefined && typeof value === 'string' && isGone(kind, value, at))) {
      attributes.delete(path);
    }
  }
  return attributes;
}

/** Attributes that are contact points, with the kind of identity that they are. */
const CONTACT_ATTRIBUTES: ReadonlyMap<string, IdentifierKind> = new Map([
  ['personalEmail.address', 'email'],
  ['mobilePhone.number', 'phone'],
]);

function storedAttributes([own, ...merged]: readonly Customer[]): Map<string, AttributeVersion> {
  const attributes = new Map<string, AttributeVersion>();
  for (const { attributes: others } of merged) {
    for (const [path, version] of others) {
      const other = attributes.get(path);
      if (isStored(path) && (other === undefined || isNewer(version, other))) {
        attributes.set(path, version);
      }
    }
  }
  for (const [path, version] of own?.attributes ?? []) {
    if (isStored(path)) {
      attributes.set(path, version);
    }
  }
  return attributes;
}

/** False for identities and facts. */
function isStored(path: string): boolean {
  return !path.startsWith(IDENTITY_PREFIX) && !isFact(path);
}

/** External ids and card numbers of the first customer that has any. */
function loyaltyIds(customers: readonly Customer[]): readonly (readonly [string, AttributeVersion])[] {
  for (const { identities } of customers) {
    const ids = identities.filter(({ kind }) => kind === 'externalId' || kind === 'cardNumber');
    const [newest] = ids.toSorted((a, b) => b.at - a.at || (a.by < b.by ? 1 : -1));
    if (newest !== undefined) {
      const { at, by } = newest;
      return [['loyalty.loyaltyID', { value: [...new Set(ids.map(({ id }) => id))], at, by }]];
    }
  }
  return [];
}

function valuesOf(attributes: Attributes): ReadonlyMap<string, JsonValue> {
  const values = new Map<string, JsonValue>();
  for (const [path, { value }] of attributes) {
    values.set(path, value);
  }
  return values;
}

function auditOf(attributes: Attributes, customers: readonly Customer[]): JsonObject {
  const times = [...attributes.values(), ...customers.flatMap(({ identities }) => identities)].map(
    ({ at }) => at,
  );
  return times.length === 0
    ? {}
    : { extSourceSystemAudit: { lastUpdatedDate: toTimestamp(Math.max(...times)) } };
}
