import type { Config } from '../../config/config-schema.ts';
import { CommandError, EXIT } from '../command-error.ts';
import { chooseSource, perSource, routeOf } from '../route.ts';
import { reportComparison } from './compare-mappings.ts';
import type { ComparedEvent } from './diff-report.ts';
import { readBodies, readInput } from './event-bodies.ts';
import { diffTrials } from './mapping-diff.ts';
import { type MappingRecord, readRecords } from './mapping-record.ts';
import { createTrial, type Trial } from './mapping-trial.ts';
import { loadOrSample } from './sample-config.ts';

export interface CompareRecordsOptions {
  readonly config?: string;
  readonly source?: string;
  readonly json?: boolean;
}

/** A record with the event that it was made from. */
interface Recorded extends MappingRecord {
  readonly body: string | Uint8Array;
}

/** The events come from the records, or from the files that the records were made from. */
async function readRecorded(file: string, files: readonly string[]): Promise<readonly Recorded[]> {
  const records = readRecords((await readInput(file)).toString('utf8'), file, Date.now());
  const bodies = (await Promise.all(files.map(readBodies))).flat();
  if (files.length > 0 && bodies.length !== records.length)
    throw new CommandError(
      `${file} has ${records.length} records, but there are ${bodies.length} events in ${files.join(', ')}: ` +
        'name the files that the records were made from',
      EXIT.usage,
    );
  return records.map((record, index) => {
    const body = bodies[index] ?? record.body;
    if (body !== undefined) return { ...record, body };
    throw new CommandError(
      `${file} does not contain the events, because version 0.2.0 wrote it: also name the files that it was made from`,
      EXIT.usage,
    );
  });
}

/** Both are of one event, as far as both could read it. */
function isSameEvent(before: Trial, after: Trial): boolean {
  if (before.outcome === 'not-an-event' || after.outcome === 'not-an-event') return true;
  return before.eventName === after.eventName && before.eventId === after.eventId;
}

async function compare(
  config: Config,
  recorded: readonly Recorded[],
  source: string | undefined,
): Promise<readonly ComparedEvent[]> {
  const routeOfSource = (name: string | undefined) => routeOf(config, chooseSource(config, name));
  // Records of 0.2.0 name no source; the empty name stands for the only one.
  const trialOf = perSource((name) => createTrial(routeOfSource(name === '' ? undefined : name)));
  const events: ComparedEvent[] = [];
  for (const { trial: before, body, received, receipt, ...record } of recorded) {
    const name = source ?? record.source;
    const after = await trialOf(name ?? '')(body, received);
    const number = events.length + 1;
    if (!isSameEvent(before, after))
      throw new CommandError(
        `record ${number} was made from another event than number ${number}`,
        EXIT.usage,
      );
    events.push({
      number,
      ...(receipt === undefined ? {} : { receipt, ...(name === undefined ? {} : { source: name }) }),
      ...diffTrials({ trial: before }, { trial: after }),
    });
  }
  return events;
}

/**
 * `map --compare`: shows what this version maps differently from the version that wrote the
 * records. Exit codes as in `map --diff`.
 */
export async function compareRecords(
  file: string,
  files: readonly string[],
  options: CompareRecordsOptions,
): Promise<void> {
  await reportComparison(async () => {
    const config = await loadOrSample(options.config, options.json === true);
    const events = await compare(config, await readRecorded(file, files), options.source);
    return { events, withoutPayload: 0 };
  }, options);
}
