import type { Command } from 'commander';
import { CommandError, EXIT } from './command-error.ts';
import { type EventFilterOptions, type FilterKey, filterOf, withFilter } from './event-filter.ts';

/** Options of an action over several entries. */
export interface SelectionOptions extends EventFilterOptions {
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** What an action is done to, as the admin API takes it. */
export type Selection =
  | { readonly receipts: readonly string[] }
  | { readonly filter: Readonly<Record<string, string>>; readonly all?: true };

/** Adds receipts, the filter, and the options that guard against acting on more than was meant. */
export function withSelection(command: Command, keys: readonly FilterKey[]): Command {
  return withFilter(command.argument('[receipts...]', 'these, whatever else there is'), keys)
    .option('--all', 'all of them; needed when neither receipts nor a filter are given')
    .option('--dry-run', 'only say what would be done')
    .option('-y, --yes', 'do not ask; nothing is asked when there is no terminal either');
}

/**
 * Reads what was chosen.
 * @throws CommandError when nothing was chosen, or in two ways at once
 */
export function selectionOf(
  receipts: readonly string[],
  options: SelectionOptions,
  keys: readonly FilterKey[],
): Selection {
  const filter = filterOf(options, keys);
  const ways = [receipts.length > 0, Object.keys(filter).length > 0, options.all === true];
  const [byReceipt, byFilter] = ways;
  const count = ways.filter(Boolean).length;
  if (count === 0)
    throw new CommandError('name receipts or a filter, or say --all to mean everything', EXIT.usage);
  if (count > 1) throw new CommandError('give either receipts, or a filter, or --all', EXIT.usage);
  if (byReceipt === true) return { receipts };
  return byFilter === true ? { filter } : { filter: {}, all: true };
}
