import type { Command } from 'commander';
import { type AdminOptions, withAdminOptions } from './admin-address.ts';
import type { DestinationAnswer } from './admin-answers.ts';
import { adminClient, printJson } from './admin-client.ts';
import { formatMoment, formatSpan } from './moment.ts';
import { formatTable } from './table.ts';

const LIST_HELP = `
Examples:
  $ capillary-relay destinations list
  $ capillary-relay destinations pause acme-aep`;

const PAUSE_HELP = `
Events go on being accepted and wait. The pause holds across restarts, until destinations resume.

Example:
  $ capillary-relay destinations pause acme-aep`;

const RESUME_HELP = `
Ends a pause by an operator; a destination that waits after a fault is tried at once.

Example:
  $ capillary-relay destinations resume acme-aep`;

function token({ tokenSecondsLeft }: DestinationAnswer): string {
  return tokenSecondsLeft === undefined ? '' : formatSpan(tokenSecondsLeft * 1_000);
}

function format(destinations: readonly DestinationAnswer[]): string {
  return formatTable(destinations, [
    { heading: 'DESTINATION', cell: ({ name }) => name },
    { heading: 'STATE', cell: ({ state }) => state },
    { heading: 'PENDING', cell: ({ pending }) => pending },
    { heading: 'IN FLIGHT', cell: ({ inFlight }) => inFlight },
    { heading: 'OLDEST', cell: ({ oldestPendingAt }) => formatMoment(oldestPendingAt) },
    { heading: 'LAST SUCCESS', cell: ({ lastSuccessAt }) => formatMoment(lastSuccessAt) },
    { heading: 'TOKEN FOR', cell: token },
    { heading: 'SINCE', cell: ({ since }) => formatMoment(since) },
    { heading: 'NEXT TRY', cell: ({ nextTryAt }) => formatMoment(nextTryAt) },
    { heading: 'REASON', cell: ({ reason }) => reason },
    { heading: 'DETAIL', cell: ({ detail }) => detail },
  ]);
}

interface DestinationsAnswer {
  readonly destinations: readonly DestinationAnswer[];
}

async function list(options: AdminOptions): Promise<void> {
  const client = await adminClient(options);
  const answer = await client.get<DestinationsAnswer>('/destinations');
  if (options.json === true) printJson(answer);
  else console.log(format(answer.destinations));
}

function act(action: 'pause' | 'resume') {
  return async (name: string, options: AdminOptions): Promise<void> => {
    const client = await adminClient(options);
    const answer = await client.post<DestinationAnswer>(
      `/destinations/${encodeURIComponent(name)}/${action}`,
    );
    if (options.json === true) printJson(answer);
    else console.log(format([answer]));
  };
}

export function registerDestinations(program: Command): void {
  const group = program
    .command('destinations')
    .description('whether events flow to Adobe, and why not: list, pause, resume')
    .addHelpText('after', LIST_HELP);
  withAdminOptions(group.command('list'))
    .description('list them')
    .addHelpText('after', LIST_HELP)
    .action(list);
  withAdminOptions(group.command('pause').argument('<name>', 'destination'))
    .description('let events wait')
    .addHelpText('after', PAUSE_HELP)
    .action(act('pause'));
  withAdminOptions(group.command('resume').argument('<name>', 'destination'))
    .description('let events flow again')
    .addHelpText('after', RESUME_HELP)
    .action(act('resume'));
}
