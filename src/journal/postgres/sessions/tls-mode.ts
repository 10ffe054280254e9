import { readFileSync } from 'node:fs';
import { type ConnectionOptions, getCACertificates } from 'node:tls';
import { StoreError } from '../../journal.ts';
import type { DatabaseUrl } from './database-url.ts';

function fileOf(path: string, parameter: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new StoreError(`${parameter} of store.url: ${(error as Error).message}`, {
      cause: error,
      fix: 'mount the file there, readable for the user of the relay',
    });
  }
}

/** The name in the certificate does not matter. */
function acceptName(): undefined {
  return undefined;
}

/**
 * The attempts of a connection: with TLS by these options, without it if false. `prefer` and
 * `require` encrypt but verify nothing, as with libpq, unless `require` has a `sslrootcert`.
 * @param ca `egress.ca`: certificates (PEM) that are trusted in addition to Node's, unless the URL
 *   has a `sslrootcert` of its own
 */
export function tlsAttempts(
  url: DatabaseUrl,
  ca: string | undefined,
): readonly (ConnectionOptions | false)[] {
  if (url.sslMode === 'disable') return [false];
  const own: ConnectionOptions = {
    ...(url.clientCert === undefined ? {} : { cert: fileOf(url.clientCert, 'sslcert') }),
    ...(url.clientKey === undefined ? {} : { key: fileOf(url.clientKey, 'sslkey') }),
  };
  const rootCert = url.rootCert === 'system' ? undefined : url.rootCert;
  const isVerified =
    url.sslMode.startsWith('verify') || (url.sslMode === 'require' && url.rootCert !== undefined);
  if (!isVerified) {
    const unverified = { ...own, rejectUnauthorized: false };
    if (url.sslMode === 'require') return [unverified];
    return url.sslMode === 'allow' ? [false, unverified] : [unverified, false];
  }
  const trusted =
    rootCert === undefined ? ca && [...getCACertificates('default'), ca] : [fileOf(rootCert, 'sslrootcert')];
  return [
    {
      ...own,
      rejectUnauthorized: true,
      // Without it Node uses its own, which it keeps in memory.
      ...(trusted ? { ca: trusted } : {}),
      ...(url.sslMode === 'verify-full' ? {} : { checkServerIdentity: acceptName }),
    },
  ];
}

const CA_FIX =
  'append &sslrootcert=/path/ca.pem to store.url, with the CA of the server, or add the CA to egress.ca';

const FIXES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: CA_FIX,
  SELF_SIGNED_CERT_IN_CHAIN: CA_FIX,
  UNABLE_TO_GET_ISSUER_CERT: CA_FIX,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: CA_FIX,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CA_FIX,
  ERR_TLS_CERT_ALTNAME_INVALID: 'connect by a name of the certificate, or have it issued for this name',
  CERT_HAS_EXPIRED: 'renew the certificate of the server',
};

/** The text of a failure of TLS that waiting does not fix. */
export function tlsFailure(error: Error): StoreError | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const fix = FIXES[code];
  if (fix !== undefined)
    return new StoreError(`the certificate of the database is refused: ${error.message}`, {
      cause: error,
      fix,
    });
  if (!isTlsRefusal(error)) return undefined;
  return new StoreError('the database does not offer TLS, which sslmode of store.url demands', {
    cause: error,
    fix: 'switch on ssl in postgresql.conf (or client_tls_sslmode of PgBouncer)',
  });
}

/** Whether the server has said that it does not speak TLS. */
export function isTlsRefusal(error: unknown): boolean {
  return error instanceof Error && error.message.includes('does not support SSL');
}
