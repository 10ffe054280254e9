/*
 * The URL of a PostgreSQL database, `postgres://user:password@host:5432,host2/database?sslmode=…`.
 * Several hosts make it no URL of the WHATWG, so it is taken apart by hand.
 */

export interface StoreUrlParts {
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
export function parseStoreUrl(text: string): StoreUrlParts | undefined {
  const found = STORE_URL.exec(text);
  if (found === null) return undefined;
  const [, scheme = '', user, password, hosts = '', database = '', query = ''] = found;
  return { scheme, user, password, hosts, database, query };
}

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'no-verify', 'verify-ca', 'verify-full'];
/** The relay always needs the primary. */
const WRITABLE = ['read-write', 'primary', 'any'];
const PARAMETERS = ['host', 'port', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'target_session_attrs'];

/** Hosts with their ports as they are written; a port is empty if none is. */
export function hostsOfStoreUrl({ hosts, query }: StoreUrlParts): { host: string; port: string }[] {
  const parameters = new URLSearchParams(query);
  const [named, ports] = [parameters.get('host'), parameters.get('port')?.split(',') ?? []];
  const portAt = (index: number): string => (ports.length === 1 ? ports[0] : ports[index]) ?? '';
  if (named !== null) return named.split(',').map((host, index) => ({ host, port: portAt(index) }));
  return hosts.split(',').map((text, index) => {
    const [, six, four, port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(.*))?$/.exec(text) ?? [];
    return { host: six ?? four ?? '', port: port ?? portAt(index) };
  });
}

/** Why no connection can be made by the URL, without user and password; undefined if one can. */
export function storeUrlProblem(text: string): string | undefined {
  const parts = parseStoreUrl(text);
  if (parts === undefined) return 'is not a URL of PostgreSQL';
  const parameters = new URLSearchParams(parts.query);
  const unknown = [...parameters.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined)
    return `has the parameter ${unknown}, which is not supported; these are: ${PARAMETERS.join(', ')}`;
  const wanted = parameters.get('target_session_attrs') ?? 'read-write';
  if (!WRITABLE.includes(wanted)) return `has target_session_attrs=${wanted}, but the relay needs read-write`;
  const mode = parameters.get('sslmode') ?? 'prefer';
  if (!SSL_MODES.includes(mode)) return `has the unknown sslmode ${mode}; these are: ${SSL_MODES.join(', ')}`;
  if (parts.user === undefined || parts.user === '') return 'names no user';
  const hosts = hostsOfStoreUrl(parts);
  if (hosts.some(({ host }) => host === '')) return 'names no host';
  const wrong = hosts.find(({ port }) => port !== '' && !isPort(port));
  return wrong === undefined ? undefined : `has the invalid port ${wrong.port}`;
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
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
