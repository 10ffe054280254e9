import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { type AdminOptions, adminAddress, withAdminOptions } from './admin-address.ts';
import { createAdminClient, printJson } from './admin-client.ts';
import { EXIT } from './command-error.ts';
import { numberFrom } from './number-option.ts';
import { showLive } from './status/live.ts';
import { type Look, look, ratesOf } from './status/look.ts';
import { paint, statusLines } from './status/view.ts';

interface StatusOptions extends AdminOptions {
  readonly interval: number;
  readonly once?: boolean;
}

/** ms for one answer: a relay that is slower is as good as away, to somebody who watches. */
const TIMEOUT = { GET: 5_000, POST: 5_000, PUT: 5_000 } as const;

const HELP = `
On a terminal it is drawn anew each interval, until q or Ctrl-C; a relay that does not answer is tried again. Elsewhere, with --once and with
--json it is printed once, after two looks that are one interval apart, for the rates. NO_COLOR=1 leaves the colours out.
Exit code: 0 it was shown; 1 the relay could not be asked, its ledger does not balance, or a check of /readyz fails (printed once).

Examples:
  $ capillary-relay status
  $ capillary-relay status --config relay.yaml --interval 5
  $ capillary-relay status --once
  $ capillary-relay status --json | jq .rates`;

function isWell({ ledger, health }: Look): boolean {
  return ledger.balanced && health.checks.every(({ ok }) => ok);
}

async function status(options: StatusOptions): Promise<void> {
  const { json = false, once = false } = options;
  const interval = options.interval * 1_000;
  const address = await adminAddress(options);
  const client = createAdminClient(address, TIMEOUT);
  const { url } = address;
  if (process.stdout.isTTY && !once && !json) {
    await showLive({
      url,
      interval,
      look: () => look(client),
      input: process.stdin,
      output: process.stdout,
    });
    // A look that nobody waits for any more must not hold up the end.
    process.exit(EXIT.ok);
  }
  const before = await look(client);
  await sleep(interval);
  const after = await look(client);
  const rates = ratesOf(before, after);
  const { at: _, counters: __, ...shown } = after;
  if (json) printJson({ url, at: new Date().toISOString(), rates, ...shown });
  else console.log(paint(statusLines({ url, now: Date.now(), look: after, rates })).join('\n'));
  if (!isWell(after)) process.exitCode = EXIT.failed;
}

export function registerStatus(program: Command): void {
  withAdminOptions(program.command('status'))
    .description('how the relay does, live: rates, backlog, destinations, dead letters, ledger')
    .option('--interval <seconds>', 'between two looks', numberFrom(0.1, 3_600), 1)
    .option('--once', 'print it once')
    .addHelpText('after', HELP)
    .action(status);
}
