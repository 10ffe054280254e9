import { styleText } from 'node:util';
import type { EnrichmentAnswer, RecordAnswer, ReadAnswer } from '../admin-answers.ts';
import { toPrintable, wordsOf } from '../table.ts';
import { formatDuration, formatTime } from '../time-format.ts';
import { joinParts } from './event-timeline.ts';

/** Code of the note about a part that is missing. */
const INCOMPLETE = 'enrichment-incomplete';

/** What the API said about the customer, unless it was simply found. */
const ANSWERS: Readonly<Record<string, string>> = {
  'no-loyalty': 'in no loyalty program',
  merged: 'merged into another customer',
  erased: 'erased',
};

function formatContents(contents: ReadAnswer['contents']): string {
  const parts = Object.entries(contents).map(([name, count]) => `${wordsOf(name)} ${count}`);
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

function formatCall({ call, requestId, status }: ReadAnswer['calls'][number]): string {
  const facts = joinParts(
    status === undefined ? 'no answer' : `answered ${status}`,
    requestId === undefined ? undefined : `X-CAP-REQUEST-ID ${requestId}`,
  );
  return `  ${call}: ${facts}`;
}

/** How long after the receipt it was read; a replay can use what was read long before. */
function formatAge(readAt: string, { receivedAt }: RecordAnswer): string {
  const ms = Date.parse(readAt) - Date.parse(receivedAt);
  return `${formatDuration(Math.abs(ms))} ${ms < 0 ? 'before' : 'after'} the receipt of the event`;
}

function formatRead(name: string, read: ReadAnswer | undefined, record: RecordAnswer): readonly string[] {
  if (read === undefined) return [];
  const { readAt, contents, calls, answer = '' } = read;
  const said = ANSWERS[answer];
  return [
    `${name.padEnd(11)}read ${formatTime(readAt)}, ${formatAge(readAt, record)}${said === undefined ? '' : `; ${said}`}`,
    `  contains ${formatContents(contents)}`,
    ...calls.map(formatCall),
  ];
}

function formatRefresh({ refresh }: EnrichmentAnswer): readonly string[] {
  if (refresh === undefined) return [];
  const parts = [
    ...(refresh.customer ? ["the customer's profile"] : []),
    ...(refresh.bill ? ['the lines of the bill'] : []),
  ];
  const what = parts.length === 0 ? 'nothing any more' : parts.join(' and ');
  const when = refresh.isRunning
    ? 'is running'
    : `waits; it can begin ${formatTime(refresh.dueAt)}, when the API has calls left`;
  const tried = refresh.attempts === 0 ? '' : `; ${refresh.attempts} before it ended with something missing`;
  return [`${'missing'.padEnd(11)}${what}. A refresh ${when}${tried}.`];
}

/** There is one refresh for each customer, which the newest event has that was sent incomplete. */
function formatTakenOver({ notes }: RecordAnswer, { refresh }: EnrichmentAnswer): readonly string[] {
  const isNoted = notes.some(({ code, path }) => code === INCOMPLETE && path === 'entities.customer');
  return isNoted && refresh?.customer !== true
    ? [`${'profile'.padEnd(11)}completed by the refresh of a newer event of this customer`]
    : [];
}

/** What Capillary's API was asked for an event, what that gave, and what is still missing. */
export function formatEnrichment(record: RecordAnswer): string | undefined {
  const { enrichment = {} } = record;
  const lines = [
    ...formatRead('customer', enrichment.customer, record),
    ...formatRead('bill', enrichment.bill, record),
    ...formatRefresh(enrichment),
    ...formatTakenOver(record, enrichment),
  ];
  if (lines.length === 0) return undefined;
  return [styleText('bold', "From Capillary's API"), ...lines.map(toPrintable)].join('\n');
}
