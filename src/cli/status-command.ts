import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { adminAddress } from './admin-address.ts';
import { type AdminOptions, createAdminClient, printJson, withAdminOptions } from './admin-client.ts';
import { EXIT } from './command-error.ts';
import { numberBetween } from './command-options.ts';
import { relayOptions } from './explain/relay-options.ts';
import { showLive } from './status/live-status.ts';
import { exitReasons } from './status/exit-reasons.ts';
import { takeSnapshot, ratesOf } from './status/snapshot.ts';
import { paint, wrapLine } from './status/status-line.ts';
import { statusLines } from './status/status-view.ts';

interface StatusOptions extends AdminOptions {
  readonly interval: number;
  readonly once?: boolean;
}

/** A relay that answers more slowly counts as unreachable. */
const TIMEOUT_MS = { GET: 5_000, POST: 5_000, PUT: 5_000 } as const;

/** Columns where there is no terminal. */
const PIPE_WIDTH = 80;

const HELP = `
On a terminal, it is redrawn at each interval until q or Ctrl-C, and a relay that does not answer is retried. Otherwise,
and with --once or --json, it is printed once, after two samples one interval apart, which give the rates. NO_COLOR=1
turns colours off.
Exit code when printed once: 0 nothing needs you; 1 the relay does not answer, its ledger does not balance, a check of
/readyz fails, a fault has paused a destination (an operator's pause or a retry does not count), a secret file cannot be
used, or a source refuses every webhook: all of the last 15 minutes, or the last ten or more. It is 0 again once a webhook
is accepted or a quarantined one is released. The last line of the output says why it is 1; in JSON, problems.

Examples:
  $ capillary-relay status
  $ capillary-relay status --config relay.yaml --interval 5
  $ capillary-relay status --once
  $ capillary-relay status --json | jq .rates`;

async function runStatus(options: StatusOptions): Promise<void> {
  const { json = false, once = false } = options;
  const intervalMs = options.interval * 1_000;
  const address = await adminAddress(options);
  const client = createAdminClient(address, TIMEOUT_MS);
  const { url } = address;
  const { config } = options;
  const hints = {
    options: relayOptions(options),
    configOptions: relayOptions(config === undefined ? {} : { config }),
  };
  if (process.stdout.isTTY && !once && !json) {
    await showLive({
      url,
      ...hints,
      intervalMs,
      takeSnapshot: () => takeSnapshot(client),
      input: process.stdin,
      output: process.stdout,
    });
    // A request that is still in flight must not delay the exit.
    process.exit(EXIT.ok);
  }
  const before = await takeSnapshot(client);
  await sleep(intervalMs);
  const after = await takeSnapshot(client);
  const rates = ratesOf(before, after);
  const { at: _, takenAt: __, counters: ___, ...shown } = after;
  const problems = exitReasons(after);
  if (json) printJson({ url, at: new Date().toISOString(), problems, rates, ...shown });
  else {
    const width = process.stdout.isTTY ? process.stdout.columns : PIPE_WIDTH;
    const lines = statusLines({ url, ...hints, now: Date.now(), snapshot: after, rates }, width);
    const why = problems.map((problem) => `exit code 1: ${problem}`);
    const reasons = why.flatMap((text) => wrapLine({ text, tone: 'red' }, width));
    console.log(paint([...lines, ...reasons]).join('\n'));
  }
  if (problems.length > 0) process.exitCode = EXIT.failed;
}

export function registerStatus(program: Command): void {
  withAdminOptions(program.command('status'))
    .description('live status of the relay: webhooks, rates, backlog, destinations, dead letters, ledger')
    .option('--interval <seconds>', 'time between two samples', numberBetween(0.1, 3_600), 1)
    .option('--once', 'print once and exit')
    .addHelpText('after', HELP)
    .action(runStatus);
}
