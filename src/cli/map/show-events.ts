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
import { enrichedTrial, formatEnriched } from './enriched-trial.ts';
import { readBodies, textOrBytes } from './event-bodies.ts';
import { type KnownEntities, knownOf, toKnown } from './known-entities.ts';
import { type MappedEvent, recordOf } from './mapping-record.ts';
import { createTrial, type Trial } from './mapping-trial.ts';
import { loadOrSample } from './sample-config.ts';
import { readStoredBodies, type StoredOptions } from './stored-bodies.ts';

export interface ShowOptions extends StoredOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly fromJournal?: boolean;
  readonly enrich?: boolean;
  /** A file. */
  readonly entities?: string;
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

/** The first line of the result for one body; `number` is its position in the input, from 1. */
function titleOf(trial: Trial, number: number): string {
  if (trial.outcome === 'not-an-event') return styleText('bold', `--- ${number}  not an event`);
  const { eventName, eventId } = trial;
  const parts = [toPrintable(eventName), toPrintable(eventId), describeEventName(eventName)];
  return styleText('bold', `--- ${number}  ${parts.filter(Boolean).join('  ')}`);
}

/** The result for one body, as text. */
function formatTrial(trial: Trial): string {
  if (trial.outcome === 'not-an-event') return `${trial.code}: ${toPrintable(trial.detail)}`;
  const notes = formatAllNotes(trial.notes, trial.outcome === 'messages' ? trial.unread : []);
  switch (trial.outcome) {
    case 'ignored':
      return `Ignored, nothing is sent: ${trial.reason}\n\n${notes}`;
    case 'failed':
      return `A dead letter (${trial.reason}): ${toPrintable(trial.detail)}\n\n${notes}`;
    case 'messages':
      return [
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

/** What is known beyond the payloads; undefined: nothing is to be. */
async function knownFor(
  config: Config,
  { enrich, entities }: ShowOptions,
): Promise<KnownEntities | undefined> {
  if (entities !== undefined) return (await import('./entities-file.ts')).fileEntities(entities);
  return enrich === true ? (await import('./api-entities.ts')).apiEntities(config) : undefined;
}

/**
 * `map FILES` and `map --from-journal`: shows what each event becomes, and sets the exit code. With
 * what the API says of it, it shows the mapping without and with that.
 */
export async function showEvents(files: readonly string[], options: ShowOptions): Promise<void> {
  const config = await loadOrSample(options.config, options.json === true);
  const isStored = options.fromJournal === true;
  const events = isStored ? await readStored(config, options) : await readFiles(config, files, options);
  const known = await knownFor(config, options);
  try {
    await showAll(config, events, known, options);
  } finally {
    await known?.close();
  }
}

async function showAll(
  config: Config,
  events: readonly MappedEvent[],
  known: KnownEntities | undefined,
  { json = false }: ShowOptions,
): Promise<void> {
  const trialOf = perSource((name) => createTrial(routeOf(config, chooseSource(config, name))));
  const enrichedOf = perSource((name) => createTrial(routeOf(config, chooseSource(config, name))));
  const version = readVersion();
  for (const [index, event] of events.entries()) {
    const { body, received, source } = event;
    const result = await trialOf(source)(body, received);
    const enrichment = known && (await knownOf(known, event, chooseSource(config, source)));
    // Without anything known it is mapped too: the profile builds up from event to event.
    const enriched = known && (await enrichedOf(source)(body, { ...received, ...toKnown(enrichment) }));
    const more = enrichment && enriched && enrichedTrial(result, enriched, enrichment);
    const isBad = [result, enriched].some(
      (trial) => trial?.outcome === 'not-an-event' || trial?.outcome === 'failed',
    );
    if (isBad) process.exitCode = EXIT.failed;
    if (json) console.log(JSON.stringify({ ...recordOf(result, event, version), ...more }));
    else {
      const text = `${titleOf(result, index + 1)}\n${formatTrial(result)}`;
      const added = more === undefined ? '' : `\n\n${formatEnriched(more, formatTrial(more.enriched))}`;
      console.log(`${index === 0 ? '' : '\n'}${text}${added}`);
    }
  }
}
