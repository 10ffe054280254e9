import { styleText } from 'node:util';
import type { DestinationAnswer, RecordAnswer } from './admin-answers.ts';
import { adviceFor } from './advice.ts';
import { standingOf } from './event-standing.ts';
import { formatTimeline, joined, messageName, stateOf } from './event-timeline.ts';
import { formatMoment } from './moment.ts';
import { formatNotes } from './notes-table.ts';
import { printable } from './printable.ts';

/** What the event became: messages that Adobe has, and those that were tried. */
function mappedTo({ delivered, timeline: entries, messageId }: RecordAnswer): string {
  const tried = entries.flatMap((entry) => (entry.what === 'attempt' ? [entry.kind] : []));
  const kinds = [...new Set([...tried, ...delivered])];
  const told = kinds.map(
    (kind) => `${messageName(kind)}${delivered.includes(kind) ? ' (taken by Adobe)' : ''}`,
  );
  return joined(...told, kinds.length > 0 && messageId !== undefined ? `_id ${messageId}` : undefined);
}

function facts(record: RecordAnswer): readonly (readonly [string, string])[] {
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
}

function content({ body, bodyBase64, sent }: RecordAnswer): string {
  const shown = { ...(body === undefined ? { bodyBase64 } : { body }), sent };
  return JSON.stringify(shown, undefined, 2);
}

/**
 * All that is known of an event, for a person.
 * @param around how its destination does now, if that is known; the options by which commands find the relay, such as ` --url …`
 */
export function formatStory(
  record: RecordAnswer,
  { destination, options }: { readonly destination: DestinationAnswer | undefined; readonly options: string },
): string {
  const lines = facts(record)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name.padEnd(11)}${printable(value)}`);
  const hasContent = record.body !== undefined || record.bodyBase64 !== undefined;
  return [
    `${styleText('bold', `${printable(record.receipt)}: ${printable(stateOf(record))}`)}\n${standingOf(record, Date.now())}`,
    lines.join('\n'),
    formatTimeline(record.timeline),
    ...(record.notes.length > 0 ? [formatNotes(record.notes)] : []),
    ...(hasContent ? [content(record)] : []),
    `${styleText('bold', 'What to do next')}\n${adviceFor(record, destination, options)}`,
  ].join('\n\n');
}
