const ELLIPSIS = '…';

/** The text cut to at most `maxBytes` of UTF-8, an ellipsis at its end when something was cut; never half a character. */
export function shorten(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const room = maxBytes - Buffer.byteLength(ELLIPSIS);
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(room));
  return text.slice(0, read) + ELLIPSIS;
}
