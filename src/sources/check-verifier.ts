import type { Finding } from '../config/config-error.ts';
import type { SourceDraft } from '../config/draft.ts';
import type { VerifierConfig } from '../config/source-config.ts';
import { usableSecrets } from './secret-matching.ts';
import { hasPlaceholder, parseTemplate, unknownPlaceholder } from './hmac.ts';
import { standardWebhooksKey } from './standard-webhooks.ts';

/**
 * Checks a verifier's configuration beyond the types of its fields.
 * @returns the problem and its fix, without any secret; undefined if there is none
 */
export function checkVerifier(config: VerifierConfig): string | undefined {
  const finding = findProblem(config);
  return finding && `${finding.path.map((field) => `${field}: `).join('')}${finding.message}; ${finding.fix}`;
}

/** The problems of all verifiers of a source, as a `SourceCheck` of the configuration. */
export function checkVerifiers({ verify = [] }: SourceDraft): readonly Finding[] {
  return verify.flatMap((verifier, index) => {
    const finding = findProblem(verifier);
    return finding === undefined ? [] : [{ ...finding, path: ['verify', index, ...finding.path] }];
  });
}

/** The path of the finding is relative to the verifier. */
function findProblem(config: VerifierConfig): Finding | undefined {
  if (config.type === 'none') {
    return undefined;
  }
  if (usableSecrets(secretsOf(config)).length === 0) {
    return { path: [], message: 'needs a non-empty secret', fix: 'is its environment variable set?' };
  }
  if (config.type === 'hmac') {
    return findTemplateProblem(config);
  }
  if (config.type === 'standard-webhooks') {
    return config.secrets.every((secret) => standardWebhooksKey(secret) !== undefined)
      ? undefined
      : {
          path: ['secrets'],
          message: 'the part after whsec_ must be base64',
          fix: 'omit whsec_ for a plain-text secret',
        };
  }
  return undefined;
}

function findTemplateProblem(config: Extract<VerifierConfig, { type: 'hmac' }>): Finding | undefined {
  const path = ['payload'];
  const parts = parseTemplate(config.payload);
  const unknown = unknownPlaceholder(parts);
  if (unknown !== undefined) {
    return {
      path,
      message: `${unknown} is not a placeholder`,
      fix: 'use {body}, {bodyHash}, {timestamp} or {id}',
    };
  }
  const missing = (['timestamp', 'id'] as const).find(
    (name) => hasPlaceholder(parts, name) && config[name] === undefined,
  );
  return (
    missing && {
      path,
      message: `{${missing}} requires the setting ${missing}: { header: … }`,
      fix: `add it to this verifier, or remove {${missing}}`,
    }
  );
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
