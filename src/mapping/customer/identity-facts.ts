import { hash } from 'node:crypto';
import type { IdentifierKind } from '../../capillary/identifiers.ts';
import { type AttributeVersion, type Attributes, isNewer, setNewest } from './attribute-version.ts';
import { factPath } from './facts.ts';

/*
 * Facts about the identities of one customer:
 * - `@id[<kind>].slot[<slot>]`: an identity in clear, where the slot is where Capillary has the
 *   identifier (in-store or a linked account). A newer value replaces the one of the same slot; an
 *   event that has fewer identifiers than before removes none. null clears the slot.
 * - `@was[<hash>].s[<slot>]`: a value that the slot had before
 * - `@gone[<hash>]`: a value that is no longer the customer's, nor that of the customers with whom
 *   it was merged; a newer event can make it theirs again
 * - `@rel`, `@rel[<lane>]`: all identities of this customer, or of the one of that lane, were
 *   released after a merge
 * - `@ids`: Capillary's API said all identities of the customer: older ones are gone, whatever slot
 *   they have
 */
export const IDENTITY_FACTS = 'id';
const GONE_FACTS = 'gone';
const WAS_FACTS = 'was';
const RELEASED_FACTS = 'rel';
export const COMPLETE_FACTS = 'ids';
export const COMPLETE_IDS_FACT = factPath(COMPLETE_FACTS);

const SLOT_PATH = /^@id\[(\w+)\]\.slot\[([^\]]*)\]$/;
const WAS_PATH = /^@was\[([^\]]*)\]\.s(?:\[([^\]]*)\])?$/;
const GONE_PATH = /^@gone\[([^\]]*)\]$/;
const RELEASED_PATH = /^@rel(?:\[([^\]]*)\])?$/;

/** Hex digits of the hash of a value that is no longer the customer's. */
const VALUE_HEX_DIGITS = 24;
/** Hex digits of a lane that identify a customer among those merged with it. */
const LANE_HEX_DIGITS = 24;

/** The path of the fact that a customer has an identity. */
export function identityFact(kind: IdentifierKind, slot: string): string {
  return factPath(IDENTITY_FACTS, kind, ['slot', slot]);
}

/** The path of the fact that a value is no longer this customer's identity. */
export function goneFact({ kind, id }: { readonly kind: IdentifierKind; readonly id: string }): string {
  return goneFactOf(valueHash(kind, id));
}

/** @param hashed `valueHash` of the value */
export function goneFactOf(hashed: string): string {
  return factPath(GONE_FACTS, hashed);
}

/** The path of the fact that all identities were released. @param lane of another customer */
export function releasedFact(lane?: string): string {
  return factPath(RELEASED_FACTS, lane === undefined ? '' : laneKey(lane));
}

export function laneKey(lane: string): string {
  return lane.slice(0, LANE_HEX_DIGITS);
}

/** Identifies a value without telling it: what is gone is not kept in clear. */
export function valueHash(kind: IdentifierKind, id: string): string {
  return hash('sha256', `${kind} ${id}`).slice(0, VALUE_HEX_DIGITS);
}

/** A parsed path of one of these facts. */
export type IdentityPath =
  | { readonly fact: 'slot'; readonly kind: IdentifierKind; readonly slot: string }
  | { readonly fact: 'was'; readonly hash: string; readonly slot: string }
  | { readonly fact: 'gone'; readonly hash: string }
  | { readonly fact: 'released'; readonly lane: string | undefined };

/** Undefined for every other path. The slot is as it is in the path, percent-encoded. */
export function parseIdentityPath(path: string): IdentityPath | undefined {
  if (path.startsWith('@id[')) {
    const [, kind, slot] = SLOT_PATH.exec(path) ?? [];
    return kind === undefined || slot === undefined
      ? undefined
      : { fact: 'slot', kind: kind as IdentifierKind, slot };
  }
  if (path.startsWith('@was[')) {
    const [, hashed, slot = ''] = WAS_PATH.exec(path) ?? [];
    return hashed === undefined ? undefined : { fact: 'was', hash: hashed, slot };
  }
  if (path.startsWith('@gone[')) {
    const [, hashed] = GONE_PATH.exec(path) ?? [];
    return hashed === undefined ? undefined : { fact: 'gone', hash: hashed };
  }
  if (path.startsWith('@rel')) {
    const parsed = RELEASED_PATH.exec(path);
    return parsed === null ? undefined : { fact: 'released', lane: parsed[1] };
  }
  return undefined;
}

/**
 * The path of the fact that a slot had a value before. A card is its own slot, which must not be
 * kept in clear.
 */
export function wasFact(kind: IdentifierKind, slot: string, hashed: string): string {
  const item = kind === 'cardNumber' ? '' : `[${slot}]`;
  return `@${WAS_FACTS}[${hashed}].s${item}`;
}

/**
 * Sets a version, unless there is a newer one. If an identity is replaced, its hash is kept: a
 * release frees all identifiers that a customer ever had, also those that are released late.
 */
export function setVersion(attributes: Attributes, path: string, version: AttributeVersion): void {
  const replaced = setNewest(attributes, path, version);
  if (replaced === undefined || typeof replaced.value !== 'string' || !path.startsWith('@id[')) {
    return;
  }
  const parsed = parseIdentityPath(path);
  if (
    parsed?.fact === 'slot' &&
    parsed.kind !== 'customerId' &&
    attributes.get(path)?.value !== replaced.value
  ) {
    const { at, by } = replaced;
    const was = wasFact(parsed.kind, parsed.slot, valueHash(parsed.kind, replaced.value));
    setNewest(attributes, was, { value: true, at, by });
  }
}

/**
 * Takes out the identities that are older than a list of all of them. Only their hashes are kept,
 * as of replaced ones.
 */
export function removeOutdatedIdentities(attributes: Attributes): void {
  const complete = attributes.get(COMPLETE_IDS_FACT);
  if (complete === undefined) {
    return;
  }
  for (const [path, { value, at, by }] of attributes) {
    const parsed = parseIdentityPath(path);
    if (parsed?.fact !== 'slot' || parsed.kind === 'customerId' || isNewer({ at, by }, complete)) {
      continue;
    }
    attributes.delete(path);
    if (typeof value === 'string') {
      const was = wasFact(parsed.kind, parsed.slot, valueHash(parsed.kind, value));
      setNewest(attributes, was, { value: true, at, by });
    }
  }
}
