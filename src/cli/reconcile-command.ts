import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import {
  type AdminClient,
  adminClient,
  type AdminOptions,
  printJson,
  UnreachableError,
  withAdminOptions,
} from './admin-client.ts';
import { CommandError, EXIT } from './command-error.ts';
import { readTime } from './command-options.ts';
import { CONFIGURED } from './completion/configured-names.ts';
import { suggestValues } from './completion/suggested-values.ts';
import {
  type DestinationReconciliationAnswer,
  openCount,
  type ReconciliationAnswer,
  type SourceReconciliationAnswer,
} from './reconcile/reconciliation-answer.ts';
import { formatDestination, formatSource } from './reconcile/reconciliation-text.ts';

interface ReconcileOptions extends AdminOptions {
  readonly source?: string;
  readonly destination?: string;
  readonly since?: string;
  readonly resend?: boolean;
}

const HELP = `
Compares what Capillary's log says that it sent with what the relay accepted, and what was delivered with what landed in AEP,
for every source and destination that has reconcile. It asks the running relay for a comparison, waits for its end and prints
the period, the sums, each difference that is open with what repairs it, and in one line for each kind what needs nobody. The
command explain takes what the column EVENT shows, once the relay has the event. docs/reconciliation.md explains the differences.
Exit code: 0 nothing is left to do; 1 something is, or the comparison could not be made; 2 wrong usage, or nothing has reconcile.

Examples:
  $ capillary-relay reconcile
  $ capillary-relay reconcile --source acme --since 24h
  $ capillary-relay reconcile --source acme --resend
  $ capillary-relay reconcile --destination acme-aep --json | jq .destinations`;

const POLL_MS = 500;
/** A relay that restarts meanwhile goes on with the run. */
const MAX_SILENCE_MS = 60_000;
/** The leader looks every two seconds. */
const NOTE_AFTER_MS = 15_000;

interface Run {
  readonly run: string;
  readonly targets: readonly { readonly side: string; readonly name: string }[];
}

function requestOf({ source, destination, since, resend }: ReconcileOptions): Record<string, unknown> {
  if (source !== undefined && destination !== undefined)
    throw new CommandError('--source and --destination cannot be used together', EXIT.usage);
  if (destination !== undefined && resend === true)
    throw new CommandError("--resend is for sources: it takes events from Capillary's log", EXIT.usage);
  return { source, destination, since, ...(resend === true ? { resend } : {}) };
}

/** @returns undefined while the relay does not answer */
async function ask(client: AdminClient, silentSince: number): Promise<ReconciliationAnswer | undefined> {
  try {
    return await client.get<ReconciliationAnswer>('/reconciliation');
  } catch (error) {
    const isPatient = performance.now() - silentSince < MAX_SILENCE_MS;
    if (error instanceof UnreachableError && isPatient) return undefined;
    throw error;
  }
}

/** A run, and what the relay answers at its end. */
interface EndedRun extends Run {
  readonly answer: ReconciliationAnswer;
}

/**
 * Asks for a run and waits for its end. A relay that is killed may not have stored yet that it was
 * asked: then it is asked again.
 */
async function runToEnd(client: AdminClient, body: Record<string, unknown>): Promise<EndedRun> {
  let asked = await client.post<Run>('/reconciliation/run', body);
  const startedAt = performance.now();
  let heardAt = startedAt;
  let isNoted = false;
  for (;;) {
    const answer = await ask(client, heardAt);
    if (answer !== undefined) {
      heardAt = performance.now();
      const run = answer.runs.find((one) => one.id === asked.run);
      if (run?.state === 'ended') return { ...asked, answer };
      if (run === undefined) asked = await client.post<Run>('/reconciliation/run', body);
      if (!isNoted && run?.state === 'waiting' && heardAt - startedAt > NOTE_AFTER_MS) {
        isNoted = true;
        console.error(
          'the comparison has not begun yet: another one is running, or no replica is the leader',
        );
      }
    }
    await sleep(POLL_MS);
  }
}

function isClean(answer: SourceReconciliationAnswer | DestinationReconciliationAnswer): boolean {
  return answer.problem === undefined && openCount(answer) === 0;
}

async function runReconcile(options: ReconcileOptions): Promise<void> {
  const body = requestOf(options);
  const client = await adminClient(options);
  const { run, targets, answer } = await runToEnd(client, body);
  const isTarget = (side: string, name: string): boolean =>
    targets.some((target) => target.side === side && target.name === name);
  const sources = answer.sources.filter(({ source }) => isTarget('capillary', source));
  const destinations = answer.destinations.filter(({ destination }) => isTarget('aep', destination));
  const ok = [...sources, ...destinations].every(isClean);
  if (options.json === true) printJson({ run, ok, sources, destinations });
  else
    console.log(
      [
        ...sources.map((source) => formatSource(source, options)),
        ...destinations.map((destination) => formatDestination(destination, options)),
      ].join('\n\n'),
    );
  if (!ok) process.exitCode = EXIT.failed;
}

export function registerReconcile(program: Command): void {
  const source = new Option('--source <name>', 'compare only what Capillary sent to this source');
  const destination = new Option(
    '--destination <name>',
    'compare only what was delivered to this destination',
  );
  withAdminOptions(program.command('reconcile'))
    .description("compare with Capillary's log and with AEP; name each difference and what repairs it")
    .addOption(suggestValues(source, CONFIGURED.sources))
    .addOption(suggestValues(destination, CONFIGURED.destinations))
    .addOption(
      new Option(
        '--since <time>',
        'compare again from then on: 2h, 3d, or a time such as 2026-01-31T08:00:00Z (default: what is new)',
      ).argParser((text: string) => readTime(text, Date.now())),
    )
    .option('--resend', "take missing events from Capillary's log, also where resend is false")
    .addHelpText('after', HELP)
    .action(runReconcile);
}
