import { parseStoreUrl } from '../../../config/store-url.ts';
import { StoreError } from '../../journal.ts';

/** How TLS is used; the names are those of libpq. */
export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

export interface DatabaseHost {
  /** A folder if it begins with a slash: that of the server's Unix socket. */
  readonly host: string;
  readonly port: number;
}

/** A URL such as `postgres://relay:secret@db1,db2:5433/relay?sslmode=verify-full`. */
export interface DatabaseUrl {
  readonly hosts: readonly DatabaseHost[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly sslMode: SslMode;
  /** Paths of files. `rootCert` can be `system`. */
  readonly rootCert: string | undefined;
  readonly clientCert: string | undefined;
  readonly clientKey: string | undefined;
}

const DEFAULT_PORT = 5432;
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];
/** The relay always needs the primary. */
const WRITABLE = ['read-write', 'primary', 'any'];
const PARAMETERS = new Set([
  'host',
  'port',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'target_session_attrs',
]);

function invalid(message: string): StoreError {
  return new StoreError(`store.url ${message}`, {
    fix: 'write it like postgres://relay:password@db1:5432,db2:5432/relay?sslmode=verify-full',
  });
}

/** A password can stand in the URL as it is; what is not percent-encoded is not decoded. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function portOf(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_PORT;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalid(`has the invalid port ${text}`);
  return port;
}

function hostsOf(authority: string, hosts: string | null, ports: string | null): DatabaseHost[] {
  if (hosts !== null) {
    const list = ports?.split(',') ?? [];
    return hosts.split(',').map((host, index) => ({
      host,
      port: portOf(list.length === 1 ? list[0] : list[index]),
    }));
  }
  return authority.split(',').map((text) => {
    const [, six, four, port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(.*))?$/.exec(text) ?? [];
    const host = decode(six ?? four ?? '');
    if (host === '') throw invalid('names no host');
    return { host, port: portOf(port ?? ports ?? undefined) };
  });
}

function modeOf(parameters: URLSearchParams, hosts: readonly DatabaseHost[]): SslMode {
  // The name that `pg` uses for a connection whose certificate is not verified.
  const mode =
    parameters.get('sslmode') === 'no-verify' ? 'require' : (parameters.get('sslmode') ?? 'prefer');
  if (!SSL_MODES.includes(mode)) throw invalid(`has the unknown sslmode ${mode}`);
  return hosts.every(({ host }) => host.startsWith('/')) ? 'disable' : (mode as SslMode);
}

/** @throws StoreError, which quotes neither user nor password */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  const parts = parseStoreUrl(text);
  if (!parts) throw invalid('is not a URL of PostgreSQL');
  const { user = '', password = '', database } = parts;
  const parameters = new URLSearchParams(parts.query);
  for (const name of parameters.keys())
    if (!PARAMETERS.has(name)) throw invalid(`has the parameter ${name}, which is not supported`);
  const wanted = parameters.get('target_session_attrs') ?? 'read-write';
  if (!WRITABLE.includes(wanted))
    throw invalid(`has target_session_attrs=${wanted}, but the relay needs read-write`);
  if (user === '') throw invalid('names no user');
  const hosts = hostsOf(parts.hosts, parameters.get('host'), parameters.get('port'));
  return {
    hosts,
    user: decode(user),
    password: decode(password),
    database: decode(database) || decode(user),
    sslMode: modeOf(parameters, hosts),
    rootCert: parameters.get('sslrootcert') ?? undefined,
    clientCert: parameters.get('sslcert') ?? undefined,
    clientKey: parameters.get('sslkey') ?? undefined,
  };
}

export function formatHost({ host, port }: DatabaseHost): string {
  return host.startsWith('/')
    ? `${host}/.s.PGSQL.${port}`
    : `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
