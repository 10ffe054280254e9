// What a terminal would obey instead of show: control characters, and marks that turn the direction of writing.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}}`;
}

/** A value as text that is safe on one line of a terminal, whoever wrote it; nothing for what is absent. */
export function printable(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/[\r\n\t]+/g, ' ').replace(UNSAFE, escaped);
}
