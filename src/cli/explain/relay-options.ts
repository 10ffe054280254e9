import type { AdminOptions } from '../admin-client.ts';

/** The options that select this relay, for the suggested commands; never the token. */
export function relayOptions({ url, config }: AdminOptions): string {
  return `${url === undefined ? '' : ` --url ${url}`}${config === undefined ? '' : ` --config ${config}`}`;
}
