import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { ActionAnswer, CountsAnswer, ProblemAnswer } from './admin-answers.ts';
import { type AdminClient, adminClient, type AdminOptions, printJson } from './admin-client.ts';
import { CommandError, EXIT } from './command-error.ts';
import { type EventFilterOptions, type FilterKey, filterOf, withFilterOptions } from './command-options.ts';
import { formatFitting } from './fitting-table.ts';

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
    .option('-y, --yes', 'do not ask for confirmation; without a terminal, discard requires it');
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

/** Standard output may be a pipe: the question is asked on standard error. */
export function isInteractive(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on the terminal; any answer except yes counts as no. */
export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
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
  /** Words of the confirmation prompt, e.g. `Discard`, `dead letter` and `dead letters`. */
  readonly verb: string;
  readonly object: string;
  readonly objects: string;
  /** Count in the answer that must reach `matched` for success, e.g. `replayed`. */
  readonly doneCount: string;
  /** Counts that are added to it: entries that were processed in another way. */
  readonly alsoDoneCounts?: readonly string[];
  /** Without a terminal it requires --yes, because it cannot be undone. */
  readonly isFinal?: true;
  readonly keys: readonly FilterKey[];
  /** Shows the sample of a dry run. */
  readonly formatSample: (sample: readonly never[]) => string;
}

/** `stillMalformed` → `still malformed`. */
function wordsOf(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

interface Answer {
  readonly counts: CountsAnswer;
  readonly details: ActionAnswer;
}

function splitAnswer({ problems, dryRun, eligible, sample, ...counts }: ActionAnswer): Answer {
  return { counts, details: { problems, dryRun, eligible, sample } };
}

function formatCounts(counts: CountsAnswer): string {
  return Object.entries(counts)
    .map(([key, count]) => `${wordsOf(key)} ${count}`)
    .join(', ');
}

/** @param others how many were or would be left as they are; the answer lists some of them */
export function formatProblems(problems: readonly ProblemAnswer[] = [], others: number): string {
  const more = others - problems.length;
  const table = formatFitting(problems, [
    { heading: 'RECEIPT', cell: ({ receipt }) => receipt },
    { heading: 'WHY NOT', cell: ({ detail }) => detail, below: 'why not' },
  ]);
  return problems.length === 0 ? '' : `\n\n${table}${more > 0 ? `\nand ${more} more` : ''}`;
}

function formatDone(action: BulkAction, { counts, details }: Answer): string {
  const others = (counts['matched'] ?? 0) - doneOf(action, counts);
  return `${formatCounts(counts)}${formatProblems(details.problems, others)}`;
}

/** `4 would be replayed, 1 not`, then the first ones and what stands in the way of the others. */
export function formatDryRun(
  { doneCount, formatSample }: Pick<BulkAction, 'doneCount' | 'formatSample'>,
  { counts, details }: Answer,
): string {
  const { eligible = 0, sample = [], problems } = details;
  const others = (counts['matched'] ?? 0) - eligible;
  const summary = `${eligible} would be ${doneCount}${others > 0 ? `, ${others} not` : ''}`;
  const more = eligible - sample.length;
  const listed = sample.length === 0 ? '' : `\n\n${formatSample(sample as readonly never[])}`;
  return `${summary}${listed}${more > 0 ? `\nand ${more} more` : ''}${formatProblems(problems, others)}`;
}

async function isConfirmed(client: AdminClient, action: BulkAction, body: object): Promise<boolean> {
  const answer = splitAnswer(await client.post<ActionAnswer>(action.path, { ...body, dryRun: true }));
  const { eligible = 0 } = answer.details;
  if (eligible === 0) return true;
  console.error(formatDryRun(action, answer));
  return confirm(`${action.verb} ${eligible} ${eligible === 1 ? action.object : action.objects}?`);
}

function doneOf({ doneCount, alsoDoneCounts = [] }: BulkAction, counts: CountsAnswer): number {
  return [doneCount, ...alsoDoneCounts].reduce((sum, key) => sum + (counts[key] ?? 0), 0);
}

/** True when every match was processed, and every given receipt matched. */
function isComplete(action: BulkAction, counts: CountsAnswer, receipts: readonly string[]): boolean {
  const { matched = 0 } = counts;
  return doneOf(action, counts) >= matched && matched >= new Set(receipts).size;
}

/**
 * Runs the action and prints its counts. On a terminal it asks for confirmation first, unless the
 * receipts are given one by one and the action can be undone.
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
  const isFinal = action.isFinal === true;
  const needsConsent = !dryRun && options.yes !== true && (isFinal || receipts.length === 0);
  if (needsConsent && isFinal && !isInteractive())
    throw new CommandError(
      `without a terminal to ask on, this needs --yes, because it cannot be undone; --dry-run shows what it would do`,
      EXIT.usage,
    );
  const client = await adminClient(options);
  if (needsConsent && isInteractive() && !(await isConfirmed(client, action, body)))
    throw new CommandError('nothing was done', EXIT.failed);

  const json = await client.post<ActionAnswer>(action.path, { ...body, dryRun });
  const answer = splitAnswer(json);
  const { counts } = answer;
  if (options.json === true) printJson(json);
  else if (dryRun) console.log(formatDryRun(action, answer));
  else console.log(formatDone(action, answer));
  if (!dryRun && !isComplete(action, counts, receipts)) process.exitCode = EXIT.failed;
}
