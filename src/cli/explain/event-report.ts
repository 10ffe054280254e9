import { styleText } from 'node:util';
import type { DestinationAnswer, RecordAnswer, TimelineEntry } from '../admin-answers.ts';
import { formatNotes, formatTable, toPrintable } from '../table.ts';
import { formatDuration, formatPreciseTime, formatTime } from '../time-format.ts';
import { adviceFor } from './advice.ts';

type Attempt = Extract<TimelineEntry, { what: 'attempt' }>;

/** A line of the timeline; consecutive attempts with the same result share one. */
interface TimelineRow {
  readonly entry: TimelineEntry;
  /** Number of further attempts with the same result. */
  readonly repeats: number;
  /** Time of the last of them. */
  readonly lastAt: string;
}

const MESSAGE_NAMES: Readonly<Record<string, string>> = {
  event: 'ExperienceEvent',
  profile: 'profile record',
};

/** What a verifier checks, by its type: `header` in `header:x-relay-key`. */
export const VERIFIERS: Readonly<Record<string, string>> = {
  header: 'secret request header',
  bearer: 'bearer token',
  basic: 'user name and password',
  hmac: 'signature over the body',
  neo: 'signature of a Neo dataflow',
  'standard-webhooks': 'signature over id, time and body',
  none: 'not verified: the source accepts every request',
};

/** How the current configuration maps the name of an event, unless it has a mapping of its own. */
const MAPPINGS: Readonly<Record<string, string>> = {
  generic: 'generic: the relay has no mapping for this name, so its data is sent as text below the tenant',
  override: 'override: an expression of the source changes what the relay maps',
  none: 'none: the relay has no mapping for this name, and the source ignores such events',
};

function messageName(kind: string): string {
  return MESSAGE_NAMES[kind] ?? kind;
}

