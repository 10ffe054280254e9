import type { Command } from 'commander';
import {
  type AdminClient,
  adminClient,
  type AdminOptions,
  printJson,
  withAdminOptions,
} from './admin-client.ts';
import type { DestinationAnswer, RecordAnswer } from './admin-answers.ts';
import { formatEventReport } from './explain/event-report.ts';

const HELP = `
Shows the state of the event, its history with Adobe's answers, what the mapping left out, and the next commands to run.
The payload is personal data, so it is only shown with --body.

Examples:
  $ capillary-relay explain 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01
  $ capillary-relay explain 9b7b5f0e-2f64-4f3d-8f16-0a4c1f6f2c02 --body`;

/** The state of the destination; relevant only while the event is pending. */
async function destinationOf(
  client: AdminClient,
  { state, destination }: RecordAnswer,
): Promise<DestinationAnswer | undefined> {
  if (state !== 'pending') return undefined;
  const { destinations } = await client.get<{ destinations: readonly DestinationAnswer[] }>('/destinations');
  return destinations.find(({ name }) => name === destination);
}

/** The options that select this relay, for the suggested commands; never the token. */
function relayOptions({ url, config }: AdminOptions): string {
  return `${url === undefined ? '' : ` --url ${url}`}${config === undefined ? '' : ` --config ${config}`}`;
}

async function runExplain(id: string, options: AdminOptions & { body?: boolean }): Promise<void> {
  const client = await adminClient(options);
  const path = `/events/${encodeURIComponent(id)}`;
  const record = await client.get<RecordAnswer>(path, { body: String(options.body === true) });
  if (options.json === true) printJson(record);
  else {
    const destination = await destinationOf(client, record);
    console.log(formatEventReport(record, { destination, options: relayOptions(options) }));
  }
}

export function registerExplain(program: Command): void {
  withAdminOptions(program.command('explain'))
    .description('show the history of one event (received, verified, sent, answered) and what to do next')
    .argument('<id>', "receipt, or Capillary's event id")
    .option('--body', 'also show the payload and, for a dead letter, the messages sent')
    .addHelpText('after', HELP)
    .action(runExplain);
}
