import type { Command } from 'commander';
import { adminClient, type AdminOptions, printJson, withAdminOptions } from './admin-client.ts';
import type { LedgerAnswer, LedgerCounts } from './ledger-answer.ts';
import { EXIT } from './command-error.ts';
import { formatTable, toPrintable } from './table.ts';
import { formatTime } from './time-format.ts';

const HELP = `
SENT (CAPILLARY) is what Capillary's log has, LANDED (AEP) what is certain to be in AEP; both are shown where reconcile is
configured, and the lines below say what became of the rest. See reconcile.
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

/** What the records of both ends say, as far as they are compared. */
function formatEnds({ sources, ...all }: LedgerAnswer): readonly string[] {
  const sent = Object.entries(sources).flatMap(([name, line]) => {
    const { sent: count, recovered = 0, unrecoverable = 0, missing = 0, sentFrom, sentUntil } = line;
    if (count === undefined || sentUntil === undefined) return [];
    const accepted = count - recovered - unrecoverable - missing;
    return [
      `${toPrintable(name)}: sent ${count} = accepted ${accepted} + recovered ${recovered} + unrecoverable ${unrecoverable} + missing ${missing}, from ${formatTime(sentFrom)} to ${formatTime(sentUntil)}`,
    ];
  });
  const { landed, refusedLater = 0, unconfirmed = 0 } = all;
  if (landed === undefined) return sent;
  const acknowledged = landed + refusedLater + unconfirmed;
  return [
    ...sent,
    `acknowledged by AEP ${acknowledged} = landed ${landed} + refused later ${refusedLater} + unconfirmed ${unconfirmed}`,
  ];
}

function format(ledger: LedgerAnswer): string {
  const rows = [
    ...Object.entries(ledger.sources).map(([name, counts]) => ({ name, ...counts })),
    { name: 'all', ...ledger },
  ];
  const table = formatTable(rows, [
    { heading: 'SOURCE', cell: ({ name }) => name },
    { heading: 'SENT (CAPILLARY)', cell: ({ sent }) => sent },
    { heading: 'ACCEPTED', cell: ({ accepted }) => accepted },
    { heading: 'PENDING', cell: ({ pending }) => pending },
    { heading: 'DELIVERED', cell: ({ delivered }) => delivered },
    { heading: 'LANDED (AEP)', cell: ({ landed }) => landed },
    { heading: 'IGNORED', cell: ({ ignored }) => ignored },
    { heading: 'DEAD', cell: ({ dead }) => dead },
    { heading: 'MALFORMED', cell: ({ malformed }) => malformed },
    { heading: 'QUARANTINED', cell: ({ quarantined }) => quarantined },
  ]);
  return [table, '', formatBalance(ledger), ...formatEnds(ledger), ...formatUnconfigured(ledger)].join('\n');
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
