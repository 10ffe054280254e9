import { createHash, createHmac, randomUUID } from 'node:crypto';
import type { VerifierConfig } from '../../config/config-schema.ts';

type Verifier<Type extends VerifierConfig['type']> = Extract<VerifierConfig, { type: Type }>;

/** What a signature is made from. */
interface Signed {
  readonly body: Buffer;
  /** Epoch ms. */
  readonly now: number;
  /** Of the message, for the schemes that sign one. */
  readonly id: string;
}

type Headers = Record<string, string>;

/** The first secret: the one a sender would have been given last. */
function first(secrets: readonly string[]): string {
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
  const digest = createHmac(config.algorithm, first(config.secrets));
  // The odd parts are the names inside the braces; the body goes in as bytes.
  for (const [index, part] of config.payload.split(/\{(body|bodyHash|timestamp|id)\}/).entries()) {
    digest.update(index % 2 === 1 ? (values[part] ?? '') : part);
  }
  return {
    [config.header]: config.prefix + digest.digest(config.encoding),
    ...(timestamp ? { [timestamp.header]: sentAt } : {}),
    ...(config.id ? { [config.id.header]: id } : {}),
  };
}

/** https://github.com/standard-webhooks/standard-webhooks: the key is what base64 hides behind `whsec_`. */
function standardWebhooks(config: Verifier<'standard-webhooks'>, { body, now, id }: Signed): Headers {
  const secret = first(config.secrets);
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
  const sentAt = inSeconds(now);
  const signature = createHmac('sha256', key).update(`${id}.${sentAt}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': sentAt, 'webhook-signature': `v1,${signature}` };
}

/** The HMAC recipe of Capillary's Neo (reference: capillary.md §1.4). */
function neo(config: Verifier<'neo'>, { body, now }: Signed): Headers {
  const sentAt = String(now);
  const bodyHash = createHash(config.algorithm).update(body).digest('base64');
  const signature = createHmac(config.algorithm, config.secret)
    .update(`${config.apiKey}:${sentAt}:${bodyHash}`)
    .digest('base64');
  return { [config.signatureHeader]: signature, [config.timestampHeader]: sentAt };
}

/**
 * The headers by which a sender set up for this verifier proves itself. Written from the schemes themselves and not from the
 * code that checks them, so that a mistake there shows.
 *
 * @param now epoch ms
 * @param id of the message; by default a new one
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
      return { [config.name]: first(config.values) };
    case 'basic': {
      const pair = Buffer.from(`${config.username}:${first(config.passwords)}`);
      return { authorization: `Basic ${pair.toString('base64')}` };
    }
    case 'bearer':
      return { authorization: `Bearer ${first(config.tokens)}` };
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
