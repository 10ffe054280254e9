import { z } from 'zod';

/** A name that can stand in a URL, a metric label and a log line. */
export function slug() {
  return z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, {
    error: 'must be lower-case letters, digits, - or _, beginning with a letter or digit, 63 at most',
  });
}

/** A text that counts as absent when it is empty, so that `${NAME:-}` can leave it out. */
export function optionalText(pattern: RegExp, error: string) {
  return z
    .string()
    .regex(new RegExp(`^(?:${pattern.source})?$`), { error })
    .transform((text) => (text === '' ? undefined : text))
    .optional();
}

function isBareUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password, hash } = new URL(text);
  return username === '' && password === '' && hash === '';
}

/** An absolute http(s) URL. One with a user name or password is refused: it would show up in logs. */
export function httpUrl(example: string) {
  return z
    .string()
    .regex(/^https?:\/\//, { error: `must be an http(s) URL such as ${example}`, abort: true })
    .refine(isBareUrl, { error: `must be a URL without a password or a fragment, such as ${example}` });
}
