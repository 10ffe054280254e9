import type { JsonObject, JsonValue } from '../../capillary/json.ts';
import { toTimestamp } from '../../capillary/times.ts';
import { textOf, type WrittenText } from '../../xdm/json-buffer.ts';
import { profileShape } from '../../xdm/profile-shape.ts';
import { writeRecord } from '../../xdm/record-writer.ts';
import { assignNamespaces, buildIdentityMap, uniqueIdentities } from '../identity-map.ts';
import { attributeFault, PLAIN_IDENTITIES, sentIdentities } from '../identity-rules.ts';
import { createNotes, faultRecorder, type Notes } from '../mapping-notes.ts';
import type { MappingNote } from '../mapping-result.ts';
import { expandAttributes, IDENTITY_PREFIX } from '../profile-attributes.ts';
import { shrinkProfile } from '../record-size.ts';
import type { AttributeVersion, ReadonlyAttributes } from './attribute-version.ts';
import { consentsOf } from './consents.ts';
import { contactAttribute } from './contacts.ts';
import { type CustomerState, isNewer } from './customer-state.ts';
import { deriveAttributes, type RecordContext } from './derived-attributes.ts';
import { isFact } from './facts.ts';
import { earlierJoinDate, isNonMember, JOIN_DATE } from './loyalty-membership.ts';
import { isAfter } from './program-standing.ts';
import {
  customersOf,
  isPlaceholder,
  LOYALTY_IDS,
  loyaltyIds,
  type RecordCustomer,
} from './record-customers.ts';
import { clockOf } from './state-clock.ts';

export interface ProfileRecord {
  /** xdmEntity of the whole profile fragment. */
  readonly entity: JsonObject;
  /** JSON text of `entity`, and its bytes in UTF-8. */
  readonly json: string;
  readonly bytes: number;
  readonly notes: readonly MappingNote[];
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
  const { rules = PLAIN_IDENTITIES } = context;
  const { identity, tenant, schemaFeatures } = context.destination;
  const notes = createNotes();
  const customers = customersOf(state, context, notes);
  const attributes = attributesOf(customers, context, { clock: clockOf(state), notes });
  const identities = customers.flatMap((customer) =>
    assignNamespaces(sentIdentities(customer.identities, rules, notes), identity),
  );
  const [own] = identities.filter(({ kind }) => kind === 'customerId');
  const draft = {
    _id: id,
    ...expandAttributes(valuesOf(attributes), notes),
    ...(schemaFeatures.sourceAudit ? auditOf(attributes, customers) : {}),
  };
  const identityMap = (): string | undefined => {
    const sent = identities.filter(({ kind, id: value }) => kind !== 'customerId' || value === own?.id);
    const map = buildIdentityMap(uniqueIdentities(sent), identity, notes);
    return map && `"identityMap":${JSON.stringify(map)}`;
  };
  const shape = profileShape(schemaFeatures, tenant);
  const text = writeRecord(draft, shape, faultRecorder(notes), identityMap) ?? textOf({});
  return profileRecord(shrinkProfile(text, tenant, notes), notes.list());
}

/** Delivery needs the text only, so the entity is read from it when it is asked for. */
export function profileRecord({ json, bytes }: WrittenText, notes: readonly MappingNote[]): ProfileRecord {
  return {
    get entity() {
      return JSON.parse(json) as JsonObject;
    },
    json,
    bytes,
    notes,
  };
}

/** The attributes of a record apart from its identities: stored ones, and those from facts. */
function attributesOf(
  customers: readonly RecordCustomer[],
  context: RecordContext,
  { clock, notes }: { readonly clock: number; readonly notes: Notes },
): ReadonlyAttributes {
  const attributes = storedAttributes(customers);
  const facts = customers.map((customer) => customer.facts);
  const derived = deriveAttributes(facts, context, notes, clock, attributes);
  for (const [path, version] of derived) {
    setIfAfter(attributes, path, version);
  }
  const ids = loyaltyIds(customers, context);
  if (ids !== undefined) {
    setIfAfter(attributes, LOYALTY_IDS, ids);
  }
  const { schemaFeatures, consents } = context.destination;
  if (schemaFeatures.consents) {
    for (const [path, version] of consentsOf(facts, attributes, consents.combine)) {
      attributes.set(path, version);
    }
  }
  setJoinDate(attributes, customers, derived);
  if (isNonMember(facts)) {
    attributes.delete(JOIN_DATE);
    attributes.delete(LOYALTY_IDS);
  }
  for (const [path, { value }] of attributes) {
    if (value === null) {
      attributes.delete(path);
    }
  }
  removeNobodys(attributes, customers, context, notes);
  return attributes;
}

function setIfAfter(
  attributes: Map<string, AttributeVersion>,
  path: string,
  version: AttributeVersion,
): void {
  const stored = attributes.get(path);
  if (stored === undefined || isAfter(version, stored)) {
    attributes.set(path, version);
  }
}

/** Contact points that were stored before they were known, or listed, as nobody's own. */
function removeNobodys(
  attributes: Map<string, AttributeVersion>,
  customers: readonly RecordCustomer[],
  { rules = PLAIN_IDENTITIES }: RecordContext,
  notes: Notes,
): void {
  for (const kind of ['email', 'phone'] as const) {
    const path = contactAttribute(kind) ?? '';
    const value = attributes.get(path)?.value;
    if (typeof value !== 'string') {
      continue;
    }
    const code = attributeFault(kind, value, rules);
    if (code !== undefined) {
      notes.add(path, code);
    }
    const isChecked = customers.some(({ identities }) =>
      identities.some((identity) => identity.kind === kind && identity.id === value),
    );
    if (code !== undefined || (!isChecked && isPlaceholder(kind, value, path, notes))) {
      attributes.delete(path);
    }
  }
}

/** The earliest date counts, also if it was set as an attribute, by an older relay for example. */
function setJoinDate(
  attributes: Map<string, AttributeVersion>,
  customers: readonly RecordCustomer[],
  derived: ReadonlyAttributes,
): void {
  let earliest = dateIn(derived);
  for (const { facts, attributes: stored } of customers) {
    const date = dateIn(stored);
    if (date !== undefined && !isNonMember([facts])) {
      earliest = earliest === undefined ? date : earlierJoinDate(earliest, date);
    }
  }
  if (earliest !== undefined) {
    attributes.set(JOIN_DATE, earliest);
  }
}

function dateIn(attributes: ReadonlyAttributes): AttributeVersion | undefined {
  const date = attributes.get(JOIN_DATE);
  return date?.value === null ? undefined : date;
}

function storedAttributes([own, ...merged]: readonly RecordCustomer[]): Map<string, AttributeVersion> {
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

function valuesOf(attributes: ReadonlyAttributes): ReadonlyMap<string, JsonValue> {
  const values = new Map<string, JsonValue>();
  for (const [path, { value }] of attributes) {
    values.set(path, value);
  }
  return values;
}

function auditOf(attributes: ReadonlyAttributes, customers: readonly RecordCustomer[]): JsonObject {
  const times = [...attributes.values(), ...customers.flatMap(({ identities }) => identities)].map(
    ({ at }) => at,
  );
  return times.length === 0
    ? {}
    : { extSourceSystemAudit: { lastUpdatedDate: toTimestamp(Math.max(...times)) } };
}
