import { isReadable, type PayloadCipher, type Unreadable } from './payload-cipher.ts';
import type { NewQuarantined, Quarantined } from './quarantine.ts';

/* How engines store a request that no verifier accepted: headers and body each encrypted. */

/** What the bounds of the quarantine count. */
export function quarantinedBytes({ rawHeaders, body }: NewQuarantined): number {
  return rawHeaders.reduce((sum, text) => sum + Buffer.byteLength(text), body.byteLength);
}

/** The headers as they are encrypted. */
export function headersToStore({ rawHeaders }: NewQuarantined): Buffer {
  return Buffer.from(JSON.stringify(rawHeaders), 'utf8');
}

/** The columns that every engine has, with its own form of `reasons`. */
export interface QuarantineColumns {
  readonly receipt: string;
  readonly source: string;
  readonly received_at: number;
  readonly ip: string;
  readonly headers: Uint8Array;
  readonly body: Uint8Array;
}

/** Says why if headers or body cannot be read. */
export function readQuarantined(
  cipher: PayloadCipher,
  row: QuarantineColumns,
  reasons: readonly string[],
): Quarantined | Unreadable {
  const headers = cipher.decrypt(row.headers);
  const body = cipher.decrypt(row.body);
  if (!isReadable(headers) || !isReadable(body))
    return [headers, body].includes('damaged') ? 'damaged' : 'key-unknown';
  return {
    receipt: row.receipt,
    source: row.source,
    receivedAt: row.received_at,
    ip: row.ip,
    reasons,
    rawHeaders: JSON.parse(headers.toString('utf8')) as string[],
    body,
  };
}
