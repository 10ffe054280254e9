import type { CapillaryEvent } from '../capillary/event.ts';
import {
  customerIdOf,
  customerIdText,
  type Identifier,
  type IdentifierKind,
  identifiersOf,
  laneOf,
  personOf,
} from '../capillary/identifiers.ts';
import { isEmail } from '../xdm/formats.ts';
import { MAX_IDENTITY_CHARS } from '../xdm/limits.ts';
import type { MappingContext } from './mapped.ts';
import type { NoteCode, Notes } from './notes.ts';
import { toE164 } from './phone.ts';
import { MASKED, placeholderFault } from './placeholder.ts';

/** An identifier that is fit to be an identity: format checked, normalised. */
export interface Identity {
  readonly kind: IdentifierKind;
  readonly id: string;
}

/**
 * The identities of the person an event is about, the customerId first, then in the order of the payload,
 * each once (reference: mapping.md, Identity). What is no e-mail, phone or id is left out with a note. A
 * phone must not be a hash: brands without PII send such (reference: capillary.md §5).
 */
export function identitiesOf(
  event: CapillaryEvent,
  context: MappingContext,
  notes: Notes,
): readonly Identity[] {
  const customerId = event.customerId ?? customerIdOf(event.data);
  const person = personOf(event.data);
  const found: Identity[] = customerId === undefined ? [] : [{ kind: 'customerId', id: customerId }];
  const seen = new Set<string>();
  for (const identifier of identifiersOf(person?.identifiers ?? {})) {
    const checked = normalised(identifier, context.source.country);
    if ('code' in checked) {
      const path = person?.path === undefined ? 'cardNumber' : `${person.path}.${identifier.path}`;
      notes.add(`data.${path}`, checked.code);
      continue;
    }
    // No kind but the one that stands first already is `customerId`.
    const key = `${identifier.kind} ${checked.id}`;
    if (!seen.has(key)) {
      seen.add(key);
      found.push({ kind: identifier.kind, id: checked.id });
    }
  }
  return found;
}

/** The fields of `data` that are read for the victim of a merge. */
export const VICTIM_FIELDS: readonly string[] = ['victimCustomerIdentifiers.customerId'];

/** The customerId of the customer that a merge dissolves; undefined for every other event. */
export function victimIdOf(event: CapillaryEvent): string | undefined {
  const victim = event.data['victimCustomerIdentifiers'];
  return typeof victim === 'object' && victim !== null && !Array.isArray(victim)
    ? customerIdText(victim['customerId'])
    : undefined;
}

/** The lane of the customer that a merge dissolves; undefined for every other event, and where it is the survivor itself. */
export function victimLaneOf(event: CapillaryEvent): string | undefined {
  const victimId = event.eventName === 'loyaltyCustomerMerge' ? victimIdOf(event) : undefined;
  const survivorId = event.customerId ?? customerIdOf(event.data);
  return victimId === undefined || victimId === survivorId ? undefined : laneOf(event.orgId, victimId);
}

/** The first identity of a kind. */
export function firstOf(identities: readonly Identity[], kind: IdentifierKind): string | undefined {
  return identities.find((identity) => identity.kind === kind)?.id;
}

function normalised(
  { kind, value }: Identifier,
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
