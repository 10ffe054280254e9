import type { IdentifierKind } from '../../capillary/identifiers.ts';
import type { JsonValue } from '../../capillary/json.ts';
import { IDENTITY_PREFIX } from '../profile-attributes.ts';
import { type AttributeVersion, type Attributes, isNewer, setNewest } from './attribute-version.ts';
import { keepNewest } from './bounded-facts.ts';
import { contactKindOf } from './contacts.ts';
import type { CustomerFragment, CustomerState } from './customer-state.ts';
import { goneFactOf, laneKey, parseIdentityPath, valueHash, wasFact } from './identity-facts.ts';

/** The parts of the configuration that say which stored list has the customerIds. */
export interface IdentityNamespaces {
  readonly customerId?: string | undefined;
}

type Version = Pick<AttributeVersion, 'at' | 'by'>;

/** The kinds of identity that can be taken from a customer. */
const RELEASABLE: readonly IdentifierKind[] = ['externalId', 'email', 'phone', 'cardNumber'];

const LOYALTY_IDS = 'loyalty.loyaltyID';

/**
 * Takes what is no longer a customer's out of the state of its lane: identities, contact attributes
 * and loyalty ids. What is gone of one customer is gone of all that were merged with it, up to the
 * time at which it went; a newer event can make it theirs again. Only a hash of it is kept. The
 * result does not depend on the order in which facts arrived.
 */
export function removeGoneIdentities(
  state: CustomerState,
  lane: string,
  namespaces: IdentityNamespaces,
): void {
  const fragments = [[lane, state.own] as const, ...state.merged];
  const concerned = fragments.filter(([, { attributes }]) => hasGoneFacts(attributes));
  if (concerned.length === 0) {
    return;
  }
  const isCustomerIds = (path: string): boolean => path === `${IDENTITY_PREFIX}${namespaces.customerId}`;
  const releases = releasesIn(fragments);
  for (const [customer, { attributes }] of fragments) {
    const release = releases.get(laneKey(customer));
    if (release !== undefined) {
      markReleased(attributes, release, isCustomerIds);
    }
  }
  const gone = goneIn(fragments);
  for (const [customer, { attributes }] of fragments) {
    if (gone.size > 0) {
      removeGone(attributes, gone, { isReleased: releases.has(laneKey(customer)), isCustomerIds });
    }
    removeRedundant(attributes);
    keepNewest(attributes, '@gone[', MAX_GONE_FACTS);
    keepNewest(attributes, '@was[', MAX_GONE_FACTS);
  }
}

/** Nobody changes a phone number nearly as often. */
const MAX_GONE_FACTS = 200;

/** Cheap, because most customers never lose an identity. */
function hasGoneFacts(attributes: Attributes): boolean {
  for (const path of attributes.keys()) {
    if (
      path.startsWith('@') &&
      (path.startsWith('@was[') || path.startsWith('@gone[') || path.startsWith('@rel'))
    ) {
      return true;
    }
  }
  return false;
}

type Fragments = readonly (readonly [customer: string, CustomerFragment])[];

/** The last release of each customer, by the key of its lane. */
function releasesIn(fragments: Fragments): ReadonlyMap<string, Version> {
  const releases = new Map<string, Version>();
  for (const [customer, { attributes }] of fragments) {
    for (const [path, version] of attributes) {
      const parsed = parseIdentityPath(path);
      if (parsed?.fact === 'released') {
        const key = parsed.lane ?? laneKey(customer);
        const known = releases.get(key);
        releases.set(key, known === undefined || isNewer(version, known) ? version : known);
      }
    }
  }
  return releases;
}

/** Everything that this customer ever had is gone at the time of the release. */
function markReleased(
  attributes: Attributes,
  { at, by }: Version,
  isCustomerIds: (path: string) => boolean,
): void {
  const markGone = (hashed: string): unknown =>
    setNewest(attributes, goneFactOf(hashed), { value: true, at, by });
  const before = new Map(attributes);
  for (const [path, { value }] of before) {
    const parsed = parseIdentityPath(path);
    if (parsed?.fact === 'was') {
      attributes.delete(path);
      markGone(parsed.hash);
    } else if (parsed?.fact === 'gone') {
      markGone(parsed.hash);
    } else {
      for (const hashed of hashesOf(path, value, isCustomerIds).flat()) {
        markGone(hashed);
      }
    }
  }
}

/** Per value of a path that has identities: its hash for each kind that it can be. */
function hashesOf(
  path: string,
  value: JsonValue,
  isCustomerIds: (path: string) => boolean,
): readonly (readonly string[])[] {
  const parsed = parseIdentityPath(path);
  const kind = parsed?.fact === 'slot' ? parsed.kind : contactKindOf(path);
  if (typeof value === 'string' && kind !== undefined && kind !== 'customerId') {
    return [[valueHash(kind, value)]];
  }
  const isList = (path.startsWith(IDENTITY_PREFIX) && !isCustomerIds(path)) || path === LOYALTY_IDS;
  return !isList || !Array.isArray(value)
    ? []
    : value.map((id) => (typeof id === 'string' ? RELEASABLE.map((one) => valueHash(one, id)) : []));
}

function goneIn(fragments: Fragments): ReadonlyMap<string, number> {
  const gone = new Map<string, number>();
  for (const [, { attributes }] of fragments) {
    for (const [path, { at }] of attributes) {
      const parsed = parseIdentityPath(path);
      if (parsed?.fact === 'gone') {
        gone.set(parsed.hash, Math.max(at, gone.get(parsed.hash) ?? at));
      }
    }
  }
  return gone;
}

/**
 * A slot and an attribute keep the time of the removed value, so that an older one does not come
 * back.
 */
function removeGone(
  attributes: Attributes,
  gone: ReadonlyMap<string, number>,
  { isReleased, isCustomerIds }: { isReleased: boolean; isCustomerIds: (path: string) => boolean },
): void {
  const before = new Map(attributes);
  for (const [path, { value, at, by }] of before) {
    const hashes = hashesOf(path, value, isCustomerIds);
    const isGone = hashes.map((kinds) => kinds.some((hashed) => at <= (gone.get(hashed) ?? -1)));
    if (!isGone.includes(true)) {
      continue;
    }
    const parsed = parseIdentityPath(path);
    if (Array.isArray(value)) {
      attributes.set(path, { value: value.filter((_, index) => isGone[index] !== true), at, by });
    } else if (parsed?.fact === 'slot' && parsed.kind === 'cardNumber') {
      attributes.delete(path);
    } else {
      attributes.set(path, { value: null, at, by });
    }
    const [[hashed = ''] = []] = hashes;
    if (parsed?.fact === 'slot' && !isReleased) {
      const was = wasFact(parsed.kind, parsed.slot, hashed);
      setNewest(attributes, was, { value: true, at, by });
    }
  }
}

/** What a slot has now need not be kept as what it had before. */
function removeRedundant(attributes: Attributes): void {
  const slots = [...attributes].flatMap(([path, { value }]) => {
    const parsed = parseIdentityPath(path);
    return parsed?.fact === 'slot' && typeof value === 'string'
      ? [wasFact(parsed.kind, parsed.slot, valueHash(parsed.kind, value))]
      : [];
  });
  for (const path of slots) {
    attributes.delete(path);
  }
}
