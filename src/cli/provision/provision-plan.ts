import type { Command } from 'commander';
import { printJson } from '../admin-client.ts';
import { EXIT } from '../command-error.ts';
import { openSession, type ProvisionOptions, withProvisionOptions } from './provision-session.ts';
import { stopError, stopOf } from './provision-stop.ts';
import { type DestinationReport, formatPlan, hasChanges, planSummary, reportOf } from './provision-report.ts';
import { planSteps } from './step-engine.ts';

const HELP = `
Changes nothing, and needs only permissions to view. Says of each object: found; make; change, if it is one that
provision apply has made; by hand, if it differs and is not, with what to do.

Exit code: 0 nothing to change; 3 something to make, to change or different by hand; 1 it failed; 2 wrong usage or configuration.

--json prints {ok, file, state, destinations: [{destination, imsOrgId, sandbox, objects: [{key, kind, name, id, outcome,
details, fixes}], configuration: {values: [{key, value}], hints}}], error: {destination, kind, name, message, fix}}.

Examples:
  $ capillary-relay provision plan --config relay.yaml
  $ capillary-relay provision plan --destination acme-aep --json`;

async function runPlan(options: ProvisionOptions): Promise<void> {
  const session = await openSession(options, false);
  const { loaded, stateFile } = session;
  const reports: DestinationReport[] = [];
  const print = (more: { readonly ok: boolean; readonly error?: object }): void =>
    printJson({ ...more, file: loaded.path, state: stateFile, destinations: reports });
  try {
    for (const target of session.targets) {
      try {
        const job = await session.job(target);
        const objects = await planSteps(job.steps, job.run);
        reports.push(reportOf(target, objects, await job.complete()));
      } catch (error) {
        const stop = stopOf(target.destination.name, error);
        if (stop === undefined) throw error;
        if (options.json !== true) throw stopError(stop);
        print({ ok: false, error: stop });
        process.exitCode = EXIT.failed;
        return;
      }
    }
  } finally {
    await session.close();
  }
  if (options.json === true) print({ ok: true });
  else console.log(`${reports.map(formatPlan).join('\n\n')}\n\n${planSummary(reports)}`);
  process.exitCode = reports.some(hasChanges) ? EXIT.changes : EXIT.ok;
}

export function registerProvisionPlan(provision: Command): void {
  withProvisionOptions(provision.command('plan'))
    .description('show what would be made or changed at Adobe, and what differs by hand')
    .option('--json', 'print the plan as JSON')
    .addHelpText('after', HELP)
    .action(runPlan);
}
