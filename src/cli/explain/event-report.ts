import { styleText } from 'node:util';
import type { DestinationAnswer, LandingAnswer, RecordAnswer } from '../admin-answers.ts';
import { formatNotes, toPrintable } from '../table.ts';
import { formatDuration, formatTime } from '../time-format.ts';
import { adviceFor } from './advice.ts';
import { formatEnrichment } from './enrichment-report.ts';
import { formatState, formatTimeline, joinParts, messageName } from './event-timeline.ts';
import { formatPayload } from './payload-text.ts';
import type { GivenOptions } from './relay-options.ts';

/** How the current configuration maps the name of an event, unless it has a mapping of its own. */
const MAPPINGS: Readonly<Record<string, string>> = {
  generic: 'generic: the relay has no mapping for this name, so its data is sent as text below the tenant',
  override: 'override: an expression of the source changes what the relay maps',
  none: 'none: the relay has no mapping for this name, and the source ignores such events',
};

/** Of an event that is not sent for another reason. */
const GENERIC_IF_SENT =
  'generic: the relay has no mapping for this name; if the event were sent, its data would be text below the tenant';

function messagesAtAdobe({ delivered }: RecordAnswer): string {
  return delivered.length === 0
    ? 'Adobe has none of its messages'
    : `Adobe has its ${delivered.map(messageName).join(' and its ')}`;
}

/** `, in 3 attempts`; of several messages how often each was sent: each is a request of its own. */
function describeAttempts({ timeline }: RecordAnswer, preposition: string): string {
  const counts = new Map<string, number>();
  for (const entry of timeline)
    if (entry.what === 'attempt') counts.set(entry.kind, (counts.get(entry.kind) ?? 0) + 1);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (counts.size < 2)
    return `${preposition} ${total === 0 ? 'no' : total} ${total === 1 ? 'attempt' : 'attempts'}`;
  if (total === counts.size) return `; ${total} messages, each sent once`;
  const each = [...counts].map(([kind, count]) => `${messageName(kind)} ${count}`);
  return `; requests: ${each.join(', ')}`;
}

function settledAfter({ receivedAt, settledAt }: RecordAnswer): string {
  if (settledAt === undefined) return '';
  const ms = Math.max(0, Date.parse(settledAt) - Date.parse(receivedAt));
  return ` ${formatDuration(ms)} after it was received`;
}

/** Of an event that is pending because of a refresh. Adobe has what was sent before. */
const BEING_COMPLETED =
  "It was sent and is being completed: what it lacked is read from Capillary's API. Nothing is lost.";

/** The state of an event in one or two sentences. */
function summaryOf(record: RecordAnswer): string {
  const { state, receivedAt, isReplay } = record;
  switch (state) {
    case 'pending': {
      if (record.enrichment?.refresh?.isRunning === true) return BEING_COMPLETED;
      const age = formatDuration(Math.max(0, Date.now() - Date.parse(receivedAt)));
      const status = isReplay === true ? 'was replayed and waits to be sent again' : 'waits to be sent';
      return `It ${status}. It was received ${age} ago${describeAttempts(record, ', with')} so far. ${messagesAtAdobe(record)}. Nothing is lost.`;
    }
    case 'delivered':
      return `Adobe accepted it${settledAfter(record)}${describeAttempts(record, ', in')}.`;
    case 'ignored':
      return `It was accepted, but is not delivered. ${messagesAtAdobe(record)}.`;
    case 'malformed': {
      const summary = 'Its sender was verified, but it is not a valid event. It was never accepted.';
      return record.detail === undefined
        ? summary
        : `${summary}\nWhat is wrong: ${toPrintable(record.detail)}`;
    }
    default:
      return `It was moved to dead letters${settledAfter(record)}${describeAttempts(record, ', after')}. ${messagesAtAdobe(record)}.`;
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

function describeMapping({ mapping = '', state }: RecordAnswer): string {
  return mapping === 'generic' && state === 'ignored' ? GENERIC_IF_SENT : (MAPPINGS[mapping] ?? '');
}

function factsOf(record: RecordAnswer): readonly (readonly [name: string, value: string])[] {
  const { eventName = '', eventId, orgId, createdAt, customerId, identity } = record;
  const created = createdAt === undefined ? undefined : `created ${formatTime(createdAt)}`;
  return [
    ['event', joinParts(eventName, eventId, orgId === undefined ? undefined : `org ${orgId}`, created)],
    ['route', `${record.source} to ${record.destination}`],
    ['customer', customerId ?? ''],
    ['identity', identity === undefined ? '' : `${identity}, by which the relay finds duplicates`],
    ['mapped to', formatMessages(record)],
    ['mapping', describeMapping(record)],
    ['replays', record.replays === 0 ? '' : String(record.replays)],
    ['differing', formatDifferingCopies(record)],
  ];
}

/** The last line: whether it is in AEP. */
function formatLanding(landing: LandingAnswer): string {
  if (landing.state === 'landed') return `in the lake since ${formatTime(landing.since)}`;
  const { code, detail } = landing;
  if (code === undefined) return 'unconfirmed: not compared with AEP yet';
  return toPrintable(`unconfirmed: ${code}${detail === undefined ? '' : `: ${detail}`}`);
}

/**
 * Everything known about an event, as text.
 * @param context `destination`: its current state, if known; `given`: options of the running
 *   command, with which the suggested ones reach the same relay
 */
export function formatEventReport(
  record: RecordAnswer,
  context: { readonly destination: DestinationAnswer | undefined; readonly given: GivenOptions },
): string {
  const facts = factsOf(record)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name.padEnd(11)}${toPrintable(value)}`);
  const hasPayload = record.body !== undefined || record.bodyBase64 !== undefined;
  const enrichment = formatEnrichment(record);
  const title = styleText('bold', `${toPrintable(record.receipt)}: ${toPrintable(formatState(record))}`);
  return [
    `${title}\n${summaryOf(record)}`,
    facts.join('\n'),
    formatTimeline(record.timeline),
    ...(enrichment === undefined ? [] : [enrichment]),
    ...(record.notes.length > 0 ? [formatNotes(record.notes)] : []),
    ...(hasPayload ? [formatPayload(record)] : []),
    `${styleText('bold', 'What to do next')}\n${adviceFor(record, context.destination, context.given)}`,
    ...(record.landing === undefined ? [] : [formatLanding(record.landing)]),
  ].join('\n\n');
}
