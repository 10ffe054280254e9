import { styleText } from 'node:util';
import { CATALOGUE } from '../../capillary/catalogue.ts';
import type { JsonObject } from '../../capillary/json.ts';
import type { Config } from '../../config/config-schema.ts';
import type { MappingNote } from '../../mapping/mapping-result.ts';
import { formatNotes, toPrintable } from '../table.ts';
import { readVersion } from '../../version.ts';
import { findConfig } from '../command-config.ts';
import { CommandError, EXIT } from '../command-error.ts';
import { chooseSource, perSource, routeOf } from '../route.ts';
import { readBodies, textOrBytes } from './event-bodies.ts';
import { type MappedEvent, recordOf } from './mapping-record.ts';
import { createTrial, type Trial } from './mapping-trial.ts';
import { loadOrSample } from './sample-config.ts';
import { readStoredBodies, type StoredOptions } from './stored-bodies.ts';

export interface ShowOptions extends StoredOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly fromJournal?: boolean;
}

function formatEntity(title: string, entity: JsonObject): string {
  const bytes = Buffer.byteLength(JSON.stringify(entity));
  return `${styleText('bold', title)} (${bytes} bytes)\n${JSON.stringify(entity, undefined, 2)}`;
}

function formatAllNotes(notes: readonly MappingNote[], unread: readonly string[] = []): string {
  if (notes.length === 0 && unread.length === 0) return 'Nothing was left out or changed.';
  const parts = [
    ...(notes.length === 0 ? [] : [formatNotes(notes)]),
    ...(unread.length === 0
      ? []
      : [
          `Not read by any mapping: ${unread.length}\n${unread.map((path) => `  ${toPrintable(path)}`).join('\n')}`,
        ]),
  ];
  return parts.join('\n\n');
}

function describeEventName(name: string): string {
  const known = CATALOGUE.get(name);
  return known === undefined
    ? 'unknown: Capillary documents no such event name'
    : `${known.area}: ${known.meaning}`;
}

/** The result for one body, as text; `number` is its position in the input, from 1. */
function formatTrial(trial: Trial, number: number): string {
  const title = (text: string): string => styleText('bold', `--- ${number}  ${text}`);
  if (trial.outcome === 'not-an-event')
    return `${title('not an event')}\n${trial.code}: ${toPrintable(trial.detail)}`;
  const { eventName, eventId } = trial;
  const head = title(
    [toPrintable(eventName), toPrintable(eventId), describeEventName(eventName)].filter(Boolean).join('  '),
  );
  const notes = formatAllNotes(trial.notes, trial.outcome === 'messages' ? trial.unread : []);
  switch (trial.outcome) {
    case 'ignored':
      return `${head}\nIgnored, nothing is sent: ${trial.reason}\n\n${notes}`;
    case 'failed':
      return `${head}\nA dead letter (${trial.reason}): ${toPrintable(trial.detail)}\n\n${notes}`;
    case 'messages':
      return [
        head,
        ...(trial.event === undefined ? [] : [formatEntity('ExperienceEvent', trial.event)]),
        ...(trial.profile === undefined ? [] : [formatEntity('Profile record', trial.profile)]),
        ...(trial.erase
          ? ['The customer was deleted: the relay erases all stored data of the customer.']
          : []),
        notes,
      ].join('\n\n');
  }
}

/** The newest stored events, each of its own source; says on stderr how many lack their payload. */
async function readStored(config: Config, options: ShowOptions): Promise<readonly MappedEvent[]> {
  if (findConfig(options.config) === undefined)
    throw new CommandError("--from-journal requires --config with the relay's configuration", EXIT.usage);
  const stored = await readStoredBodies(config, options.config, options);
  const events = stored.flatMap(({ body, source, receipt, ...received }) =>
    body === undefined ? [] : [{ source, receipt, received, body: textOrBytes(body) }],
  );
  const removed = stored.length - events.length;
  if (removed > 0) console.error(`${removed} skipped, payload removed`);
  return events;
}

async function readFiles(
  config: Config,
  files: readonly string[],
  { source: name }: ShowOptions,
): Promise<readonly MappedEvent[]> {
  const source = chooseSource(config, name).name;
  const received = { receivedAt: Date.now() };
  return (await Promise.all(files.map(readBodies))).flat().map((body) => ({ source, body, received }));
}

/**
 * `map FILES` and `map --from-journal`: shows what each event becomes, and sets the exit code.
 */
export async function showEvents(files: readonly string[], options: ShowOptions): Promise<void> {
  const config = await loadOrSample(options.config, options.json === true);
  const isStored = options.fromJournal === true;
  const events = isStored ? await readStored(config, options) : await readFiles(config, files, options);
  const trialOf = perSource((name) => createTrial(routeOf(config, chooseSource(config, name))));
  const version = readVersion();
  for (const [index, event] of events.entries()) {
    const result = await trialOf(event.source)(event.body, event.received);
    if (result.outcome === 'not-an-event' || result.outcome === 'failed') process.exitCode = EXIT.failed;
    if (options.json === true) console.log(JSON.stringify(recordOf(result, event, version)));
    else console.log(`${index === 0 ? '' : '\n'}${formatTrial(result, index + 1)}`);
  }
}
