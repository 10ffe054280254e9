import { singleHeader } from './single-header.ts';
import type { ReceivedRequest } from './verifier.ts';

/** The credentials of the `Authorization` header, or why there are none. */
export type Authorization =
  | { readonly ok: true; readonly credentials: string }
  | { readonly ok: false; readonly problem: 'missing' | 'doubled' | 'wrong-scheme' };

/** Reads `Authorization: <scheme> <credentials>`; a scheme's case does not count (RFC 9110 §11.1). */
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
