/** Characters of a value that an example shows. */
const MAX_CHARS = 40;

/** The form of a value without the value: letters → x and X, digits → 9, all else as it is; true and false as they are. */
export function maskOf(value: string | number | boolean): string {
  return typeof value === 'boolean'
    ? String(value)
    : String(value)
        .slice(0, MAX_CHARS)
        .toWellFormed()
        .replaceAll(/\p{N}/gu, '9')
        .replaceAll(/[\p{L}\p{M}]/gu, (letter) => (/\p{Lu}/u.test(letter) ? 'X' : 'x'));
}
