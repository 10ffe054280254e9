import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { CountsAnswer } from './admin-answers.ts';
import { type AdminClient, adminClient, type AdminOptions, printJson } from './admin-client.ts';
import { CommandError, EXIT } from './command-error.ts';
import { type EventFilterOptions, type FilterKey, filterOf, withFilterOptions } from './command-options.ts';

/** Options of an action on several entries. */
export interface SelectionOptions extends EventFilterOptions {
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** The entries that an action applies to, as the admin API expects them. */
export type Selection =
  | { readonly receipts: readonly string[] }
  | { readonly filter: Readonly<Record<string, string>>; readonly all?: true };

/** Adds receipts, the filter, and the options that guard against selecting too much. */
export function withSelectionOptions(command: Command, keys: readonly FilterKey[]): Command {
  return withFilterOptions(command.argument('[receipts...]', 'only these receipts'), keys)
    .option('--all', 'select everything; required without receipts and filters')
    .option('--dry-run', 'only show what would be done')
    .option('-y, --yes', 'do not ask for confirmation (asked on a terminal only)');
}

/**
 * The selection among the arguments of a command.
 * @throws CommandError unless exactly one of receipts, filter and --all is given
 */
export function selectionOf(
  receipts: readonly string[],
  options: SelectionOptions,
  keys: readonly FilterKey[],
): Selection {
  const filter = filterOf(options, keys);
  const hasFilter = Object.keys(filter).length > 0;
  const given = [receipts.length > 0, hasFilter, options.all === true].filter(Boolean).length;
  if (given === 0)
    throw new CommandError('specify receipts or a filter, or pass --all to select everything', EXIT.usage);
  if (given > 1) throw new CommandError('specify either receipts, a filter or --all', EXIT.usage);
  if (receipts.length > 0) return { receipts };
  return hasFilter ? { filter } : { filter: {}, all: true };
}

function isInteractive(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

/** Asks on the terminal; any answer except yes counts as no. */
async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** An action of the admin API on a selection. */
export interface BulkAction {
  /** Below /admin/v1, e.g. `/dead-letters/replay`. */
  readonly path: string;
  /** Words of the confirmation prompt, e.g. `Discard` and `dead letters`. */
  readonly verb: string;
  readonly objects: string;
  /** Count in the answer that must reach `matched` for success, e.g. `replayed`. */
  readonly doneCount: string;
  /** Counts that are added to it: entries that were processed in another way. */
  readonly alsoDoneCounts?: readonly string[];
  readonly keys: readonly FilterKey[];
}

/** `stillMalformed` → `still malformed`. */
function wordsOf(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function formatCounts(counts: CountsAnswer): string {
  return Object.entries(counts)
    .map(([key, count]) => `${wordsOf(key)} ${count}`)
    .join(', ');
}

async function isConfirmed(client: AdminClient, action: BulkAction, body: object): Promise<boolean> {
  const { matched = 0 } = await client.post<CountsAnswer>(action.path, { ...body, dryRun: true });
  return matched === 0 || confirm(`${action.verb} ${matched} ${action.objects}?`);
}

/** True when every match was processed, and every given receipt matched. */
function isComplete(action: BulkAction, counts: CountsAnswer, receipts: readonly string[]): boolean {
  const { matched = 0 } = counts;
  const { doneCount, alsoDoneCounts = [] } = action;
  const done = [doneCount, ...alsoDoneCounts].reduce((sum, key) => sum + (counts[key] ?? 0), 0);
  return done >= matched && matched >= new Set(receipts).size;
}

/**
 * Runs the action and prints its counts. On a terminal it asks for confirmation first, unless the
 * receipts are given one by one.
 * @param extra fields of the request body besides the selection
 */
export async function runBulkAction(
  action: BulkAction,
  receipts: readonly string[],
  options: AdminOptions & SelectionOptions,
  extra: object = {},
): Promise<void> {
  const body = { ...selectionOf(receipts, options, action.keys), ...extra };
  const dryRun = options.dryRun === true;
  const client = await adminClient(options);
  const needsConfirmation = !dryRun && options.yes !== true && receipts.length === 0 && isInteractive();
  if (needsConfirmation && !(await isConfirmed(client, action, body)))
    throw new CommandError('nothing was done', EXIT.failed);

  const counts = await client.post<CountsAnswer>(action.path, { ...body, dryRun });
  if (options.json === true) printJson(counts);
  else console.log(`${dryRun ? 'dry run: ' : ''}${formatCounts(counts)}`);
  if (!dryRun && !isComplete(action, counts, receipts)) process.exitCode = EXIT.failed;
}
