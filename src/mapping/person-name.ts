import { isMasked, isNothing, isUnresolved } from '../capillary/placeholder-values.ts';
import type { Notes } from './mapping-notes.ts';
import type { Reader } from './reader.ts';

/** One character is enough: no name has a star. */
const STAR = /\*/;
const LETTER = /\p{L}/u;
/** Names begin alike in every list of placeholders, but these are given names. */
const GIVEN_NAMES = /^(?:nan|nil)$/i;

/**
 * A name of a person or a place. What stands for a missing name (`null`, `NA`, `.`, `{{firstName}}`,
 * `[object Object]`), has no letter or is masked (`A****`) is left out with a note.
 */
export function readName(reader: Reader, field: string, notes: Notes): string | undefined {
  const name = reader.text(field);
  const code = name === undefined ? undefined : nameFault(name);
  if (code === undefined) {
    return name;
  }
  notes.add(`${reader.path}.${field}`, code);
  return undefined;
}

/** Most names: no template, no mask, at least one letter. */
const PLAIN_NAME = /^[a-wyz .'-]*[a-wyz][a-wyz .'-]*$/i;

function nameFault(name: string): 'placeholder' | 'masked' | undefined {
  if (PLAIN_NAME.test(name)) {
    return isNothing(name) && !GIVEN_NAMES.test(name) ? 'placeholder' : undefined;
  }
  if (isMasked(name) || STAR.test(name)) {
    return 'masked';
  }
  const isNoName = !LETTER.test(name) || isUnresolved(name) || isNothing(name);
  return isNoName && !GIVEN_NAMES.test(name) ? 'placeholder' : undefined;
}
