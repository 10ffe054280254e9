import { createHmac } from 'node:crypto';
import type { VerifierConfig } from '../config/source-config.ts';
import { matchesAny } from './secret-matching.ts';
import {
  ageProblem,
  decodeBase64,
  decodeSignature,
  DIGEST_BYTES,
  readTimestamp,
  finishHmac,
} from './signature.ts';
import { singleHeader } from './request-headers.ts';
import { PASSED, type ReceivedRequest, refuse, type Verdict, type Verifier } from './verifier.ts';

const TYPE = 'standard-webhooks';
const SECRET_PREFIX = 'whsec_';
const VERSION = 'v1,';

/** HMAC-SHA256 over `<id>.<timestamp>.<body>`, as the Standard Webhooks specification defines. */
export function createStandardWebhooksVerifier(
  config: Extract<VerifierConfig, { type: 'standard-webhooks' }>,
): Verifier {
  const keys = config.secrets.map(standardWebhooksKey).filter((key) => key !== undefined);
  return {
    name: TYPE,
    coversBody: true,
    secrets: [],
    verify: (request) => verify(request, keys, config.tolerance),
  };
}

/**
 * The key of a secret: base64 with optional padding after `whsec_`, otherwise the string itself.
 * Undefined if it is empty or cannot be decoded; it then never matches.
 */
export function standardWebhooksKey(secret: string): Buffer | undefined {
  const encoded = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : undefined;
  const key =
    encoded === undefined
      ? Buffer.from(secret)
      : decodeBase64(encoded.padEnd(Math.ceil(encoded.length / 4) * 4, '='));
  return key === undefined || key.length === 0 ? undefined : key;
}

function verify(request: ReceivedRequest, keys: readonly Buffer[], tolerance: number): Verdict {
  const id = singleHeader(request, 'webhook-id');
  if (!id.ok || id.value === '') {
    return refuse(TYPE, `id-${id.ok ? 'missing' : id.problem}`);
  }
  const timestamp = readTimestamp(request, 'webhook-timestamp', 's');
  if (!timestamp.ok) {
    return refuse(TYPE, timestamp.problem);
  }
  const header = singleHeader(request, 'webhook-signature');
  if (!header.ok) {
    return refuse(TYPE, header.problem);
  }
  const signatures = readSignatures(header.value);
  if (signatures.length === 0) {
    return refuse(TYPE, 'bad-encoding');
  }
  const expected = keys.map((key) => sign(key, id.value, timestamp.text, request.body));
  if (!matchesAnyPair(signatures, expected)) {
    return refuse(TYPE, 'bad-signature');
  }
  const age = ageProblem(timestamp.sentAt, request.receivedAt, tolerance);
  return age === undefined ? PASSED : refuse(TYPE, age);
}

/** A sender that rotates its key signs with both. Signatures of other versions are ignored. */
function readSignatures(header: string): readonly Buffer[] {
  return header
    .split(' ')
    .filter((entry) => entry.startsWith(VERSION))
    .map((entry) => decodeSignature(entry.slice(VERSION.length), 'base64', DIGEST_BYTES.sha256))
    .filter((signature) => signature !== undefined);
}

function sign(key: Buffer, id: string, timestamp: string, body: Uint8Array): Buffer {
  // Latin-1, because Node decodes header bytes that way.
  return finishHmac(createHmac('sha256', key).update(`${id}.${timestamp}.`, 'latin1').update(body));
}

/** Always compares all pairs, so that the time does not show which one matched. */
function matchesAnyPair(given: readonly Buffer[], expected: readonly Buffer[]): boolean {
  return given.filter((signature) => matchesAny(signature, expected)).length > 0;
}
