import { styleText } from 'node:util';
import type { DestinationAnswer, RecordAnswer, TimelineEntry } from './admin-answers.ts';
import { adviceFor } from './advice.ts';
import { formatInstant, formatMoment } from './moment.ts';
import { formatNotes } from './notes-table.ts';
import { printable } from './printable.ts';
import { formatTable } from './table.ts';

const MESSAGES: Readonly<Record<string, string>> = { event: 'ExperienceEvent', profile: 'profile record' };

const message = (kind: string): string => MESSAGES[kind] ?? kind;

const joined = (...parts: readonly (string | number | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join(', ');

const stateOf = ({ state, reason }: { readonly state: string; readonly reason?: string }): string =>
  reason === undefined || reason === state ? state : `${state} (${reason})`;

const attempt = (entry: Extract<TimelineEntry, { what: 'attempt' }>): string => {
  const { kind, outcome, status, detail, xactionId, durationMs, batchSize } = entry;
  const xaction = xactionId === undefined ? undefined : `xaction ${xactionId}`;
  const answer = status === undefined ? 'no answer' : `Adobe answered ${status}`;
  const facts = joined(
    answer,
    xaction,
    `${durationMs} ms`,
    batchSize > 1 ? `batch of ${batchSize}` : undefined,
  );
  return `${message(kind)} ${outcome}: ${facts}${detail === undefined ? '' : `: ${detail}`}`;
};

const tell = (entry: TimelineEntry): string => {
  switch (entry.what) {
    case 'received':
      return `from ${entry.source}, ${entry.bytes} bytes`;
    case 'verified':
      return `by ${entry.by}`;
    case 'attempt':
      return attempt(entry);
    case 'action':
      return `${entry.action} by ${entry.by}`;
    case 'settled':
      return `${stateOf(entry)}${entry.detail === undefined ? '' : `: ${entry.detail}`}`;
  }
};

const timeline = (entries: readonly TimelineEntry[]): string =>
  formatTable(entries, [
    { heading: 'WHEN', cell: ({ at }) => formatInstant(at) },
    { heading: 'WHAT', cell: ({ what }) => what },
    { heading: 'DETAIL', cell: tell },
  ]);

/** What the event became: messages that Adobe has, and those that were tried. */
const mappedTo = ({ delivered, timeline: entries, messageId }: RecordAnswer): string => {
  const tried = entries.flatMap((entry) => (entry.what === 'attempt' ? [entry.kind] : []));
  const kinds = [...new Set([...tried, ...delivered])];
  const told = kinds.map((kind) => `${message(kind)}${delivered.includes(kind) ? ' (taken by Adobe)' : ''}`);
  return joined(...told, kinds.length > 0 && messageId !== undefined ? `_id ${messageId}` : undefined);
};

const facts = (record: RecordAnswer): readonly (readonly [string, string])[] => {
  const { eventName = '', eventId, orgId, createdAt, customerId, identity } = record;
  const created = createdAt === undefined ? undefined : `created ${formatMoment(createdAt)}`;
  return [
    ['event', joined(eventName, eventId, orgId === undefined ? undefined : `org ${orgId}`, created)],
    ['way', `${record.source} to ${record.destination}`],
    ['customer', customerId ?? ''],
    ['identity', identity ?? ''],
    ['mapped to', mappedTo(record)],
    ['replays', record.replays === 0 ? '' : String(record.replays)],
  ];
};

const content = ({ body, bodyBase64, sent }: RecordAnswer): string => {
  const shown = { ...(body === undefined ? { bodyBase64 } : { body }), sent };
  return JSON.stringify(shown, undefined, 2);
};

/**
 * All that is known of an event, for a person.
 * @param destination how its destination does now, if that is known
 */
export const formatStory = (record: RecordAnswer, destination: DestinationAnswer | undefined): string => {
  const lines = facts(record)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name.padEnd(11)}${printable(value)}`);
  const hasContent = record.body !== undefined || record.bodyBase64 !== undefined;
  return [
    styleText('bold', `${printable(record.receipt)}: ${printable(stateOf(record))}`),
    lines.join('\n'),
    timeline(record.timeline),
    ...(record.notes.length > 0 ? [formatNotes(record.notes)] : []),
    ...(hasContent ? [content(record)] : []),
    `${styleText('bold', 'What to do next')}\n${adviceFor(record, destination)}`,
  ].join('\n\n');
};
