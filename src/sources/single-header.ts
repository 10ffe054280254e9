import type { ReceivedRequest } from './verifier.ts';

/** A header's value without spaces around it, or why there is none. */
export type SingleHeader =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly problem: 'missing' | 'doubled' };

/**
 * Reads a header that must have come exactly once. Node drops or joins doubled headers in `headers`, so that a proxy and the
 * relay could look at different ones; the raw list shows them all.
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
