import type { Config } from './config-schema.ts';
import { isPersonalKey, isSecretKey, unitsOf } from './field-types.ts';
import { formatQuantity } from './quantities.ts';
import { withoutCredentials } from './store-url.ts';

type Summary =
  | string
  | number
  | boolean
  | undefined
  | readonly Summary[]
  | { readonly [key: string]: Summary };

function countOf(value: unknown): string {
  const count = Array.isArray(value) ? value.length : Number(value !== undefined);
  return count === 1 ? '1 secret' : `${count} secrets`;
}

/** The last characters identify an id. Short ids are not shown at all. */
function shortenId(id: string): string {
  return id.length >= 12 ? `…${id.slice(-4)}` : '…';
}

/** Hides most of the inlet id: anyone with the URL of an unauthenticated inlet can write to it. */
function shortenInletUrl(text: string): string {
  if (!URL.canParse(text)) return text;
  const { origin, pathname } = new URL(text);
  const [, folder = '/', id = ''] = /^(.*\/)([^/]+)\/?$/.exec(pathname) ?? [];
  return `${origin}${folder}${shortenId(id)}`;
}

function withoutQuery(text: string): string {
  if (text.startsWith('postgres')) return withoutCredentials(text);
  if (!URL.canParse(text)) return text;
  const { origin, pathname } = new URL(text);
  return `${origin}${pathname}`;
}

/** A proxy's URL can have a user name and a password. */
function withoutUserInfo(text: string): string {
  return URL.canParse(text) ? new URL(text).origin : text;
}

function describeCertificates(text: string): string {
  const count = text.split('-----BEGIN CERTIFICATE-----').length - 1;
  return count === 1 ? '1 certificate' : `${count} certificates`;
}

const SHORTENED: Readonly<Record<string, (text: string) => string>> = {
  clientId: shortenId,
  inletUrl: shortenInletUrl,
  url: withoutQuery,
  proxy: withoutUserInfo,
  ca: describeCertificates,
};

/** One value of the configuration as in the summary; `key` decides how it is shown. */
export function summarizeKey(key: string, value: unknown): Summary {
  if (isSecretKey(key)) return countOf(value);
  if (isPersonalKey(key) && Array.isArray(value))
    return value.length === 1 ? '1 contact' : `${value.length} contacts`;
  const units = unitsOf(key);
  if (typeof value === 'number' && units !== undefined) return formatQuantity(value, units);
  if (typeof value === 'string') return SHORTENED[key]?.(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => summarizeKey('', item));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, summarizeKey(name, item)]));
  return value as Summary;
}

/**
 * The configuration for the startup log and for `check`: durations and sizes as the file has them,
 * and the number of secrets and contacts instead of their values.
 */
export function summarize(config: Config): Summary {
  return summarizeKey('', config);
}
