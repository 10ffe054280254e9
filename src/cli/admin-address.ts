import { isIP } from 'node:net';
import type { AdminSection } from '../config/admin-section.ts';
import { isLoopback } from '../config/address-checks.ts';
import { formatPlace } from '../config/config-error.ts';
import { findConfig } from './command-config.ts';
import { CommandError, EXIT } from './command-error.ts';
import { toPrintable } from './table.ts';

/** Address of the admin API of a relay, and its bearer token. */
export interface AdminAddress {
  /** Base URL without a trailing slash. */
  readonly url: string;
  readonly token?: string;
  /** Where the token comes from, for messages. */
  readonly tokenFrom?: string;
  /** Configuration whose token is not sent, because `--url` is another address than its own. */
  readonly withheldFrom?: string;
}

/** Options that select a relay. */
export interface AddressOptions {
  readonly url?: string;
  /** `--token` or RELAY_ADMIN_TOKEN; an empty one counts as none. */
  readonly token?: string;
  /** `--config`, if it was given. */
  readonly config?: string;
}

/** Address of a relay with the default configuration. */
export const DEFAULT_ADMIN_URL = 'http://127.0.0.1:8081';

const ANY_HOSTS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Host to connect to for a server that listens on `host`. */
function connectableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  const address = host === '::' ? '::1' : host;
  return isIP(address) === 6 ? `[${address}]` : address;
}

/** Undefined without a port of its own, and for a host that no URL can contain (`fe80::1%eth0`). */
function urlOf({ host, port }: AdminSection): string | undefined {
  const url = `http://${connectableHost(host)}:${port}`;
  return port !== 0 && URL.canParse(url) ? url : undefined;
}

/** Whether a URL is the address that this configuration makes the relay listen on. */
function isAddressOf(url: string, section: AdminSection): boolean {
  const own = urlOf(section);
  if (own === undefined) return false;
  const [given, configured] = [new URL(url), new URL(own)];
  if (given.origin === configured.origin) return true;
  const isLocal = ANY_HOSTS.has(section.host) || isLoopback(configured.hostname);
  return (
    isLocal &&
    isLoopback(given.hostname) &&
    given.protocol === 'http:' &&
    (given.port || '80') === (configured.port || '80')
  );
}

/**
 * The `admin` of the configuration. Notes a problem of the rest of the file on standard error.
 * @returns undefined if a file that the options do not name cannot be read and `isOptional`
 */
async function readSection(file: string, isOptional: boolean): Promise<AdminSection | undefined> {
  const { loadAdminSection, isReadable } = await import('../config/admin-section.ts');
  if (isOptional && !isReadable(file)) {
    console.error(`note: the configuration ${file} cannot be read, so no token from it is sent`);
    return undefined;
  }
  const section = loadAdminSection(file, process.env);
  const { problem } = section;
  if (problem !== undefined)
    console.error(
      toPrintable(
        `note: ${formatPlace(problem, file)}: ${problem.message}; fix: ${problem.fix}. Of this file only admin is used here`,
      ),
    );
  return section;
}

function validateUrl(url: string): string {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new CommandError(`--url must be an http(s) URL such as ${DEFAULT_ADMIN_URL}`, EXIT.usage);
  return url.replace(/\/+$/, '');
}

/**
 * Address and token from the options, else from the configuration (`--config`, RELAY_CONFIG, or
 * relay.yaml), else the default. The configuration is not read if the options say both. Its token
 * is sent to the URL of `--url` only if that is its own address or `--config` was given as well.
 * @throws ConfigError if the configuration is needed and cannot be read
 */
export async function adminAddress(options: AddressOptions): Promise<AdminAddress> {
  const given = options.url === undefined ? undefined : validateUrl(options.url);
  const token = options.token
    ? { token: options.token, tokenFrom: '--token or RELAY_ADMIN_TOKEN' }
    : undefined;
  const file = findConfig(options.config);
  if (file === undefined || (given !== undefined && token !== undefined))
    return { url: given ?? DEFAULT_ADMIN_URL, ...token };

  const isOptional = given !== undefined && options.config === undefined;
  const section = await readSection(file, isOptional);
  if (section === undefined) return { url: given ?? DEFAULT_ADMIN_URL };
  const url = given ?? urlOf(section);
  if (url === undefined)
    throw new CommandError(
      section.port === 0
        ? 'admin.port is 0, so the port is unknown: pass --url'
        : `admin.host is ${JSON.stringify(section.host)}, which cannot be part of a URL: pass --url`,
      EXIT.usage,
    );
  if (token !== undefined) return { url, ...token };
  if (options.config === undefined && !isAddressOf(url, section)) return { url, withheldFrom: file };
  const configured = section.token();
  return configured === undefined ? { url } : { url, token: configured, tokenFrom: `admin.token of ${file}` };
}
