import type { Config } from '../../config/config-schema.ts';
import { printJson } from '../admin-client.ts';
import { loadCommandConfig } from '../command-config.ts';
import { CommandError, EXIT, errorText } from '../command-error.ts';
import { type ComparedEvent, comparisonOf, formatComparison } from './diff-report.ts';
import { readBodies } from './event-bodies.ts';
import { createDiffer } from './mapping-diff.ts';
import { chooseSource, perSource, routeByName, routeOf } from '../route.ts';
import { readStoredBodies, type StoredOptions } from './stored-bodies.ts';

export interface CompareOptions extends StoredOptions {
  readonly json?: boolean;
  readonly fromJournal?: boolean;
}

interface Compared {
  readonly events: readonly ComparedEvent[];
  readonly withoutPayload: number;
}

async function compareFiles(
  old: Config,
  next: Config,
  files: readonly string[],
  { source }: CompareOptions,
): Promise<Compared> {
  const diff = createDiffer(
    routeOf(old, chooseSource(old, source)),
    routeOf(next, chooseSource(next, source)),
  );
  const received = { receivedAt: Date.now() };
  const events: ComparedEvent[] = [];
  for (const file of files)
    for (const body of await readBodies(file))
      events.push({ number: events.length + 1, ...(await diff(body, received)) });
  return { events, withoutPayload: 0 };
}

async function compareStored(
  old: Config,
  next: Config,
  file: string,
  options: CompareOptions,
): Promise<Compared> {
  const differOf = perSource((name) => createDiffer(routeByName(old, name), routeByName(next, name)));
  const events: ComparedEvent[] = [];
  let withoutPayload = 0;
  for (const { body, receipt, source: name, ...received } of await readStoredBodies(old, file, options)) {
    if (body === undefined) withoutPayload += 1;
    else {
      const diff = await differOf(name)(body, received);
      events.push({ number: events.length + 1, receipt, source: name, ...diff });
    }
  }
  return { events, withoutPayload };
}

async function compare(args: readonly string[], options: CompareOptions): Promise<Compared> {
  const [oldFile, newFile, ...files] = args;
  const isStored = options.fromJournal === true;
  if (oldFile === undefined || newFile === undefined || isStored !== (files.length === 0))
    throw new CommandError('--diff expects OLD.yaml NEW.yaml, then FILES or --from-journal', EXIT.usage);
  const { config: old } = await loadCommandConfig(oldFile);
  const { config: next } = await loadCommandConfig(newFile);
  return isStored ? compareStored(old, next, oldFile, options) : compareFiles(old, next, files, options);
}

/**
 * `map --diff`: shows what a changed configuration would send differently. As with diff(1), exit
 * code 1 means a difference, so every failure is 2.
 */
export async function compareMappings(args: readonly string[], options: CompareOptions): Promise<void> {
  await reportComparison(() => compare(args, options), options);
}

/** Prints a comparison, and sets the exit code. */
export async function reportComparison(
  produce: () => Promise<Compared>,
  { json }: { json?: boolean },
): Promise<void> {
  let compared: Compared;
  try {
    compared = await produce();
  } catch (error) {
    throw new CommandError(errorText(error) ?? 'the comparison failed', EXIT.usage);
  }
  const comparison = comparisonOf(compared.events, compared.withoutPayload);
  if (json === true) printJson(comparison);
  else console.log(formatComparison(comparison));
  if (comparison.different > 0) process.exitCode = EXIT.failed;
}
