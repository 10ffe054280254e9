import type { ReceivedRequest, Verdict, Verifier } from '../../src/sources/verifier.ts';

/** Time of the requests in these tests; the signed constants were computed for it. */
export const SENT_AT_SECONDS = 1_790_848_800;
export const RECEIVED_AT = SENT_AT_SECONDS * 1_000;
export const MINUTE = 60_000;

/** JSON-like text with two bytes that are not UTF-8: `{"eventName":"x","v":"<ff><fe>"}`. */
export const BODY: Buffer = Buffer.from('{"eventName":"x","v":"\u00ff\u00fe"}', 'latin1');

export interface RequestParts {
  readonly body?: Buffer;
  /** In order; duplicate names are allowed. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly ip?: string;
  readonly receivedAt?: number;
}

/** A request as Node represents it; `headers` is empty to prove that only the raw list is read. */
export function request(parts: RequestParts = {}): ReceivedRequest {
  return {
    body: parts.body ?? BODY,
    headers: {},
    rawHeaders: (parts.headers ?? []).flat(),
    ip: parts.ip ?? '127.0.0.1',
    receivedAt: parts.receivedAt ?? RECEIVED_AT,
  };
}

/** `passed`, or the code of the refusal. */
export function outcome(verifier: Verifier, parts: RequestParts): string {
  return textOf(verifier.verify(request(parts)));
}

function textOf(verdict: Verdict): string {
  return verdict.ok ? 'passed' : verdict.code;
}

/** Changed bodies: a byte replaced, a byte or a BOM added, re-encoded, empty. */
export const TAMPERED: readonly Buffer[] = [
  Buffer.concat([BODY.subarray(0, -1), Buffer.from(']')]),
  Buffer.concat([BODY, Buffer.from(' ')]),
  Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), BODY]),
  Buffer.from(BODY.toString('utf8'), 'utf8'),
  Buffer.alloc(0),
];

/** Strings that are not decimal digits but that a lenient parser would accept as a number. */
export const ODD_TIMESTAMPS: readonly string[] = [
  'Infinity',
  '-Infinity',
  'NaN',
  '1e9',
  '',
  ' ',
  '-1790848800',
  '+1790848800',
  '1790848800.5',
  '0x6abe0ee0',
  '1790848800 1',
  '1_790_848_800',
  '١٧٩٠٨٤٨٨٠٠',
  '9'.repeat(400),
  '2026-10-01T10:00:00Z',
];