/** Joins the non-empty parts with commas. */
function joinParts(...parts: readonly (string | number | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}

/** `dead (rejected)`. */
function formatState({ state, reason }: { readonly state: string; readonly reason?: string }): string {
  return reason === undefined || reason === state ? state : `${state} (${reason})`;
}

function formatAttempt(attempt: Attempt): string {
  const { kind, outcome, status, detail, xactionId, durationMs, batchSize } = attempt;
  const facts = joinParts(
    status === undefined ? 'no answer' : `Adobe answered ${status}`,
    xactionId === undefined ? undefined : `xaction ${xactionId}`,
    `${durationMs} ms`,
    batchSize > 1 ? `batch of ${batchSize}` : undefined,
  );
  return `${messageName(kind)} ${outcome}: ${facts}${detail === undefined ? '' : `: ${detail}`}`;
}

function formatEntry(entry: TimelineEntry): string {
  switch (entry.what) {
    case 'received':
      return `from ${entry.source}, ${entry.bytes} bytes`;
    case 'verified': {
      const [verifier = ''] = entry.by.split(':');
      return joinParts(`by ${entry.by}`, VERIFIERS[verifier]);
    }
    case 'attempt':
      return formatAttempt(entry);
    case 'action':
      return `${entry.action} by ${entry.by}`;
    case 'settled':
      return `${formatState(entry)}${entry.detail === undefined ? '' : `: ${entry.detail}`}`;
  }
}

function haveSameResult(a: TimelineEntry, b: TimelineEntry): boolean {
  return (
    a.what === 'attempt' &&
    b.what === 'attempt' &&
    a.kind === b.kind &&
    a.outcome === b.outcome &&
    a.status === b.status &&
    a.detail === b.detail
  );
}

/** Merges consecutive attempts with the same result into the first of them. */
function mergeRepeats(entries: readonly TimelineEntry[]): TimelineRow[] {
  const rows: TimelineRow[] = [];
  for (const entry of entries) {
    const previous = rows.at(-1);
    if (previous !== undefined && haveSameResult(previous.entry, entry))
      rows.splice(-1, 1, { ...previous, repeats: previous.repeats + 1, lastAt: entry.at });
    else rows.push({ entry, repeats: 0, lastAt: entry.at });
  }
  return rows;
}

function formatTimeline(entries: readonly TimelineEntry[]): string {
  const start = Date.parse(entries[0]?.at ?? '');
  const elapsed = (at: string): string => `+${formatDuration(Date.parse(at) - start)}`;
  return formatTable(mergeRepeats(entries), [
    { heading: 'TIME', cell: ({ entry }) => formatPreciseTime(entry.at) },
    { heading: 'ELAPSED', cell: ({ entry }) => elapsed(entry.at) },
    { heading: 'STEP', cell: ({ entry }) => entry.what },
    {
      heading: 'DETAIL',
      cell: ({ entry, repeats, lastAt }) =>
        repeats === 0
          ? formatEntry(entry)
          : `${formatEntry(entry)} (and ${repeats} more with this result, the last at ${elapsed(lastAt)})`,
    },
  ]);
}

function messagesAtAdobe({ delivered }: RecordAnswer): string {
  return delivered.length === 0
    ? 'Adobe has none of its messages'
    : `Adobe has its ${delivered.map(messageName).join(' and its ')}`;
}

function countAttempts({ timeline }: RecordAnswer): string {
  const count = timeline.filter(({ what }) => what === 'attempt').length;
  return count === 1 ? '1 attempt' : `${count} attempts`;
}

function settledAfter({ receivedAt, settledAt }: RecordAnswer): string {
  if (settledAt === undefined) return '';
  const ms = Math.max(0, Date.parse(settledAt) - Date.parse(receivedAt));
  return ` ${formatDuration(ms)} after it was received`;
}

/** The state of an event in one or two sentences. */
function summaryOf(record: RecordAnswer): string {
  const { state, receivedAt, isReplay } = record;
  switch (state) {
    case 'pending': {
      const age = formatDuration(Math.max(0, Date.now() - Date.parse(receivedAt)));
      const status = isReplay === true ? 'was replayed and waits to be sent again' : 'waits to be sent';
      return `It ${status}. It was received ${age} ago; ${countAttempts(record)} so far. ${messagesAtAdobe(record)}. Nothing is lost.`;
    }
    case 'delivered':
      return `Adobe accepted it${settledAfter(record)}, in ${countAttempts(record)}.`;
    case 'ignored':
      return `It was accepted, but is not delivered. ${messagesAtAdobe(record)}.`;
    case 'malformed': {
      const summary = 'Its sender was verified, but it is not a valid event. It was never accepted.';
      return record.detail === undefined
        ? summary
        : `${summary}\nWhat is wrong: ${toPrintable(record.detail)}`;
    }
    default:
      return `It was moved to dead letters${settledAfter(record)}, after ${countAttempts(record)}. ${messagesAtAdobe(record)}.`;
  }
}

/** The messages that the event became, with those that Adobe has accepted. */
function formatMessages({ delivered, timeline, messageId }: RecordAnswer): string {
  const tried = timeline.flatMap((entry) => (entry.what === 'attempt' ? [entry.kind] : []));
  const kinds = [...new Set([...tried, ...delivered])];
  const messages = kinds.map(
    (kind) => `${messageName(kind)}${delivered.includes(kind) ? ' (accepted by Adobe)' : ''}`,
  );
  return joinParts(...messages, kinds.length > 0 && messageId !== undefined ? `_id ${messageId}` : undefined);
}

/** Answered as duplicates, so that their data is not delivered. */
function formatDifferingCopies({ differingCopies }: RecordAnswer): string {
  if (differingCopies === undefined) return '';
  const { count, lastAt } = differingCopies;
  const copies = count === 1 ? '1 duplicate' : `${count} duplicates`;
  return `${copies} with this id but other data, the last ${formatTime(lastAt)}; not delivered`;
}

function factsOf(record: RecordAnswer): readonly (readonly [name: string, value: string])[] {
  const { eventName = '', eventId, orgId, createdAt, customerId, identity } = record;
  const created = createdAt === undefined ? undefined : `created ${formatTime(createdAt)}`;
  return [
    ['event', joinParts(eventName, eventId, orgId === undefined ? undefined : `org ${orgId}`, created)],
    ['route', `${record.source} to ${record.destination}`],
    ['customer', customerId ?? ''],
    ['identity', identity ?? ''],
    ['mapped to', formatMessages(record)],
    ['mapping', MAPPINGS[record.mapping ?? ''] ?? ''],
    ['replays', record.replays === 0 ? '' : String(record.replays)],
    ['differing', formatDifferingCopies(record)],
  ];
}

function formatPayload({ body, bodyBase64, sent }: RecordAnswer): string {
  const shown = { ...(body === undefined ? { bodyBase64 } : { body }), sent };
  return JSON.stringify(shown, undefined, 2);
}

/**
 * Everything known about an event, as text.
 * @param context `destination`: its current state, if known; `options`: options with which the
 *   suggested commands reach the same relay, such as ` --url …`
 */
export function formatEventReport(
  record: RecordAnswer,
  context: { readonly destination: DestinationAnswer | undefined; readonly options: string },
): string {
  const facts = factsOf(record)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name.padEnd(11)}${toPrintable(value)}`);
  const hasPayload = record.body !== undefined || record.bodyBase64 !== undefined;
  const title = styleText('bold', `${toPrintable(record.receipt)}: ${toPrintable(formatState(record))}`);
  return [
    `${title}\n${summaryOf(record)}`,
    facts.join('\n'),
    formatTimeline(record.timeline),
    ...(record.notes.length > 0 ? [formatNotes(record.notes)] : []),
    ...(hasPayload ? [formatPayload(record)] : []),
    `${styleText('bold', 'What to do next')}\n${adviceFor(record, context.destination, context.options)}`,
  ].join('\n\n');
}
