import type { VerifierConfig } from '../config/source.ts';
import { usableSecrets } from './secret-texts.ts';
import { hasPlaceholder, parseTemplate, unknownPlaceholder } from './signed-payload.ts';
import { standardWebhooksKey } from './standard-webhooks.ts';

/**
 * What is wrong with a verifier's configuration beyond the shape of its fields, as a text for the operator that names the field and
 * the cure and holds no secret; undefined when nothing is.
 */
export function checkVerifier(config: VerifierConfig): string | undefined {
  if (config.type === 'none') {
    return undefined;
  }
  if (usableSecrets(secretsOf(config)).length === 0) {
    return 'needs a secret that is not empty; is its environment variable set?';
  }
  if (config.type === 'hmac') {
    return checkPayload(config);
  }
  if (config.type === 'standard-webhooks') {
    return config.secrets.every((secret) => standardWebhooksKey(secret) !== undefined)
      ? undefined
      : 'secrets: what follows whsec_ must be base64; leave whsec_ out for a secret that is plain text';
  }
  return undefined;
}

function checkPayload(config: Extract<VerifierConfig, { type: 'hmac' }>): string | undefined {
  const parts = parseTemplate(config.payload);
  const unknown = unknownPlaceholder(parts);
  if (unknown !== undefined) {
    return `payload: ${unknown} is not known; use {body}, {bodyHash}, {timestamp} or {id}`;
  }
  if (hasPlaceholder(parts, 'timestamp') && config.timestamp === undefined) {
    return 'payload: {timestamp} needs the setting timestamp: { header: … }';
  }
  if (hasPlaceholder(parts, 'id') && config.id === undefined) {
    return 'payload: {id} needs the setting id: { header: … }';
  }
  return undefined;
}

function secretsOf(config: Exclude<VerifierConfig, { type: 'none' }>): readonly string[] {
  if (config.type === 'header') {
    return config.values;
  }
  if (config.type === 'basic') {
    return config.passwords;
  }
  if (config.type === 'bearer') {
    return config.tokens;
  }
  return config.type === 'neo' ? [config.secret] : config.secrets;
}
