import { type Command, Option } from 'commander';
import { printJson } from '../admin-client.ts';
import { EXIT } from '../command-error.ts';
import { durationBetween } from '../duration-option.ts';
import { formatDuration, formatTime } from '../time-format.ts';
import { fragmentOf } from './config-completion.ts';
import { SETTLE_MS, settledAt, waitUntil } from './dataflow-settle.ts';
import {
  openSession,
  type ProvisionOptions,
  type ProvisionSession,
  withProvisionOptions,
} from './provision-session.ts';
import { type DestinationReport, hasHandwork, progressLine, reportOf } from './provision-report.ts';
import { type ProvisionStop, stopError, stopOf } from './provision-stop.ts';
import { applySteps, type StepResult } from './step-engine.ts';
import { type DestinationValues, writeValues } from './write-values.ts';

interface ApplyOptions extends ProvisionOptions {
  readonly write?: boolean;
  /** ms. */
  readonly settle: number;
  /** False with --no-wait. */
  readonly wait: boolean;
}

const HELP = `
Makes what is missing, one object after the other, and writes each id to the state file. It may be ended at any point and
run again: nothing is made twice. Objects that it has not made are never changed. The ids go into the configuration with
--write; without it they are printed as YAML.

Objects are found by their names, which end with the name of the destination: relays that share a sandbox need
destinations of different names.

AEP can drop data in the first minutes of a dataflow: the command waits until the dataflows are old enough.

Exit code: 0 everything exists; 1 it failed, or something differs that only a person can change; 2 wrong usage or configuration.

--json prints, once at the end, {ok, file, state, destinations: [{destination, imsOrgId, sandbox, objects: [{key, kind, name,
id, outcome, details, fixes}], configuration: {values: [{key, value}], hints}}], written, readyAt, error: {destination, kind,
name, message, fix}}; the error of a configuration that cannot be written has only its message.

Examples:
  $ capillary-relay provision apply --config relay.yaml
  $ capillary-relay provision apply --config relay.yaml --write
  $ capillary-relay provision apply --destination acme-aep --no-wait --json`;

/** What a run has done so far. */
interface ApplyOutcome {
  readonly reports: DestinationReport[];
  stop?: ProvisionStop;
}

async function applyAll(session: ProvisionSession, isQuiet: boolean): Promise<ApplyOutcome> {
  const outcome: ApplyOutcome = { reports: [] };
  for (const target of session.targets) {
    const objects: StepResult[] = [];
    const onResult = (result: StepResult): void => {
      objects.push(result);
      if (!isQuiet) console.log(progressLine(result));
    };
    try {
      const job = await session.job(target);
      await applySteps(job.steps, job.run, onResult);
      outcome.reports.push(reportOf(target, objects, await job.complete()));
    } catch (error) {
      const stop = stopOf(target.destination.name, error);
      if (stop === undefined) throw error;
      outcome.reports.push(reportOf(target, objects, { values: [], hints: [] }));
      return { ...outcome, stop };
    }
  }
  return outcome;
}

function valuesOf({ targets }: ProvisionSession, reports: readonly DestinationReport[]): DestinationValues[] {
  return reports.map(({ destination, configuration }, position) => ({
    destination,
    index: targets[position]?.index ?? 0,
    values: configuration.values,
  }));
}

/** The objects exist by then, so their ids are shown before the command ends with the error. */
async function failureOf(writing: Promise<void>): Promise<Error | undefined> {
  try {
    await writing;
    return undefined;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

function isUnchanged({ objects }: DestinationReport): boolean {
  return objects.every(({ outcome }) => outcome === 'found');
}

function showConfiguration(file: string, reports: readonly DestinationReport[], isWritten: boolean): void {
  const lacking = reports.filter(({ configuration }) => configuration.values.length > 0);
  for (const { destination, configuration } of lacking) {
    const keys = configuration.values.map(({ key }) => key).join(', ');
    if (isWritten) console.log(`written to ${file}: ${destination}: ${keys}`);
    else
      console.log(
        `\nAdd to ${file}, or run the command again with --write:\n\n${fragmentOf(destination, configuration.values)}\n`,
      );
  }
  for (const { configuration } of reports)
    for (const hint of configuration.hints) console.log(`hint: ${hint}`);
}

async function settle(readyAt: number, { wait, json }: ApplyOptions): Promise<void> {
  const time = formatTime(new Date(readyAt).toISOString());
  const say = (text: string): void => {
    if (json !== true) console.log(text);
  };
  if (!wait) {
    say(`AEP can drop the data of a new dataflow: send no events before ${time}`);
    return;
  }
  await waitUntil(readyAt, (left) =>
    say(`waiting ${formatDuration(left)}, until ${time}: AEP can drop the data of a new dataflow`),
  );
  say('the dataflows are old enough for data');
}

async function runApply(options: ApplyOptions): Promise<void> {
  const session = await openSession(options, true);
  try {
    await run(session, options);
  } finally {
    await session.close();
  }
}

async function run(session: ProvisionSession, options: ApplyOptions): Promise<void> {
  const { json = false, write = false } = options;
  const { loaded, stateFile } = session;
  const { reports, stop } = await applyAll(session, json);
  const isByHand = reports.some(hasHandwork);
  const common = { file: loaded.path, state: stateFile, destinations: reports };
  if (stop !== undefined) {
    if (!json) throw stopError(stop);
    printJson({ ok: false, ...common, written: false, error: stop });
    process.exitCode = EXIT.failed;
    return;
  }
  const isLacking = reports.some(({ configuration }) => configuration.values.length > 0);
  const unwritten =
    write && isLacking ? await failureOf(writeValues(loaded, valuesOf(session, reports))) : undefined;
  const isWritten = write && isLacking && unwritten === undefined;
  if (!json) {
    if (reports.every(isUnchanged) && !isLacking) console.log('nothing to change');
    showConfiguration(loaded.path, reports, isWritten);
  }
  if (unwritten !== undefined) {
    if (!json) throw unwritten;
    printJson({ ok: false, ...common, written: false, error: { message: unwritten.message } });
    process.exitCode = EXIT.failed;
    return;
  }
  const readyAt = settledAt(
    reports.flatMap(({ objects }) => objects),
    options.settle,
    Date.now(),
  );
  if (readyAt !== undefined) await settle(readyAt, options);
  const ready = readyAt === undefined ? {} : { readyAt: new Date(readyAt).toISOString() };
  if (json) printJson({ ok: !isByHand, ...common, written: isWritten, ...ready });
  process.exitCode = isByHand ? EXIT.failed : EXIT.ok;
}

export function registerProvisionApply(provision: Command): void {
  withProvisionOptions(provision.command('apply'))
    .description('make what is missing at Adobe, and wait until data can be sent')
    .option('--write', 'write ids, tenant and features into the configuration')
    .addOption(
      new Option('--settle <duration>', 'how old a dataflow has to be before data is sent')
        .argParser(durationBetween({ max: '1h' }))
        .default(SETTLE_MS, '5m'),
    )
    .option('--no-wait', 'do not wait for that; say from when data can be sent')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', HELP)
    .action(runApply);
}
