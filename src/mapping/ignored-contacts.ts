import type { IdentifierKind } from '../capillary/identifiers.ts';
import type { SourceConfig } from '../config/config-schema.ts';
import { toE164 } from './phone.ts';

type ContactsOfSource = Pick<SourceConfig, 'contacts' | 'country'>;

/** True for a contact in normal form; never for a customerId. */
type IsIgnored = (kind: IdentifierKind, id: string) => boolean;

/** By the configured lists, which never change. */
const compiled = new WeakMap<readonly string[], IsIgnored>();

/** True for a contact in normal form that `contacts.ignore` of the source lists. */
export function isIgnoredContact(source: ContactsOfSource, kind: IdentifierKind, id: string): boolean {
  const { ignore } = source.contacts;
  if (ignore.length === 0 || kind === 'customerId') {
    return false;
  }
  const known = compiled.get(ignore) ?? compile(ignore, source.country);
  compiled.set(ignore, known);
  return known(kind, id);
}

/**
 * Exact values are compared in normal form: an address in lower case, a phone number in E.164 by
 * the country of the source. A pattern is compared with the normal form, for phone numbers with and
 * without the plus. Ids are compared without case.
 */
function compile(ignore: readonly string[], country: string | undefined): IsIgnored {
  const exact = new Set<string>();
  const patterns: RegExp[] = [];
  for (const entry of ignore) {
    const text = entry.trim().toLowerCase();
    if (text.includes('*')) {
      patterns.push(patternOf(text));
    } else {
      exact.add(text);
      exact.add(toE164(text, country) ?? text);
    }
  }
  return (kind, id) => {
    const text = id.toLowerCase();
    const forms = kind === 'phone' ? [text, text.replace(/^\+/, '')] : [text];
    return forms.some((form) => exact.has(form) || patterns.some((pattern) => pattern.test(form)));
  };
}

/** A pattern of a phone number may have spaces, brackets and hyphens. */
function patternOf(text: string): RegExp {
  const plain = /^[+*\d\s().-]+$/.test(text) ? text.replaceAll(/[\s().-]/g, '') : text;
  const parts = plain.split(/\*+/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}
