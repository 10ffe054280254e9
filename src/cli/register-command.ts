import { type Command, Option } from 'commander';
import type { LoadedConfig } from '../config/load-config.ts';
import {
  type AdminClient,
  adminClient,
  type AdminOptions,
  printJson,
  withAdminOptions,
} from './admin-client.ts';
import { configOption, DEFAULT_FILE, findConfig, loadForProvision } from './command-config.ts';
import { EXIT, type ExitCode } from './command-error.ts';
import { CONFIGURED } from './completion/configured-names.ts';
import { suggestValues } from './completion/suggested-values.ts';
import { durationBetween } from './duration-option.ts';
import { acceptanceAt } from './register/accepted-headers.ts';
import { deliveryStatus } from './register/delivery-status.ts';
import { applyWebhook, pauseWebhook, planWebhook } from './register/plan-webhook.ts';
import { formatOutcomes, LINES } from './register/register-texts.ts';
import { rotateHeader } from './register/rotate-header.ts';
import { secretFilesOf } from './register/secret-files.ts';
import { forEachSource, type Outcome, type Registration } from './register/registration.ts';

const DEFAULT_WAIT_MS = 600_000;

const HELP = `
The webhook is found by webhook.name, else by webhook.url among the active ones. What the configuration does not say is kept
as it is at Capillary, and other webhooks are never touched. Nothing is stored on this machine: Capillary lists its webhooks.

Examples:
  $ capillary-relay register plan --config relay.yaml
  $ capillary-relay register apply --config relay.yaml --source acme`;

const PLAN_HELP = `
Only reads, for which the API client needs Read on Webhooks. The value of the header is never shown.
Exit code: 0 nothing to do; 1 it failed, or belongs to another organisation; 2 the configuration has problems; 3 there is something to change.

Examples:
  $ capillary-relay register plan --config relay.yaml
  $ capillary-relay register plan --source acme --json`;

const APPLY_HELP = `
Creates the webhook, changes it, or makes it active again, and confirms that with a GET. Can be repeated at any time.
A header that no verifier of the source accepts is not set. For another value of an active webhook's header use \`register rotate\`.
Exit code: 0 the webhook is as configured; 1 it failed; 2 the configuration has problems.

Examples:
  $ capillary-relay register plan && capillary-relay register apply
  $ capillary-relay register apply --source acme --json`;

const PAUSE_HELP = `
Events that are raised while the webhook is inactive are not sent later. To hold up delivery to Adobe only, use
\`destinations pause\`: the relay then keeps the events.
Exit code: 0 the webhook is inactive; 1 it failed, or there is none; 2 the configuration has problems.

Examples:
  $ capillary-relay register pause --source acme
  $ capillary-relay register apply --source acme`;

const STATUS_HELP = `
Counts events of the last 24 hours: Capillary by the time of generation, the relay by that of receipt. The delivery log at Capillary needs Read on Webhooks.
Exit code: 0 nothing failed and both agree; 1 something failed or differs, or one side did not answer; 2 the configuration has problems.

Examples:
  $ capillary-relay register status --config relay.yaml
  $ capillary-relay register status --source acme --json`;

const ROTATE_HELP = `
The new value has to be accepted by every replica of the running relay before Capillary gets it, and the former one is dropped when
webhooks come with the new one, and none has come with the former one for 10 s. Can be stopped at any moment and called again. If webhook.header.value and a second value of the
verifier are files of their own (\${file:…}) that this user may write, the command makes the value and writes both files; else
write the new value into the configuration first, beside the former one.
Exit code: 0 the value was exchanged; 1 it failed, there is no new value, or no webhook came in time; 2 the configuration has problems.

Examples:
  $ capillary-relay register rotate --config relay.yaml --source acme
  $ capillary-relay register rotate --source acme --wait 30m`;

interface RegisterOptions {
  readonly config: string;
  readonly source?: string;
  readonly json?: boolean;
}

function exitCodeOf<T>(outcomes: readonly Outcome<T>[], isChange: (value: T) => boolean): ExitCode {
  if (outcomes.some(({ ok }) => !ok)) return EXIT.failed;
  return outcomes.some((outcome) => outcome.ok && isChange(outcome.value)) ? EXIT.changes : EXIT.ok;
}

/** A source's outcome as a document. */
function documentOf<T>(outcome: Outcome<T>): object {
  const { source, ok } = outcome;
  return outcome.ok ? { source, ok, ...outcome.value } : outcome;
}

