import type { Command } from 'commander';
import { type AdminOptions, withAdminOptions } from './admin-address.ts';
import type { DestinationAnswer, RecordAnswer } from './admin-answers.ts';
import { type AdminClient, adminClient, printJson } from './admin-client.ts';
import { formatStory } from './event-story.ts';

const HELP = `
Where it stands, what it is, all that happened to it with Adobe's words, what the mapping left out, and the commands to go on with.
The payload is personal data, so it is shown only with --body.

Examples:
  $ capillary-relay explain 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01
  $ capillary-relay explain 9b7b5f0e-2f64-4f3d-8f16-0a4c1f6f2c02 --body`;

/** How the destination does now matters for an event that still waits for it. */
async function destinationOf(
  client: AdminClient,
  { state, destination }: RecordAnswer,
): Promise<DestinationAnswer | undefined> {
  if (state !== 'pending') return undefined;
  const { destinations } = await client.get<{ destinations: readonly DestinationAnswer[] }>('/destinations');
  return destinations.find(({ name }) => name === destination);
}

/** The options that were given to find the relay, for the commands of the story; never the token. */
function sameRelay({ url, config }: AdminOptions): string {
  return `${url === undefined ? '' : ` --url ${url}`}${config === undefined ? '' : ` --config ${config}`}`;
}

async function explain(id: string, options: AdminOptions & { body?: boolean }): Promise<void> {
  const client = await adminClient(options);
  const path = `/events/${encodeURIComponent(id)}`;
  const record = await client.get<RecordAnswer>(path, { body: String(options.body === true) });
  if (options.json === true) printJson(record);
  else {
    const destination = await destinationOf(client, record);
    console.log(formatStory(record, { destination, options: sameRelay(options) }));
  }
}

export function registerExplain(program: Command): void {
  withAdminOptions(program.command('explain'))
    .description('tell what became of one event: received, verified, sent, answered; and what to do next')
    .argument('<id>', "receipt, or Capillary's event id")
    .option('--body', 'show the payload too, and of a dead letter what was sent')
    .addHelpText('after', HELP)
    .action(explain);
}
