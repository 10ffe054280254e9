const REDACTED = '[redacted]';

/** Keys under which a log line may hold a secret or a payload; letter case, `-` and `_` do not count. */
const KEYS: ReadonlySet<string> = new Set([
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

/** Secrets inside a text, such as an error message: [what it looks like, what is put there]. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, REDACTED],
  [/\bwhsec_[\w+/=-]+/g, REDACTED],
  [/\b(client_secret|access_token|refresh_token|password|token)=[^&\s"']+/gi, `$1=${REDACTED}`],
  [/:\/\/[^\s/@"]+@/g, `://${REDACTED}@`],
];

/** Takes out what looks like a secret. */
export function withoutSecrets(text: string): string {
  return TEXTS.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}

/** A count, as the summary of the configuration has it in place of secrets. */
function isCount(value: unknown): boolean {
  return typeof value === 'string' && /^\d+ secrets?$/.test(value);
}

function isKept(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean' || value === null || isCount(value);
}

function redact(key: string, value: unknown): unknown {
  if (KEYS.has(key.toLowerCase().replaceAll(/[-_]/g, '')) && !isKept(value)) return REDACTED;
  return typeof value === 'string' ? withoutSecrets(value) : value;
}

const SUSPECT = new RegExp(
  [
    // Keys as they stand in JSON; `-` and `_` may stand anywhere in them.
    `"(?:${[...KEYS].map((key) => key.split('').join('[-_]?')).join('|')})":`,
    ...TEXTS.map(([{ source }]) => source),
  ].join('|'),
  'i',
);

/** A log line without secrets. Only a line that may hold one is taken apart, so the others cost one search. */
export function redactLine(line: string): string {
  return SUSPECT.test(line) ? `${JSON.stringify(JSON.parse(line, redact))}\n` : line;
}