function run<T>(
  step: (registration: Registration) => Promise<T>,
  lines: (value: T) => string[],
  isChange: (value: T) => boolean = () => false,
) {
  return async ({ config: file, source, json = false }: RegisterOptions): Promise<void> => {
    const { loaded } = await loadForProvision(file, { otherSide: 'adobe' });
    const outcomes = await forEachSource(loaded.config, source, step);
    if (json) printJson({ file, sources: outcomes.map(documentOf) });
    else console.log(formatOutcomes(outcomes, lines));
    process.exitCode = exitCodeOf(outcomes, isChange);
  };
}

interface RelayOptions extends AdminOptions {
  readonly source?: string;
  readonly wait?: number;
}

/** For a step that also asks the running relay. */
function runWithRelay<T>(
  step: (
    registration: Registration,
    relay: AdminClient,
    loaded: LoadedConfig,
    options: RelayOptions,
  ) => Promise<T>,
  lines: (value: T) => string[],
  isGood: (value: T) => boolean,
) {
  return async (options: RelayOptions): Promise<void> => {
    const { config, source, json = false } = options;
    const file = findConfig(config) ?? DEFAULT_FILE;
    const { loaded } = await loadForProvision(file, { otherSide: 'adobe' });
    const relay = await adminClient(options);
    const outcomes = await forEachSource(loaded.config, source, (registration) =>
      step(registration, relay, loaded, options),
    );
    if (json) printJson({ file, sources: outcomes.map(documentOf) });
    else console.log(formatOutcomes(outcomes, lines));
    const areGood = outcomes.every((outcome) => outcome.ok && isGood(outcome.value));
    process.exitCode = areGood ? EXIT.ok : EXIT.failed;
  };
}

async function rotate(
  { client, wanted, source }: Registration,
  relay: AdminClient,
  loaded: LoadedConfig,
  { wait = DEFAULT_WAIT_MS, json = false }: RelayOptions,
) {
  return rotateHeader({
    client,
    wanted,
    acceptance: acceptanceAt(relay, source.name),
    files: await secretFilesOf(loaded, source.name),
    waitMs: wait,
    onStep: (text) => (json ? undefined : console.error(`${source.name}: ${text}`)),
  });
}

function sourceOption(): Option {
  return suggestValues(
    new Option('--source <name>', 'only this source (default: all that have `api` and `webhook`)'),
    CONFIGURED.sources,
  );
}

function subcommand(parent: Command, name: string, description: string, help: string): Command {
  return parent
    .command(name)
    .description(description)
    .addOption(configOption())
    .addOption(sourceOption())
    .option('--json', 'print the result as JSON')
    .addHelpText('after', help);
}

export function registerRegister(program: Command): void {
  const register = program
    .command('register')
    .description("set up the relay's webhook at Capillary")
    .addHelpText('after', HELP);
  subcommand(register, 'plan', 'show what `apply` would change at Capillary', PLAN_HELP).action(
    run(planWebhook, LINES.plan, ({ action }) => action !== 'nothing'),
  );
  subcommand(register, 'apply', 'create or change the webhook as configured', APPLY_HELP).action(
    run(applyWebhook, LINES.apply),
  );
  subcommand(register, 'pause', 'make Capillary stop sending', PAUSE_HELP).action(
    run(pauseWebhook, LINES.pause),
  );
  withAdminOptions(register.command('status'))
    .description("compare Capillary's figures of the last day with the relay's")
    .addOption(sourceOption())
    .addHelpText('after', STATUS_HELP)
    .action(
      runWithRelay(
        (registration, relay, { config }) =>
          deliveryStatus(registration, relay, config.store.retention.delivered),
        LINES.status,
        ({ findings }) => findings.every(({ level }) => level !== 'fail'),
      ),
    );
  withAdminOptions(register.command('rotate'))
    .description('exchange the value of the header that Capillary sends')
    .addOption(sourceOption())
    .addOption(
      new Option('--wait <time>', 'how long to wait for a webhook with the new value')
        .argParser(durationBetween({ max: '1d' }))
        .default(DEFAULT_WAIT_MS, '10m'),
    )
    .addHelpText('after', ROTATE_HELP)
    .action(runWithRelay(rotate, LINES.rotate, ({ did }) => did !== 'nothing'));
}
