import { styleText } from 'node:util';
import { CATALOGUE } from '../../capillary/catalogue.ts';
import type { JsonObject } from '../../capillary/json.ts';
import { type Config, configSchema } from '../../config/config-schema.ts';
import type { MappingNote } from '../../mapping/mapping-result.ts';
import { formatNotes, toPrintable } from '../table.ts';
import { loadCommandConfig } from '../command-config.ts';
import { EXIT } from '../command-error.ts';
import { chooseSource, routeOf } from '../route.ts';
import { readBodies } from './event-bodies.ts';
import { createTrial, type Trial } from './mapping-trial.ts';

export interface ShowOptions {
  readonly config?: string;
  readonly source?: string;
  readonly json?: boolean;
}

function sampleDataflow(type: string) {
  return {
    schemaId: `https://ns.adobe.com/acme/schemas/sample-${type}`,
    datasetId: `sample-${type}-dataset`,
    flowId: `sample-${type}-flow`,
  };
}

/**
 * Source and destination to map with when no configuration is given: tenant `_acme`, and samples of
 * Capillary's Test button are mapped too.
 */
function createSampleConfig(): Config {
  return configSchema.parse({
    sources: [
      { name: 'sample', destination: 'sample-aep', testEvents: 'deliver', verify: [{ type: 'none' }] },
    ],
    destinations: [
      {
        name: 'sample-aep',
        imsOrgId: '000000000000000000000000@AdobeOrg',
        sandbox: 'sample',
        inletUrl: 'https://dcs.adobedc.net/collection/sample',
        authenticated: false,
        events: sampleDataflow('events'),
        profile: sampleDataflow('profile'),
        tenant: '_acme',
      },
    ],
  });
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

/** `map FILES`: shows what each event becomes, and sets the exit code. */
export async function showEvents(files: readonly string[], options: ShowOptions): Promise<void> {
  const { config: file, source, json = false } = options;
  const config = file === undefined ? createSampleConfig() : (await loadCommandConfig(file)).config;
  const trial = createTrial({ ...routeOf(config, chooseSource(config, source)), now: Date.now() });
  const bodies = (await Promise.all(files.map(readBodies))).flat();
  for (const [index, body] of bodies.entries()) {
    const result = await trial(body);
    if (result.outcome === 'not-an-event' || result.outcome === 'failed') process.exitCode = EXIT.failed;
    if (json) console.log(JSON.stringify(result));
    else console.log(`${index === 0 ? '' : '\n'}${formatTrial(result, index + 1)}`);
  }
}
