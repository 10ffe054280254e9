import type { AdminOptions } from './admin-address.ts';
import type { CountsAnswer } from './admin-answers.ts';
import { type AdminClient, adminClient, printJson } from './admin-client.ts';
import { CommandError, EXIT } from './command-error.ts';
import { canAsk, confirm } from './confirmation.ts';
import type { FilterKey } from './event-filter.ts';
import { type SelectionOptions, selectionOf } from './selection.ts';

/** An action of the admin API over a selection. */
export interface BulkAction {
  /** Below /admin/v1, e.g. `/dead-letters/replay`. */
  readonly path: string;
  /** Of what the question asks, e.g. `Discard` and `dead letters`. */
  readonly verb: string;
  readonly what: string;
  /** The count that says what was done, e.g. `replayed`; it should reach `matched`. */
  readonly done: string;
  /** Counts of those that are settled too, though in another way. */
  readonly alsoDone?: readonly string[];
  readonly keys: readonly FilterKey[];
}

/** `stillMalformed` → `still malformed`. */
function words(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function formatCounts(counts: CountsAnswer): string {
  return Object.entries(counts)
    .map(([key, count]) => `${words(key)} ${count}`)
    .join(', ');
}

async function isWanted(client: AdminClient, action: BulkAction, body: object): Promise<boolean> {
  const { matched = 0 } = await client.post<CountsAnswer>(action.path, { ...body, dryRun: true });
  return matched === 0 || confirm(`${action.verb} ${matched} ${action.what}?`);
}

/** True when everything that was meant was done: all that matched, and all receipts matched. */
function isComplete(action: BulkAction, counts: CountsAnswer, receipts: readonly string[]): boolean {
  const { matched = 0 } = counts;
  const done = [action.done, ...(action.alsoDone ?? [])].reduce((sum, key) => sum + (counts[key] ?? 0), 0);
  return done >= matched && matched >= new Set(receipts).size;
}

/**
 * Does it and prints the counts. Asks first where somebody is there to answer, unless receipts were named one by one.
 * @param extra fields of the body besides the selection
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
  const asks = !dryRun && options.yes !== true && receipts.length === 0 && canAsk();
  if (asks && !(await isWanted(client, action, body)))
    throw new CommandError('nothing was done', EXIT.failed);

  const counts = await client.post<CountsAnswer>(action.path, { ...body, dryRun });
  if (options.json === true) printJson(counts);
  else console.log(`${dryRun ? 'dry run: ' : ''}${formatCounts(counts)}`);
  if (!dryRun && !isComplete(action, counts, receipts)) process.exitCode = EXIT.failed;
}
