import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { printJson } from './admin-client.ts';
import { CommandError, EXIT, explainError } from './command-error.ts';
import { type ComparedEvent, comparisonOf, formatComparison } from './diff-report.ts';
import { splitBodies } from './event-bodies.ts';
import { readInput } from './input-file.ts';
import { createDiffer, type EventDiff } from './mapping-diff.ts';
import { chooseSource } from './source-choice.ts';
import { readStoredBodies } from './stored-bodies.ts';
import { type Way, wayOf } from './way.ts';

export interface DiffOptions {
  readonly source?: string;
  readonly json?: boolean;
  readonly fromJournal?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: number;
  readonly url?: string;
}

/** Stored events that are compared unless told otherwise. */
const DEFAULT_LIMIT = 500;

interface Compared {
  readonly events: readonly ComparedEvent[];
  readonly withoutPayload: number;
}

async function compareFiles(
  old: Config,
  next: Config,
  files: readonly string[],
  { source }: DiffOptions,
): Promise<Compared> {
  const diff = createDiffer(
    wayOf(old, chooseSource(old, source)),
    wayOf(next, chooseSource(next, source)),
    Date.now(),
  );
  const events: ComparedEvent[] = [];
  for (const file of files)
    for (const body of splitBodies(await readInput(file)))
      events.push({ number: events.length + 1, ...(await diff(body)) });
  return { events, withoutPayload: 0 };
}

function wayNamed(config: Config, name: string): Way | undefined {
  const source = config.sources.find((one) => one.name === name);
  return source && wayOf(config, source);
}

async function compareStored(
  old: Config,
  next: Config,
  file: string,
  options: DiffOptions,
): Promise<Compared> {
  const { source, since, until, limit = DEFAULT_LIMIT, url } = options;
  const selection = {
    limit,
    ...(source === undefined ? {} : { source }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
  const differs = new Map<string, ReturnType<typeof createDiffer>>();
  const differOf = (name: string) => {
    const known = differs.get(name) ?? createDiffer(wayNamed(old, name), wayNamed(next, name), Date.now());
    differs.set(name, known);
    return known;
  };
  const events: ComparedEvent[] = [];
  let withoutPayload = 0;
  for (const { body, receipt, source: name, ...received } of await readStoredBodies(
    old,
    file,
    url,
    selection,
  )) {
    if (body === undefined) withoutPayload += 1;
    else {
      const diff: EventDiff = await differOf(name)(body.toString('utf8'), received);
      events.push({ number: events.length + 1, receipt, source: name, ...diff });
    }
  }
  return { events, withoutPayload };
}

async function compare(words: readonly string[], options: DiffOptions): Promise<Compared> {
  const [oldFile, newFile, ...files] = words;
  const isStored = options.fromJournal === true;
  if (oldFile === undefined || newFile === undefined || isStored !== (files.length === 0))
    throw new CommandError('--diff takes OLD.yaml NEW.yaml, then FILES or --from-journal', EXIT.usage);
  const [old, next] = [oldFile, newFile].map((file) => loadConfig(file, process.env).config) as [
    Config,
    Config,
  ];
  return isStored ? compareStored(old, next, oldFile, options) : compareFiles(old, next, files, options);
}

/**
 * Shows what a changed configuration would send differently. As with diff(1), 1 says that something differs, so whatever goes wrong ends with 2.
 */
export async function mapDiff(words: readonly string[], options: DiffOptions): Promise<void> {
  let compared: Compared;
  try {
    compared = await compare(words, options);
  } catch (error) {
    throw new CommandError(explainError(error) ?? 'the comparison failed', EXIT.usage);
  }
  const comparison = comparisonOf(compared.events, compared.withoutPayload);
  if (options.json === true) printJson(comparison);
  else console.log(formatComparison(comparison));
  if (comparison.different > 0) process.exitCode = EXIT.failed;
}
