import { isMasked, isNothing, isUnresolved, type PlaceholderFault } from '../capillary/placeholder-values.ts';
import type { Notes } from './mapping-notes.ts';
import type { Reader } from './reader.ts';

/** One character is enough: no name has a star. */
const STAR = /\*/;
const LETTER = /\p{L}/u;
/** Names begin alike in every list of placeholders, but these are given names. */
const GIVEN_NAMES = /^(?:nan|nil)$/i;

/**
 * A name of a person. What stands for a missing name (`null`, `NA`, `.`, `{{firstName}}`,
 * `[object Object]`), has no letter or is masked (`A****`) is left out with a note.
 */
export function readName(reader: Reader, field: string, notes: Notes): string | undefined {
  return readUnless(nameFault, reader, field, notes);
}

/** The same for a name that has been read. @param path where it was, for the note */
export function checkName(name: string, path: string, notes: Notes): string | undefined {
  return keepUnless(nameFault, name, path, notes);
}

/** A name of a thing or place, which may be a number such as `24/7`. */
export function readLabel(reader: Reader, field: string, notes: Notes): string | undefined {
  return readUnless(labelFault, reader, field, notes);
}

function readUnless(
  faultOf: (text: string) => PlaceholderFault | undefined,
  reader: Reader,
  field: string,
  notes: Notes,
): string | undefined {
  const text = reader.text(field);
  return text === undefined ? undefined : keepUnless(faultOf, text, `${reader.path}.${field}`, notes);
}

function keepUnless(
  faultOf: (text: string) => PlaceholderFault | undefined,
  text: string,
  path: string,
  notes: Notes,
): string | undefined {
  const code = faultOf(text);
  if (code === undefined) {
    return text;
  }
  notes.add(path, code);
  return undefined;
}

/** Most names: no template, no mask, at least one letter. */
const PLAIN_NAME = /^[a-wyz .'-]*[a-wyz][a-wyz .'-]*$/i;

function nameFault(name: string): PlaceholderFault | undefined {
  if (PLAIN_NAME.test(name)) {
    return isNothing(name) && !GIVEN_NAMES.test(name) ? 'placeholder' : undefined;
  }
  return STAR.test(name) ? 'masked' : (labelFault(name) ?? (LETTER.test(name) ? undefined : 'placeholder'));
}

function labelFault(text: string): PlaceholderFault | undefined {
  if (isMasked(text)) {
    return 'masked';
  }
  return isUnresolved(text) || isNothing(text) ? 'placeholder' : undefined;
}
