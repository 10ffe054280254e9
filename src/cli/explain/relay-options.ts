import type { AdminOptions } from '../admin-client.ts';
import { toPrintable } from '../table.ts';

/** Quotes a word for a POSIX shell: a path, a customer id or a reason may contain anything. */
export function shellWord(text: string): string {
  return /^[\w.@:+/-]+$/.test(text) ? text : `'${toPrintable(text).replaceAll("'", String.raw`'\''`)}'`;
}

/** The given `--config`, for a suggested command that only reads the configuration. */
export function configOptions({ config }: Pick<AdminOptions, 'config'>): string {
  return config === undefined ? '' : ` --config ${shellWord(config)}`;
}

/** The options that select this relay, for the suggested commands; never the token. */
export function relayOptions({ url, config }: Pick<AdminOptions, 'url' | 'config'>): string {
  return `${url === undefined ? '' : ` --url ${shellWord(url)}`}${configOptions({ config })}`;
}

/** The options of the running command that the suggested ones need as well. */
export type GivenOptions = Pick<AdminOptions, 'url' | 'config'>;

/** Completes a suggested command, so that it reaches the same relay. */
export function relayCommand(given: GivenOptions, args: string): string {
  return `capillary-relay ${args}${relayOptions(given)}`;
}
