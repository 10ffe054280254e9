import type { CapillaryEvent } from '../capillary/event.ts';
import { laneOf } from '../capillary/event-identity.ts';
import {
  customerIdText,
  type Identifier,
  type IdentifierKind,
  identifiersOf,
} from '../capillary/identifiers.ts';
import { isJsonObject } from '../capillary/json.ts';
import { customerIdOf, personOf } from '../capillary/person.ts';
import { placeholderFault } from '../capillary/placeholder-values.ts';
import { isEmail } from '../xdm/formats.ts';
import { MAX_IDENTITY_CHARS } from '../xdm/xdm-record.ts';
import { isIgnoredContact } from './ignored-contacts.ts';
import type { NoteCode, Notes } from './mapping-notes.ts';
import type { MappingContext } from './mapping-result.ts';
import { readPhone } from './phone.ts';

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
    const checked = usable(identifier, context.source);
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

/** The name of the event that says that a customer was merged into another one. */
export const MERGE_EVENT = 'loyaltyCustomerMerge';

/** The fields of `data` that identify the victim of a merge. */
export const VICTIM_FIELDS: readonly string[] = ['victimCustomerIdentifiers.customerId'];

/** The customerId of the victim of a merge; undefined for all other events. */
export function victimIdOf(event: CapillaryEvent): string | undefined {
  const victim = event.data['victimCustomerIdentifiers'];
  return event.eventName === MERGE_EVENT && isJsonObject(victim)
    ? customerIdText(victim['customerId'])
    : undefined;
}

/**
 * The lane of the victim of a merge; undefined for other events, and if victim and survivor are the
 * same.
 */
export function victimLaneOf(event: CapillaryEvent): string | undefined {
  const victimId = victimIdOf(event);
  const survivorId = event.customerId ?? customerIdOf(event.data);
  return victimId === undefined || victimId === survivorId ? undefined : laneOf(event.orgId, victimId);
}

/** The first identity of a kind. */
export function firstIdOf(identities: readonly Identity[], kind: IdentifierKind): string | undefined {
  return identities.find((identity) => identity.kind === kind)?.id;
}

type Checked = { readonly id: string } | { readonly code: NoteCode };

/** The identifier in normal form, unless the source lists it as nobody's own. */
function usable(identifier: Identifier, source: MappingContext['source']): Checked {
  const checked = normalize(identifier, source.country);
  return 'id' in checked && isIgnoredContact(source, identifier.kind, checked.id)
    ? { code: 'ignored-contact' }
    : checked;
}

/** The identity of an identifier, or why it identifies nobody. */
export function normalize(
  { kind, value }: Pick<Identifier, 'kind' | 'value'>,
  country: string | undefined,
): Checked {
  if (value.length > MAX_IDENTITY_CHARS) {
    return { code: 'too-long' };
  }
  if (kind === 'phone') {
    const phone = readPhone(value, country);
    return typeof phone === 'string' ? { id: phone } : { code: placeholderFault(kind, value) ?? phone.code };
  }
  const code = placeholderFault(kind, value);
  if (code !== undefined) {
    return { code };
  }
  if (kind === 'email') {
    return isEmail(value) ? { id: value.toLowerCase() } : { code: 'not-an-email' };
  }
  return INVALID_CHARACTER.test(value) ? { code: 'not-an-id' } : { id: value };
}

/** Control characters and the Unicode replacement character. */
const INVALID_CHARACTER = /[\p{Cc}\ufffd]/u;
