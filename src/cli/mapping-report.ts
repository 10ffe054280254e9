import { styleText } from 'node:util';
import { CATALOGUE } from '../capillary/catalogue.ts';
import type { JsonObject } from '../capillary/json.ts';
import type { MappingNote } from '../mapping/mapped.ts';
import type { Trial } from './mapping-trial.ts';
import { formatNotes } from './notes-table.ts';
import { printable } from './printable.ts';

function sizeOf(entity: JsonObject): string {
  return `${Buffer.byteLength(JSON.stringify(entity))} bytes`;
}

function block(title: string, entity: JsonObject): string {
  return `${styleText('bold', title)} (${sizeOf(entity)})\n${JSON.stringify(entity, undefined, 2)}`;
}

function notesOf(notes: readonly MappingNote[]): string {
  return notes.length === 0 ? 'Nothing was left out or changed.' : formatNotes(notes);
}

function nameOf(trial: Exclude<Trial, { outcome: 'not-an-event' }>): string {
  return [...[trial.eventName, trial.eventId].map(printable), meaningOf(trial.eventName)]
    .filter(Boolean)
    .join('  ');
}

function meaningOf(name: string): string {
  const known = CATALOGUE.get(name);
  return known === undefined
    ? 'unknown: Capillary has published no such event name'
    : `${known.area}: ${known.meaning}`;
}

/** One body's trial as a page for the integration engineer; `number` is its place in the input, from 1. */
export function formatTrial(trial: Trial, number: number): string {
  const title = (text: string): string => styleText('bold', `--- ${number}  ${text}`);
  switch (trial.outcome) {
    case 'not-an-event':
      return `${title('not an event')}\n${trial.code}: ${printable(trial.detail)}`;
    case 'ignored':
      return `${title(nameOf(trial))}\nIgnored, nothing is sent: ${trial.reason}\n\n${notesOf(trial.notes)}`;
    case 'failed':
      return `${title(nameOf(trial))}\nA dead letter (${trial.reason}): ${printable(trial.detail)}\n\n${notesOf(trial.notes)}`;
    case 'messages':
      return [
        title(nameOf(trial)),
        ...(trial.event === undefined ? [] : [block('ExperienceEvent', trial.event)]),
        ...(trial.profile === undefined ? [] : [block('Profile record', trial.profile)]),
        ...(trial.erase ? ['The customer was deleted: what the relay keeps of them is erased.'] : []),
        notesOf(trial.notes),
      ].join('\n\n');
  }
}
