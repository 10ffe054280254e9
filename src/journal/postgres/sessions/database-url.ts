import { hostsOfStoreUrl, parseStoreUrl, storeUrlProblem } from '../../../config/store-url.ts';
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

/** @throws StoreError, which quotes neither user nor password */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  const problem = storeUrlProblem(text);
  const parts = parseStoreUrl(text);
  if (problem !== undefined || parts === undefined) throw invalid(problem ?? '');
  const { user = '', password = '', database } = parts;
  const parameters = new URLSearchParams(parts.query);
  const hosts = hostsOfStoreUrl(parts).map(({ host, port }) => ({
    host: decode(host),
    port: port === '' ? DEFAULT_PORT : Number(port),
  }));
  // `no-verify`: the name that `pg` uses for a connection whose certificate is not verified.
  const mode = parameters.get('sslmode') ?? 'prefer';
  const isSocket = hosts.every(({ host }) => host.startsWith('/'));
  return {
    hosts,
    user: decode(user),
    password: decode(password),
    database: decode(database) || decode(user),
    sslMode: isSocket ? 'disable' : mode === 'no-verify' ? 'require' : (mode as SslMode),
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
