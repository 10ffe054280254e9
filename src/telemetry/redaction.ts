const REDACTED = '[redacted]';

/** Keys whose value may be a secret or a payload; case, `-` and `_` are ignored. */
const SENSITIVE_KEYS: ReadonlySet<string> = new Set([
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'xapikey',
  'apikey',
  'token',
  'tokens',
  'accesstoken',
  'secret',
  'secrets',
  'clientsecret',
  'clientsecrets',
  'password',
  'passwords',
  'values',
  'encryptionkeys',
  'signature',
  'headers',
  'rawheaders',
  'body',
  'rawbody',
  'payload',
]);

/** Secrets inside a text, such as an error message: pattern and replacement. */
const SECRET_PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, REDACTED],
  [/\bwhsec_[\w+/=-]+/g, REDACTED],
  [/\b(client_secret|access_token|refresh_token|password|token)=[^&\s"']+/gi, `$1=${REDACTED}`],
  [/:\/\/[^\s/@"]+@/g, `://${REDACTED}@`],
];

/** Replaces what looks like a secret. */
function withoutSecrets(text: string): string {
  return SECRET_PATTERNS.reduce(
    (result, [pattern, replacement]) => result.replace(pattern, replacement),
    text,
  );
}

/** The summary of the configuration shows a count (`2 secrets`) in place of secrets. */
function isCount(value: unknown): boolean {
  return typeof value === 'string' && /^\d+ secrets?$/.test(value);
}

function isHarmless(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean' || value === null || isCount(value);
}

function redact(key: string, value: unknown): unknown {
  if (SENSITIVE_KEYS.has(key.toLowerCase().replaceAll(/[-_]/g, '')) && !isHarmless(value)) return REDACTED;
  return typeof value === 'string' ? withoutSecrets(value) : value;
}

const SUSPECT = new RegExp(
  [
    // Keys as JSON writes them, with `-` or `_` anywhere inside.
    `"(?:${[...SENSITIVE_KEYS].map((key) => key.split('').join('[-_]?')).join('|')})":`,
    ...SECRET_PATTERNS.map(([{ source }]) => source),
  ].join('|'),
  'i',
);

/**
 * A log line without secrets. Only a line that may contain one is parsed; others cost one search.
 */
export function redactLine(line: string): string {
  return SUSPECT.test(line) ? `${JSON.stringify(JSON.parse(line, redact))}\n` : line;
}

/** Digits and separators, as in phone and card numbers. */
const NUMBER_LIKE = /^[\d+. ()-]*$/;

/**
 * An external id or name if it looks like one, else undefined: an address, a number or a sentence
 * could be personal data, and the receipt identifies the event anyway.
 */
export function loggable(text: string | undefined): string | undefined {
  return text !== undefined && /^[\w.:-]{1,100}$/.test(text) && !NUMBER_LIKE.test(text) ? text : undefined;
}
