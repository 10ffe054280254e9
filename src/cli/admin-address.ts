import { type Command, Option } from 'commander';
import { CommandError, EXIT } from './command-error.ts';
import { optionalConfigOption } from './config-option.ts';

/** Where the admin API of a relay is, and what opens it. */
export interface AdminAddress {
  /** Base URL without a slash at its end. */
  readonly url: string;
  readonly token?: string;
}

/** Options that every command of the admin API has. */
export interface AdminOptions {
  readonly url?: string;
  readonly token?: string;
  readonly config?: string;
  readonly json?: boolean;
}

const DEFAULT_URL = 'http://127.0.0.1:8081';

/** Adds the options by which a command finds the relay that it speaks to. */
export function withAdminOptions(command: Command): Command {
  return command
    .option('--url <url>', `admin port of the relay (default: ${DEFAULT_URL})`)
    .addOption(
      new Option(
        '--token <token>',
        'bearer token of the admin API; better in the environment, where nobody sees it',
      ).env('RELAY_ADMIN_TOKEN'),
    )
    .addOption(optionalConfigOption('take the address and the token from this configuration'))
    .option('--json', 'print the JSON of the admin API');
}

/** Where a client finds a server that listens on all addresses. */
function dialable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  const address = host === '::' ? '::1' : host;
  return address.includes(':') ? `[${address}]` : address;
}

async function fromConfig(file: string): Promise<AdminAddress> {
  const { loadConfig } = await import('../config/load.ts');
  const { host, port, token } = loadConfig(file, process.env).config.admin;
  if (port === 0) throw new CommandError('admin.port is 0, so it is unknown here: give --url', EXIT.usage);
  return { url: `http://${dialable(host)}:${port}`, ...(token === undefined ? {} : { token }) };
}

function checked(url: string): string {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new CommandError(`--url must be an http(s) URL such as ${DEFAULT_URL}`, EXIT.usage);
  return url.replace(/\/+$/, '');
}

/** Address from the options, then the configuration, then the defaults. */
export async function adminAddress(options: AdminOptions): Promise<AdminAddress> {
  const configured: AdminAddress =
    options.config === undefined ? { url: DEFAULT_URL } : await fromConfig(options.config);
  // An empty variable is no token.
  const token = options.token || configured.token;
  const url = options.url === undefined ? configured.url : checked(options.url);
  return { url, ...(token === undefined ? {} : { token }) };
}
