import { type Command, Option } from 'commander';
import { printJson } from './admin-client.ts';
import { configOption, loadForProvision } from './command-config.ts';
import { EXIT, type ExitCode } from './command-error.ts';
import { CONFIGURED } from './completion/configured-names.ts';
import { suggestValues } from './completion/suggested-values.ts';
import { applyWebhook, pauseWebhook, planWebhook } from './register/plan-webhook.ts';
import { formatOutcomes, LINES } from './register/register-texts.ts';
import { forEachSource, type Outcome, type Registration } from './register/registration.ts';

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
    const { loaded } = await loadForProvision(file);
    const outcomes = await forEachSource(loaded.config, source, step);
    if (json) printJson({ file, sources: outcomes.map(documentOf) });
    else console.log(formatOutcomes(outcomes, lines));
    process.exitCode = exitCodeOf(outcomes, isChange);
  };
}

function subcommand(parent: Command, name: string, description: string, help: string): Command {
  return parent
    .command(name)
    .description(description)
    .addOption(configOption())
    .addOption(
      suggestValues(
        new Option('--source <name>', 'only this source (default: all that have `api` and `webhook`)'),
        CONFIGURED.sources,
      ),
    )
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
}
