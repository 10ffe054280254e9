import { createHash, createHmac, randomUUID } from 'node:crypto';
import type { VerifierConfig } from '../../config/config-schema.ts';

type Verifier<Type extends VerifierConfig['type']> = Extract<VerifierConfig, { type: Type }>;

interface Signed {
  readonly body: Buffer;
  /** Epoch ms. */
  readonly now: number;
  /** Id of the message, for the schemes that sign one. */
  readonly id: string;
}

type Headers = Record<string, string>;

/** The first secret is the one that the sender has to use. */
function firstSecret(secrets: readonly string[]): string {
  const [secret] = secrets;
  if (secret === undefined) throw new Error('the verifier has no secret to sign with');
  return secret;
}

function inSeconds(ms: number): string {
  return String(Math.floor(ms / 1_000));
}

function hmac(config: Verifier<'hmac'>, { body, now, id }: Signed): Headers {
  const { timestamp } = config;
  const sentAt = timestamp?.unit === 'ms' ? String(now) : inSeconds(now);
  const values: Readonly<Record<string, string | Buffer>> = {
    body,
    bodyHash: createHash(config.algorithm).update(body).digest(config.encoding),
    timestamp: timestamp ? sentAt : '',
    id: config.id ? id : '',
  };
  const digest = createHmac(config.algorithm, firstSecret(config.secrets));
  // The parts at odd positions are the names in braces. The body is signed as bytes.
  for (const [index, part] of config.payload.split(/\{(body|bodyHash|timestamp|id)\}/).entries()) {
    digest.update(index % 2 === 1 ? (values[part] ?? '') : part);
  }
  return {
    [config.header]: config.prefix + digest.digest(config.encoding),
    ...(timestamp ? { [timestamp.header]: sentAt } : {}),
    ...(config.id ? { [config.id.header]: id } : {}),
  };
}

/** https://github.com/standard-webhooks/standard-webhooks: the key is base64 after `whsec_`. */
function standardWebhooks(config: Verifier<'standard-webhooks'>, { body, now, id }: Signed): Headers {
  const secret = firstSecret(config.secrets);
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
  const sentAt = inSeconds(now);
  const signature = createHmac('sha256', key).update(`${id}.${sentAt}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': sentAt, 'webhook-signature': `v1,${signature}` };
}

/** The signature of Capillary's Neo (docs/platforms/capillary.md#neo-signature). */
function neo(config: Verifier<'neo'>, { body, now }: Signed): Headers {
  const sentAt = String(now);
  const bodyHash = createHash(config.algorithm).update(body).digest('base64');
  const signature = createHmac(config.algorithm, config.secret)
    .update(`${config.apiKey}:${sentAt}:${bodyHash}`)
    .digest('base64');
  return { [config.signatureHeader]: signature, [config.timestampHeader]: sentAt };
}

/**
 * The headers of a sender that authenticates for this verifier. Implements the schemes
 * independently of the verifiers, so that tests detect a mistake in either.
 *
 * @param now epoch ms
 * @param id id of the message; by default a new one
 */
export function signRequest(
  config: VerifierConfig,
  body: string | Buffer,
  now: number,
  id: string = randomUUID(),
): Headers {
  const signed: Signed = { body: Buffer.from(body), now, id };
  switch (config.type) {
    case 'header':
      return { [config.name]: firstSecret(config.values) };
    case 'basic': {
      const pair = Buffer.from(`${config.username}:${firstSecret(config.passwords)}`);
      return { authorization: `Basic ${pair.toString('base64')}` };
    }
    case 'bearer':
      return { authorization: `Bearer ${firstSecret(config.tokens)}` };
    case 'hmac':
      return hmac(config, signed);
    case 'standard-webhooks':
      return standardWebhooks(config, signed);
    case 'neo':
      return neo(config, signed);
    case 'none':
      return {};
  }
}
