import type { ReceivedRequest } from './verifier.ts';

/** A trimmed header value, or why there is none. */
export type SingleHeader =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly problem: 'missing' | 'doubled' };

/**
 * Reads a header that must occur exactly once. Node drops or joins duplicates in `headers`, so a
 * proxy and the relay could act on different values; the raw list contains all of them.
 */
export function singleHeader(request: Pick<ReceivedRequest, 'rawHeaders'>, name: string): SingleHeader {
  const wanted = name.toLowerCase();
  let value: string | undefined;
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    if (request.rawHeaders[index]?.toLowerCase() === wanted) {
      if (value !== undefined) {
        return { ok: false, problem: 'doubled' };
      }
      value = request.rawHeaders[index + 1];
    }
  }
  return value === undefined ? { ok: false, problem: 'missing' } : { ok: true, value: value.trim() };
}

/** The credentials of the `Authorization` header, or why there are none. */
export type Authorization =
  | { readonly ok: true; readonly credentials: string }
  | { readonly ok: false; readonly problem: 'missing' | 'doubled' | 'wrong-scheme' };

/**
 * Reads `Authorization: <scheme> <credentials>`. The scheme is case-insensitive (RFC 9110, section
 * 11.1).
 */
export function readAuthorization(
  request: Pick<ReceivedRequest, 'rawHeaders'>,
  scheme: 'basic' | 'bearer',
): Authorization {
  const header = singleHeader(request, 'authorization');
  if (!header.ok) {
    return header;
  }
  const isScheme = header.value.slice(0, scheme.length + 1).toLowerCase() === `${scheme} `;
  return isScheme
    ? { ok: true, credentials: header.value.slice(scheme.length).trim() }
    : { ok: false, problem: 'wrong-scheme' };
}
