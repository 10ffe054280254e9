import type { Command } from 'commander';
import type { ConfigChange } from '../config/config-diff.ts';
import { type ConfigProblem, formatProblems } from '../config/config-error.ts';
import { adminClient, type AdminOptions, AnswerError, printJson, withAdminOptions } from './admin-client.ts';
import { EXIT } from './command-error.ts';
import { toPrintable } from './table.ts';

const HELP = `
The running relay reads its own file again, with the secrets in it. Either all that needs no restart is applied, or nothing.
The signal SIGHUP does the same, but its result is only in the log. If the new file has another admin.token or admin.port,
set RELAY_ADMIN_TOKEN or --url to the present one.

Exit code: 0 applied, or nothing to apply; 1 the relay could not be reached; 2 the new configuration has problems, and the old one stays in use.

Examples:
  $ capillary-relay check --config relay.yaml && capillary-relay reload
  $ capillary-relay reload --json`;

interface ReloadAnswer {
  readonly outcome: 'applied' | 'unchanged';
  readonly file: string;
  readonly changed: readonly ConfigChange[];
  readonly needsRestart: readonly string[];
  readonly warnings: readonly ConfigProblem[];
}

interface RefusedAnswer {
  readonly file: string;
  readonly problems: readonly ConfigProblem[];
}

function formatChange({ path, from, to, secret }: ConfigChange): string {
  const what = (): string => {
    if (secret === true) return 'secret changed';
    if (from === undefined && to === undefined) return 'changed';
    if (from === undefined) return `added: ${to}`;
    return to === undefined ? `removed: ${from}` : `${from} → ${to}`;
  };
  return toPrintable(`  ${path}  ${what()}`);
}

function format({ outcome, file, changed, needsRestart, warnings }: ReloadAnswer): string {
  const head =
    outcome === 'applied'
      ? `reloaded ${file}: changes: ${changed.length}`
      : `reloaded ${file}: nothing to apply`;
  const restart = needsRestart.map((path) => `  ${path}`);
  return [
    head,
    ...changed.map(formatChange),
    ...(restart.length === 0 ? [] : ['changed in the file, but in use only after a restart of the relay:']),
    ...restart,
    ...(warnings.length === 0 ? [] : ['', formatProblems(warnings, file, 'warning')]),
  ].join('\n');
}

function formatRefusal({ file, problems }: RefusedAnswer): string {
  return `${formatProblems(problems, file)}\n\n${file}: problems: ${problems.length}; the relay keeps its current configuration`;
}

function isRefusal(error: unknown): error is AnswerError & { readonly answer: RefusedAnswer } {
  return error instanceof AnswerError && error.status === 422 && 'problems' in error.answer;
}

async function runReload(options: AdminOptions): Promise<void> {
  const client = await adminClient(options);
  try {
    const answer = await client.post<ReloadAnswer>('/config/reload');
    if (options.json === true) printJson(answer);
    else console.log(format(answer));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (options.json === true) printJson(error.answer);
    else console.log(formatRefusal(error.answer));
    process.exitCode = EXIT.usage;
  }
}

export function registerReload(program: Command): void {
  withAdminOptions(program.command('reload'))
    .description('make the running relay reread its configuration')
    .addHelpText('after', HELP)
    .action(runReload);
}
