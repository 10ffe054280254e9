import { truncateUtf8 } from '../telemetry/truncate.ts';

/**
 * Why no response arrived. All causes are temporary and therefore retried:
 * docs/platforms/adobe.md#retries
 */
export type FailureCode =
  | 'timeout'
  | 'refused'
  | 'reset'
  | 'dns'
  | 'tls'
  | 'network'
  | 'proxy-refused'
  | 'proxy-failing';

export interface Failure {
  readonly code: FailureCode;
  /** The error's code and message, at most 300 bytes; never anything that was sent. */
  readonly detail: string;
}

/** Codes of failures before there was a connection. */
const UNSENT: ReadonlySet<FailureCode> = new Set(['refused', 'dns', 'tls', 'proxy-refused', 'proxy-failing']);

/** Whether nothing of the request can have reached the server, so that it has changed nothing. */
export function isUnsent(code: FailureCode): boolean {
  return UNSENT.has(code);
}

/** A request that never left the relay's network, because of the proxy. */
export class ProxyError extends Error {
  override name = 'ProxyError';
  /**
   * `proxy-refused`: the proxy does not serve the relay until somebody changes something.
   * `proxy-failing`: it cannot be reached, or fails.
   */
  readonly code: 'proxy-refused' | 'proxy-failing';

  /** @param message names the proxy, without user name and password */
  constructor(code: ProxyError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const CODES: Readonly<Record<string, FailureCode>> = {
  ETIMEDOUT: 'timeout',
  ERR_SOCKET_CONNECTION_TIMEOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'reset',
  HPE_INVALID_EOF_STATE: 'reset',
  ENOTFOUND: 'dns',
  ENODATA: 'dns',
  ESERVFAIL: 'dns',
  EPROTO: 'tls',
  HOSTNAME_MISMATCH: 'tls',
  INVALID_CA: 'tls',
  INVALID_PURPOSE: 'tls',
  PATH_LENGTH_EXCEEDED: 'tls',
};

/** Names that OpenSSL and Node give to certificate and handshake errors. */
const TLS = /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|CRL_|ERROR_IN_C|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO_)/;

function codeOf(error: Error): FailureCode | undefined {
  if (error instanceof ProxyError) return error.code;
  if (error.name === 'TimeoutError') return 'timeout';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (TLS.test(code)) return 'tls';
  return code.startsWith('EAI_') ? 'dns' : CODES[code];
}

/** The error, its causes, and aggregated errors (Node tries several addresses of one host). */
function errorChain(error: unknown, depth = 0): Error[] {
  if (!(error instanceof Error) || depth > 5) return [];
  const aggregated: unknown[] = error instanceof AggregateError ? error.errors : [];
  return [error, ...[error.cause, ...aggregated].flatMap((inner) => errorChain(inner, depth + 1))];
}

function describe(error: Error): string {
  if (error instanceof ProxyError) return error.message;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return error.message.includes(code) ? error.message : `${code}: ${error.message}`;
}

/** Classifies an error of Node or undici; an unknown one is `network`. */
export function failureOf(error: unknown): Failure {
  const errors = errorChain(error);
  const code = errors.map(codeOf).find((known) => known !== undefined) ?? 'network';
  const withMessage = errors.find(({ message }) => message !== '');
  const detail = withMessage === undefined ? String(error) : describe(withMessage);
  return { code, detail: truncateUtf8(detail, 300) };
}
