const BARE_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/**
 * The place of a message in its batch as its `xactionId` tells it, from 0. Forms (adobe.md §2.5): `uuid-idx` and `ms:n:n:idx` carry
 * one, `ms:n:n` of the single endpoint none. A bare uuid carries none either, though its last group may be all digits.
 */
export function xactionIndex(xactionId: string | undefined): number | undefined {
  if (xactionId === undefined || BARE_UUID.test(xactionId)) return undefined;
  if (xactionId.includes(':')) {
    const parts = xactionId.split(':');
    return parts.length === 4 ? wholeNumber(parts[3]) : undefined;
  }
  const dash = xactionId.lastIndexOf('-');
  return dash === -1 ? undefined : wholeNumber(xactionId.slice(dash + 1));
}
