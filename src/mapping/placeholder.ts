import type { IdentifierKind } from '../capillary/identifiers.ts';
import type { NoteCode } from './notes.ts';
import { isDummyNumber } from './phone.ts';

/** What tills write for "none", as a whole or before the @. */
const NONE =
  /^(0+|-1|[-.?_]+|n\.?\/?a\.?|none|null|nil|undefined|unknown|anonymous|guest|not?[ ._-]?(available|applicable|given|provided)|dummy|test|example|no[._-]?(e?-?mail|mail|id)|(no|do[._-]?not)[._-]?reply)$/i;

/** `xxx@…`: nobody's address. */
const SAME = /^(.)\1{2,}$/;

/** Digits from which on a repeated or counted number is none that a brand gave out. */
const DUMMY_DIGITS = 8;

/** Digits or letters of it are covered up: `98******45`, `XXXXXXXX1234`, `a***@example.org`. */
export const MASKED = /\*{2,}|\*.*@|[•●]|x{4,}|#{3,}/i;

/** Characters that no id has: controls, and the stand-in for what could not be read. */
const BROKEN = /[\p{Cc}\ufffd]/u;

/**
 * Why a text is nobody's own, or undefined: strangers who have it would become one person in AEP. `kind` is
 * that of an id or an e-mail address; phones have a test of their own.
 */
export function placeholderFault(kind: IdentifierKind, text: string): NoteCode | undefined {
  const own = kind === 'email' ? text.replace(/@.*$/s, '') : text;
  const isDummy = own.length >= DUMMY_DIGITS && isDummyNumber(own);
  if (NONE.test(own) || isDummy || (kind === 'email' && SAME.test(own))) {
    return 'placeholder';
  }
  if (MASKED.test(text)) {
    return 'masked';
  }
  return BROKEN.test(text) && kind !== 'email' ? 'not-an-id' : undefined;
}
