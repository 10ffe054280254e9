import { createHmac } from 'node:crypto';
import type { VerifierConfig } from '../config/source.ts';
import { matchesAny } from './constant-time.ts';
import { DIGEST_LENGTH, signatureOf } from './hash-algorithm.ts';
import { ageProblem, readTimestamp } from './signed-timestamp.ts';
import { singleHeader } from './single-header.ts';
import { decodeBase64, decodeSignature } from './strict-encoding.ts';
import { PASSED, refused } from './verdict.ts';
import type { ReceivedRequest, Verdict, Verifier } from './verifier.ts';

const TYPE = 'standard-webhooks';
const SECRET_PREFIX = 'whsec_';
const VERSION = 'v1,';

/** HMAC-SHA256 over `<id>.<timestamp>.<body>` as the Standard Webhooks specification describes it. */
export function createStandardWebhooksVerifier(
  config: Extract<VerifierConfig, { type: 'standard-webhooks' }>,
): Verifier {
  const keys = config.secrets.map(standardWebhooksKey).filter((key) => key !== undefined);
  return { name: TYPE, verify: (request) => verify(request, keys, config.tolerance) };
}

/**
 * The key of a secret: after `whsec_` base64, whose padding may be missing, else the text itself. Undefined for one that cannot be
 * decoded or is empty: it never matches.
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
    return refused(TYPE, `id-${id.ok ? 'missing' : id.problem}`);
  }
  const timestamp = readTimestamp(request, 'webhook-timestamp', 's');
  if (!timestamp.ok) {
    return refused(TYPE, timestamp.problem);
  }
  const header = singleHeader(request, 'webhook-signature');
  if (!header.ok) {
    return refused(TYPE, header.problem);
  }
  const signatures = readSignatures(header.value);
  if (signatures.length === 0) {
    return refused(TYPE, 'bad-encoding');
  }
  const expected = keys.map((key) => sign(key, id.value, timestamp.text, request.body));
  if (!matchesEither(signatures, expected)) {
    return refused(TYPE, 'bad-signature');
  }
  const age = ageProblem(timestamp.at, request.receivedAt, tolerance);
  return age === undefined ? PASSED : refused(TYPE, age);
}

/** A sender that rotates its key signs with both; signatures of other versions are not for us. */
function readSignatures(header: string): readonly Buffer[] {
  return header
    .split(' ')
    .filter((entry) => entry.startsWith(VERSION))
    .map((entry) => decodeSignature(entry.slice(VERSION.length), 'base64', DIGEST_LENGTH.sha256))
    .filter((signature) => signature !== undefined);
}

function sign(key: Buffer, id: string, timestamp: string, body: Uint8Array): Buffer {
  // Latin-1, because that is how Node read the header's bytes.
  return signatureOf(createHmac('sha256', key).update(`${id}.${timestamp}.`, 'latin1').update(body));
}

/** All pairs are compared, whichever matches first. */
function matchesEither(given: readonly Buffer[], expected: readonly Buffer[]): boolean {
  return given.filter((signature) => matchesAny(signature, expected)).length > 0;
}
