import { createHash, createHmac, type Hmac } from 'node:crypto';
import type { VerifierConfig } from '../config/source-config.ts';
import { singleHeader } from './request-headers.ts';
import { matchesAny, usableSecrets } from './secret-matching.ts';
import { ageProblem, decodeSignature, DIGEST_BYTES, readTimestamp, finishHmac } from './signature.ts';
import { PASSED, type ReceivedRequest, refuse, type Verifier } from './verifier.ts';

type HmacConfig = Extract<VerifierConfig, { type: 'hmac' }>;
type Claims = Extract<HmacClaims, { ok: true }>;

/**
 * An HMAC over the raw body and, depending on the template, a timestamp and an id. Capillary does
 * not sign (docs/platforms/capillary.md#no-signature); this is for gateways in between that do.
 */
export function createHmacVerifier(config: HmacConfig): Verifier {
  const sign = createSigner(config);
  return {
    name: `hmac:${config.header.toLowerCase()}`,
    coversBody: true,
    secrets: [],
    verify(request) {
      const claims = readHmacClaims(request, config);
      if (!claims.ok) {
        return refuse('hmac', claims.problem);
      }
      if (!matchesAny(claims.signature, sign(request.body, claims))) {
        return refuse('hmac', 'bad-signature');
      }
      // After the signature, so that `timestamp-old` in a log means a genuine message that is late
      // or was replayed.
      const tolerance = config.timestamp?.tolerance ?? 0;
      const age =
        claims.sentAt === undefined ? undefined : ageProblem(claims.sentAt, request.receivedAt, tolerance);
      return age === undefined ? PASSED : refuse('hmac', age);
    },
  };
}

/** Returns a function that computes the expected signature for each secret. */
function createSigner(config: HmacConfig): (body: Uint8Array, claims: Claims) => readonly Buffer[] {
  const parts = parseTemplate(config.payload);
  const secrets = usableSecrets(config.secrets);
  const hashOf = (body: Uint8Array): string =>
    createHash(config.algorithm).update(body).digest(config.encoding);
  const bodyHash = hasPlaceholder(parts, 'bodyHash') ? hashOf : () => '';
  return (body, claims) => {
    const values = {
      body,
      bodyHash: bodyHash(body),
      timestamp: claims.timestamp,
      // Node decodes header bytes as Latin-1; this restores the bytes that were signed.
      id: Buffer.from(claims.id, 'latin1'),
    };
    return secrets.map((secret) =>
      finishHmac(updateHmac(createHmac(config.algorithm, secret), parts, values)),
    );
  };
}

/** The headers of a signed request, read but not yet verified; or what is wrong with them. */
export type HmacClaims =
  | {
      readonly ok: true;
      readonly signature: Buffer;
      /** As it was signed; empty if the configuration has no timestamp. */
      readonly timestamp: string;
      /** The timestamp in epoch ms. */
      readonly sentAt?: number;
      /** As it was signed; empty if the configuration has no id. */
      readonly id: string;
    }
  | { readonly ok: false; readonly problem: string };

/** Reads the signature and, if configured, timestamp and id. */
function readHmacClaims(
  request: ReceivedRequest,
  config: Extract<VerifierConfig, { type: 'hmac' }>,
): HmacClaims {
  const header = singleHeader(request, config.header);
  if (!header.ok) {
    return header;
  }
  if (!header.value.startsWith(config.prefix)) {
    return { ok: false, problem: 'bad-prefix' };
  }
  const text = header.value.slice(config.prefix.length);
  const signature = decodeSignature(text, config.encoding, DIGEST_BYTES[config.algorithm]);
  if (signature === undefined) {
    return { ok: false, problem: 'bad-encoding' };
  }
  const timestamp =
    config.timestamp && readTimestamp(request, config.timestamp.header, config.timestamp.unit);
  if (timestamp?.ok === false) {
    return timestamp;
  }
  const id = config.id && singleHeader(request, config.id.header);
  if (id?.ok === false || id?.value === '') {
    return { ok: false, problem: `id-${id.ok ? 'missing' : id.problem}` };
  }
  return {
    ok: true,
    signature,
    timestamp: timestamp?.text ?? '',
    sentAt: timestamp?.sentAt,
    id: id?.value ?? '',
  };
}

const PLACEHOLDERS = ['body', 'timestamp', 'id', 'bodyHash'] as const;

/** Values that a template can contain. */
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** Parts of a template, in order. */
export type TemplatePart = { readonly literal: string } | { readonly placeholder: Placeholder };

/**
 * Splits a template such as `{timestamp}.{body}` into its parts. Unknown words in braces are
 * literals.
 */
export function parseTemplate(template: string): readonly TemplatePart[] {
  return template
    .split(/(\{(?:body|timestamp|id|bodyHash)\})/)
    .filter((piece) => piece !== '')
    .map((piece) => {
      const placeholder = PLACEHOLDERS.find((name) => piece === `{${name}}`);
      return placeholder === undefined ? { literal: piece } : { placeholder };
    });
}

/** Whether the template contains the placeholder. */
export function hasPlaceholder(parts: readonly TemplatePart[], wanted: Placeholder): boolean {
  return parts.some((part) => 'placeholder' in part && part.placeholder === wanted);
}

/** The first unknown word in braces: it is a typing error and must not be signed literally. */
export function unknownPlaceholder(parts: readonly TemplatePart[]): string | undefined {
  return parts
    .map((part) => ('literal' in part ? /\{\s*\w*\s*\}/.exec(part.literal)?.[0] : undefined))
    .find(Boolean);
}

/** Feeds the filled template to an HMAC. The body stays bytes: it may not be valid text. */
function updateHmac(
  hmac: Hmac,
  parts: readonly TemplatePart[],
  values: Readonly<Record<Placeholder, string | Uint8Array>>,
): Hmac {
  for (const part of parts) {
    hmac.update('literal' in part ? part.literal : values[part.placeholder]);
  }
  return hmac;
}
