import { Argument, type Command, Option } from 'commander';
import { adminClient, type AdminOptions, printJson, withAdminOptions } from './admin-client.ts';
import type { DestinationAnswer, DestinationsAnswer, LastAnswer } from './admin-answers.ts';
import { CONFIGURED } from './completion/configured-names.ts';
import { suggestValues } from './completion/suggested-values.ts';
import { formatTime, formatDuration } from './time-format.ts';
import { formatFitting } from './fitting-table.ts';
import { runReroute } from './reroute.ts';

const LIST_HELP = `
Examples:
  $ capillary-relay destinations list
  $ capillary-relay destinations pause acme-aep`;

const PAUSE_HELP = `
Events are still accepted and stay pending. The pause survives restarts and lasts until destinations resume.

Example:
  $ capillary-relay destinations pause acme-aep`;

const RESUME_HELP = `
Ends an operator's pause. A destination that waits after a failure is retried at once: until that is
answered its state is the one before, with trying now as NEXT RETRY.

Example:
  $ capillary-relay destinations resume acme-aep`;

const REROUTE_HELP = `
A source that has another destination since a restart leaves its pending events where they were; nobody delivers them there.
This moves them to the destination that the source has now, in their order. A reload moves them by itself.

Examples:
  $ capillary-relay destinations reroute --dry-run
  $ capillary-relay destinations reroute --source acme --yes`;

function tokenLifetime({ tokenSecondsLeft }: DestinationAnswer): string {
  return tokenSecondsLeft === undefined ? '' : formatDuration(tokenSecondsLeft * 1_000);
}

interface AnswerRow extends LastAnswer {
  readonly name: string;
  readonly from: string;
}

function answerRows({ name, lastAnswers: { inlet, ims } }: DestinationAnswer): AnswerRow[] {
  return [
    ...(inlet === undefined ? [] : [{ name, from: 'inlet', ...inlet }]),
    ...(ims === undefined ? [] : [{ name, from: 'IMS', ...ims }]),
  ];
}

/** Empty before the first answer. */
function formatAnswers(destinations: readonly DestinationAnswer[]): string {
  const rows = destinations.flatMap(answerRows);
  if (rows.length === 0) return '';
  const table = formatFitting(rows, [
    { heading: 'DESTINATION', cell: ({ name }) => name },
    { heading: 'LAST ANSWER', cell: ({ at }) => formatTime(at) },
    { heading: 'FROM', cell: ({ from }) => from },
    { heading: 'STATUS', cell: ({ status }) => status ?? 'none' },
    { heading: 'TEXT', cell: ({ text }) => text, below: 'text' },
  ]);
  return `\n\n${table}`;
}

/** Empty unless the replicas differ. */
function formatOtherReplicas(destinations: readonly DestinationAnswer[]): string {
  const rows = destinations.flatMap(({ name, otherReplicas = [] }) =>
    otherReplicas.map((there) => ({ name, ...there })),
  );
  if (rows.length === 0) return '';
  const table = formatFitting(rows, [
    { heading: 'DESTINATION', cell: ({ name }) => name, cutTo: 20 },
    { heading: 'IN REPLICA', cell: ({ replica }) => replica },
    { heading: 'STATE', cell: ({ state }) => state },
    { heading: 'IN FLIGHT', cell: ({ inFlight }) => inFlight },
    { heading: 'REASON', cell: ({ reason }) => reason },
  ]);
  return `\n\n${table}`;
}

/** @param isResumed just now, so that the answer may still have the state before */
function format(destinations: readonly DestinationAnswer[], isResumed = false): string {
  const table = formatFitting(destinations, [
    { heading: 'DESTINATION', cell: ({ name }) => name, cutTo: 20 },
    { heading: 'STATE', cell: ({ state }) => state },
    { heading: 'PENDING', cell: ({ pending }) => pending },
    { heading: 'IN FLIGHT', cell: ({ inFlight }) => inFlight, leaveOut: 2 },
    { heading: 'OLDEST', cell: ({ oldestPendingAt }) => formatTime(oldestPendingAt), leaveOut: 3 },
    { heading: 'LAST SUCCESS', cell: ({ lastSuccessAt }) => formatTime(lastSuccessAt), leaveOut: 4 },
    { heading: 'TOKEN TTL', cell: tokenLifetime, leaveOut: 1 },
    { heading: 'SINCE', cell: ({ since }) => formatTime(since), leaveOut: 5 },
    {
      heading: 'NEXT RETRY',
      cell: ({ state, nextTryAt }) =>
        isResumed && state !== 'flowing' ? 'trying now' : formatTime(nextTryAt),
      leaveOut: 6,
    },
    { heading: 'REASON', cell: ({ reason }) => reason, cutTo: 18 },
    { heading: 'DETAIL', cell: ({ detail }) => detail, below: 'detail' },
  ]);
  return `${table}${formatOtherReplicas(destinations)}${formatAnswers(destinations)}`;
}

async function list(options: AdminOptions): Promise<void> {
  const client = await adminClient(options);
  const answer = await client.get<DestinationsAnswer>('/destinations');
  if (options.json === true) printJson(answer);
  else console.log(format(answer.destinations));
}

function runAction(action: 'pause' | 'resume') {
  return async (name: string, options: AdminOptions): Promise<void> => {
    const client = await adminClient(options);
    const answer = await client.post<DestinationAnswer>(
      `/destinations/${encodeURIComponent(name)}/${action}`,
    );
    if (options.json === true) printJson(answer);
    else console.log(format([answer], action === 'resume'));
  };
}

function destinationArgument(): Argument {
  return suggestValues(new Argument('<name>', 'name of the destination'), CONFIGURED.destinations);
}

export function registerDestinations(program: Command): void {
  const group = program
    .command('destinations')
    .description('state of the delivery to Adobe: list, pause, resume, reroute')
    .addHelpText('after', LIST_HELP);
  withAdminOptions(group.command('list'))
    .description('list destinations and their state')
    .addHelpText('after', LIST_HELP)
    .action(list);
  withAdminOptions(group.command('pause').addArgument(destinationArgument()))
    .description('stop delivering to a destination; its events stay pending')
    .addHelpText('after', PAUSE_HELP)
    .action(runAction('pause'));
  withAdminOptions(group.command('resume').addArgument(destinationArgument()))
    .description('deliver to a destination again')
    .addHelpText('after', RESUME_HELP)
    .action(runAction('resume'));
  withAdminOptions(group.command('reroute'))
    .description('move pending events to the destination that their source has now')
    .addOption(suggestValues(new Option('--source <name>', 'only events of this source'), CONFIGURED.sources))
    .option('--dry-run', 'only show what would be moved')
    .option('-y, --yes', 'do not ask for confirmation; without a terminal it is required')
    .addHelpText('after', REROUTE_HELP)
    .action(runReroute);
}
