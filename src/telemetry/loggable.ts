/** A run of digits as phones and cards are written. */
const NUMBERS = /^[\d+. ()-]*$/;

/**
 * An id or name that came from outside, if it has the form of one; undefined for everything else (an address, a number, a sentence), which
 * could be personal and is told by the receipt anyway.
 */
export function loggable(text: string | undefined): string | undefined {
  return text !== undefined && /^[\w.:-]{1,100}$/.test(text) && !NUMBERS.test(text) ? text : undefined;
}
