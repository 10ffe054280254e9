import type { JsonValue } from './json.ts';

/** `12`, `-3.50`, but not `007` and not `1e5`. */
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/**
 * One text for all spellings of a value: keys sorted, members that are null left out, a number and the plain text of it alike
 * (`70`, `70.0`, `"70"`, `"70.00"`). For hashing only; what it gives is not always JSON that reads back as the same value. The
 * depth of `value` must be bounded.
 */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) {
    return `[${value.map(canonicalJson).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    return canonicalObject(Object.entries(value));
  }
  if (typeof value === 'number') {
    return String(value);
  }
  return typeof value === 'string' ? (canonicalDecimal(value) ?? JSON.stringify(value)) : String(value);
}

function canonicalObject(entries: readonly [string, JsonValue][]): string {
  const members = entries
    .filter(([, value]) => value !== null)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${JSON.stringify(key)}:${canonicalJson(value)}`);
  return `{${members.join(',')}}`;
}

/** Undefined for a text that is no plain number. Digits stay exact beyond 2^53; a fraction goes the way of a parsed number. */
function canonicalDecimal(text: string): string | undefined {
  if (!DECIMAL.test(text)) {
    const isPrinted = /\d$/.test(text) && String(Number(text)) === text;
    return isPrinted ? text : undefined;
  }
  const whole = text.replace(/\.0+$/, '');
  if (whole === '-0') {
    return '0';
  }
  return whole.includes('.') ? String(Number(whole)) : whole;
}
