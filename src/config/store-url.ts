/*
 * The URL of a PostgreSQL database, `postgres://user:password@host:5432,host2/database?sslmode=…`.
 * Several hosts make it no URL of the WHATWG, so it is taken apart by hand.
 */

interface UrlParts {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Hosts with their ports, separated by commas. */
  readonly hosts: string;
  readonly database: string;
  readonly query: string;
}

// The last @ before the path ends the credentials, because a password may contain others.
const STORE_URL =
  /^(postgres(?:ql)?):\/\/(?:([^:/?#]*)(?::([^/?#]*))?@)?([^/?#@]*)\/([^/?#]*)(?:\?([^#]*))?$/;

/** Undefined if the text is no URL of a PostgreSQL database. */
export function parseStoreUrl(text: string): UrlParts | undefined {
  const found = STORE_URL.exec(text);
  if (found === null) return undefined;
  const [, scheme = '', user, password, hosts = '', database = '', query = ''] = found;
  return { scheme, user, password, hosts, database, query };
}

/** How the URL is shown: without the password, and with the mode of TLS as the only parameter. */
export function withoutCredentials(text: string): string {
  const parts = parseStoreUrl(text);
  if (parts === undefined) return '…';
  const { scheme, user, hosts, database, query } = parts;
  const mode = new URLSearchParams(query).get('sslmode');
  const account = user === undefined || user === '' ? '' : `${user}@`;
  return `${scheme}://${account}${hosts}/${database}${mode === null ? '' : `?sslmode=${mode}`}`;
}

/** Whether the two differ in user and password only. */
export function isSameDatabase(a?: string, b?: string): boolean {
  const [first, second] = [a, b].map((text = '') => parseStoreUrl(text));
  if (first === undefined || second === undefined) return a === b;
  const same = ['hosts', 'database', 'query'] as const;
  return same.every((part) => first[part] === second[part]);
}
