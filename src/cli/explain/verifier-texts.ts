/** What a verifier checks, by its type: `header` in `header:x-relay-key`. */
const VERIFIERS: Readonly<Record<string, string>> = {
  header: 'secret',
  bearer: 'bearer token',
  basic: 'user name and password',
  hmac: 'signature over the body',
  neo: 'signature of a Neo dataflow',
  'standard-webhooks': 'signature over id, time and body',
  reconcile: "taken from Capillary's log, because the webhook did not arrive",
  none: 'not verified: the source accepts every request',
};

/** The key of the secret, by the type of the verifier. */
const SECRET_KEYS: Readonly<Record<string, string>> = {
  header: 'values',
  bearer: 'tokens',
  basic: 'passwords',
  hmac: 'secrets',
  neo: 'secret',
  'standard-webhooks': 'secrets',
};

/** The key of the header with the credential, where it is configured. */
const HEADER_KEYS: Readonly<Record<string, string>> = {
  header: 'name',
  hmac: 'header',
  neo: 'signatureHeader',
};

/** `header:x-relay-key` → `secret in the header x-relay-key`. */
export function describeVerifier(name: string): string {
  const [type = '', header] = name.split(':');
  const meaning = VERIFIERS[type];
  if (meaning === undefined) return name;
  return header === undefined ? meaning : `${meaning} in the header ${header}`;
}

/** What a verifier found, by the last part of its code: `mismatch` in `header:mismatch`. */
export const MEANINGS: Readonly<Record<string, string>> = {
  missing: 'the header with the credential is missing',
  doubled: 'the header with the credential was sent twice, so it is ignored',
  mismatch: 'the credential is none of the configured values',
  'wrong-scheme': 'the Authorization header has another scheme',
  'bad-prefix': 'the signature does not begin with the configured prefix',
  'bad-encoding': 'the credential is not encoded as it should be',
  'bad-signature': 'no configured secret gives this signature for this body',
  'timestamp-missing': 'the header with the time of signing is missing',
  'timestamp-doubled': 'the header with the time of signing was sent twice',
  'timestamp-malformed': 'the time of signing is not a number',
  'timestamp-old': 'it was signed too long before it arrived',
  'timestamp-new': 'it was signed in the future: compare the clocks',
  'id-missing': 'the header with the id is missing',
  'id-doubled': 'the header with the id was sent twice',
  'ip-not-allowed': 'the address of the sender is not in allowFrom of the source',
};

/**
 * The key to change so that a request passes that a verifier refused, and how.
 * @param verifier its place in `verify` and its name such as `header:x-relay-key`
 */
export function fixOf(
  code: string,
  source: string,
  verifier: { readonly place: number; readonly name: string } | undefined,
): string | undefined {
  if (code === 'ip-not-allowed') return `sources[${source}].allowFrom: add the address of the sender`;
  if (verifier === undefined) return undefined;
  const [type = ''] = verifier.name.split(':');
  const path = `sources[${source}].verify[${verifier.place}]`;
  const problem = code.split(':').at(-1) ?? '';
  const [secretKey, headerKey] = [SECRET_KEYS[type], HEADER_KEYS[type]];
  if (problem.startsWith('timestamp-') || problem.startsWith('id-'))
    return `${path}: compare its headers, its tolerance and the clocks with the sender's`;
  if ((problem === 'missing' || problem === 'doubled') && headerKey !== undefined)
    return `${path}.${headerKey}: compare it with the headers that came`;
  if (problem === 'mismatch' || problem === 'bad-signature') {
    const how = type === 'neo' ? 'write the secret' : 'add the secret, next to the old one,';
    return secretKey && `${path}.${secretKey}: ${how} that the sender uses now`;
  }
  return `${path}: compare it with how the sender is configured`;
}
