import type { Command } from 'commander';
import { adminClient, type AdminOptions, printJson, withAdminOptions } from './admin-client.ts';
import type { LedgerAnswer, LedgerCounts } from './admin-answers.ts';
import { EXIT } from './command-error.ts';
import { formatTable, toPrintable } from './table.ts';

const HELP = `
Exit code: 0 the ledger balances; 1 it does not, or the relay could not be reached.

Examples:
  $ capillary-relay ledger
  $ capillary-relay ledger --json`;

function sumOf({ pending, delivered, ignored, dead }: LedgerCounts): number {
  return pending + delivered + ignored + dead;
}

/** A line for each source that is not configured any more while its events are pending. */
export function formatUnconfigured({ sources }: LedgerAnswer): readonly string[] {
  return Object.entries(sources)
    .filter(([, { configured, pending }]) => !configured && pending > 0)
    .map(
      ([name, { pending }]) =>
        `${toPrintable(name)} is not configured: ${pending} of its events wait until it is again`,
    );
}

/** The sum that must balance, and per source what is missing when it does not. */
export function formatBalance(ledger: LedgerAnswer): string {
  const { accepted, pending, delivered, ignored, dead, balanced } = ledger;
  const sign = accepted === sumOf(ledger) ? '=' : '≠';
  const line = `accepted ${accepted} ${sign} pending ${pending} + delivered ${delivered} + ignored ${ignored} + dead ${dead}`;
  if (balanced) return line;
  const differences = Object.entries(ledger.sources)
    .filter(([, counts]) => !counts.balanced)
    .map(([name, counts]) => `${name}: ${counts.accepted - sumOf(counts)} unaccounted for`);
  return `${line}\nTHE LEDGER DOES NOT BALANCE: ${differences.join('; ')}`;
}

function format(ledger: LedgerAnswer): string {
  const rows = [
    ...Object.entries(ledger.sources).map(([name, counts]) => ({ name, ...counts })),
    { name: 'all', ...ledger },
  ];
  const table = formatTable(rows, [
    { heading: 'SOURCE', cell: ({ name }) => name },
    { heading: 'ACCEPTED', cell: ({ accepted }) => accepted },
    { heading: 'PENDING', cell: ({ pending }) => pending },
    { heading: 'DELIVERED', cell: ({ delivered }) => delivered },
    { heading: 'IGNORED', cell: ({ ignored }) => ignored },
    { heading: 'DEAD', cell: ({ dead }) => dead },
    { heading: 'MALFORMED', cell: ({ malformed }) => malformed },
    { heading: 'QUARANTINED', cell: ({ quarantined }) => quarantined },
  ]);
  return [table, '', formatBalance(ledger), ...formatUnconfigured(ledger)].join('\n');
}

async function runLedger(options: AdminOptions): Promise<void> {
  const client = await adminClient(options);
  const answer = await client.get<LedgerAnswer>('/ledger');
  if (options.json === true) printJson(answer);
  else console.log(format(answer));
  if (!answer.balanced) process.exitCode = EXIT.failed;
}

export function registerLedger(program: Command): void {
  withAdminOptions(program.command('ledger'))
    .description('account for all accepted events: accepted = pending + delivered + ignored + dead')
    .addHelpText('after', HELP)
    .action(runLedger);
}
