import type { CapillaryEvent } from '../capillary/event.ts';
import { laneOf } from '../capillary/event-identity.ts';
import {
  customerIdText,
  type Identifier,
  type IdentifierKind,
  identifiersOf,
} from '../capillary/identifiers.ts';
import { customerIdOf, personOf } from '../capillary/person.ts';
import { isEmail } from '../xdm/formats.ts';
import { MAX_IDENTITY_CHARS } from '../xdm/xdm-record.ts';
import type { NoteCode, Notes } from './mapping-notes.ts';
import type { MappingContext } from './mapping-result.ts';
import { isDummyNumber, toE164 } from './phone.ts';

/** A checked and normalized identifier. */
export interface Identity {
  readonly kind: IdentifierKind;
  readonly id: string;
}

/** An identity of an event's person. */
export interface EventIdentity extends Identity {
  /** Where the event has it: an identity replaces the stored one of the same slot. */
  readonly slot: string;
}

/**
 * The identities of the event's person, each once: the customerId, then the others in the order of
 * the payload (docs/mapping.md#identity). Values that are not an e-mail address, phone number or id
 * are left out with a note: brands without contact data send hashes
 * (docs/platforms/capillary.md#identifiers).
 */
export function identitiesOf(
  event: CapillaryEvent,
  context: MappingContext,
  notes: Notes,
): readonly EventIdentity[] {
  const customerId = event.customerId ?? customerIdOf(event.data);
  const person = personOf(event.data);
  const found: EventIdentity[] =
    customerId === undefined ? [] : [{ kind: 'customerId', id: customerId, slot: 'own' }];
  const seen = new Set<string>();
  for (const identifier of identifiersOf(person?.identifiers ?? {})) {
    const checked = normalize(identifier, context.source.country);
    if ('code' in checked) {
      const path = person?.path === undefined ? 'cardNumber' : `${person.path}.${identifier.path}`;
      notes.add(`data.${path}`, checked.code);
      continue;
    }
    // None of these is a customerId, so the first entry cannot be repeated.
    const key = `${identifier.kind} ${checked.id}`;
    if (!seen.has(key)) {
      seen.add(key);
      found.push({ kind: identifier.kind, id: checked.id, slot: slotOf(identifier, checked.id) });
    }
  }
  return found;
}

/** A customer has one identifier of each kind in a channel's account, but any number of cards. */
function slotOf({ kind, account }: Identifier, id: string): string {
  return kind === 'cardNumber' ? id : account;
}

/** The fields of `data` that identify the victim of a merge. */
export const VICTIM_FIELDS: readonly string[] = ['victimCustomerIdentifiers.customerId'];

/** The customerId of the victim of a merge; undefined for other events. */
export function victimIdOf(event: CapillaryEvent): string | undefined {
  const victim = event.data['victimCustomerIdentifiers'];
  return typeof victim === 'object' && victim !== null && !Array.isArray(victim)
    ? customerIdText(victim['customerId'])
    : undefined;
}

/**
 * The lane of the victim of a merge; undefined for other events, and if victim and survivor are the
 * same.
 */
export function victimLaneOf(event: CapillaryEvent): string | undefined {
  const victimId = event.eventName === 'loyaltyCustomerMerge' ? victimIdOf(event) : undefined;
  const survivorId = event.customerId ?? customerIdOf(event.data);
  return victimId === undefined || victimId === survivorId ? undefined : laneOf(event.orgId, victimId);
}

/** The first identity of a kind. */
export function firstIdOf(identities: readonly Identity[], kind: IdentifierKind): string | undefined {
  return identities.find((identity) => identity.kind === kind)?.id;
}

/** The identity of an identifier, or why it identifies nobody. */
export function normalize(
  { kind, value }: Pick<Identifier, 'kind' | 'value'>,
  country: string | undefined,
): { readonly id: string } | { readonly code: NoteCode } {
  if (value.length > MAX_IDENTITY_CHARS) {
    return { code: 'too-long' };
  }
  if (kind === 'phone') {
    const id = toE164(value, country);
    return id === undefined ? { code: MASKED.test(value) ? 'masked' : 'not-a-phone' } : { id };
  }
  const code = placeholderFault(kind, value);
  if (code !== undefined) {
    return { code };
  }
  if (kind === 'email') {
    return isEmail(value) ? { id: value.toLowerCase() } : { code: 'not-an-email' };
  }
  return { id: value };
}

/** Strings that mean "none", as the whole value or before the @. */
const PLACEHOLDER =
  /^(0+|-1|[-.?_]+|n\.?\/?a\.?|none|null|nil|undefined|unknown|anonymous|guest|not?[ ._-]?(available|applicable|given|provided)|dummy|test|example|no[._-]?(e?-?mail|mail|id)|(no|do[._-]?not)[._-]?reply)$/i;

/** One repeated character before the @, as in `xxx@…`. */
const REPEATED_CHARACTER = /^(.)\1{2,}$/;

/** A number of repeated or consecutive digits that is this long is not a real one. */
const MIN_DUMMY_DIGITS = 8;

/** Some characters are masked: `98******45`, `XXXXXXXX1234`, `a***@example.org`. */
const MASKED = /\*{2,}|\*.*@|[•●]|x{4,}|#{3,}/i;

/** Control characters and the Unicode replacement character. */
const INVALID_CHARACTER = /[\p{Cc}\ufffd]/u;

/**
 * The reason why a string cannot identify a person, or undefined. AEP would join all strangers who
 * have the same value. For ids and e-mail addresses; phone numbers are checked by `toE164`.
 */
function placeholderFault(kind: IdentifierKind, text: string): NoteCode | undefined {
  const name = kind === 'email' ? text.replace(/@.*$/s, '') : text;
  const isDummy = name.length >= MIN_DUMMY_DIGITS && isDummyNumber(name);
  if (PLACEHOLDER.test(name) || isDummy || (kind === 'email' && REPEATED_CHARACTER.test(name))) {
    return 'placeholder';
  }
  if (MASKED.test(text)) {
    return 'masked';
  }
  return INVALID_CHARACTER.test(text) && kind !== 'email' ? 'not-an-id' : undefined;
}
