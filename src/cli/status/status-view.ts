import { stripVTControlCharacters, styleText } from 'node:util';
import type { DestinationAnswer, EventAnswer, HealthAnswer } from '../admin-answers.ts';
import { formatBalance } from '../ledger-command.ts';
import { formatTime, formatDuration } from '../time-format.ts';
import { formatTable, toPrintable } from '../table.ts';
import type { Snapshot, Rates } from './snapshot.ts';

type Tone = 'bold' | 'green' | 'yellow' | 'red' | 'dim';

/** One line of the screen. */
export interface Line {
  readonly text: string;
  readonly tone?: Tone;
}

/** What the status shows. */
export interface Status {
  readonly url: string;
  /** Epoch ms. */
  readonly now: number;
  /** The latest; absent before the first. */
  readonly snapshot?: Snapshot;
  readonly rates?: Rates;
  /** Why the latest request failed. */
  readonly problem?: string;
}

const TONES: Readonly<Record<string, Tone>> = { flowing: 'green', waiting: 'yellow', paused: 'red' };

function formatRate(rate: number): string {
  return rate > 0 && rate < 0.05 ? '<0.1' : rate.toFixed(1);
}

function rateLine(rates: Rates | undefined): string {
  return rates === undefined
    ? 'available after the next sample'
    : `${formatRate(rates.accepted)} accepted/s, ${formatRate(rates.delivered)} delivered/s, ${formatRate(rates.dead)} dead/s`;
}

/** The intake is open while the check `journal` of /readyz passes. */
function intakeLines({ checks }: HealthAnswer): Line[] {
  const failing = checks.filter(({ ok }) => !ok);
  const closed = failing.find(({ name }) => name === 'journal');
  const intake: Line =
    closed === undefined
      ? { text: 'intake    open', tone: 'green' }
      : {
          text: `intake    CLOSED, webhooks are answered 503: ${toPrintable(closed.detail ?? '')}`,
          tone: 'red',
        };
  const others = failing.filter((check) => check !== closed);
  return [
    intake,
    ...others.map(
      ({ name, detail }): Line => ({
        text: `failing   ${toPrintable(name)}: ${toPrintable(detail)}`,
        tone: 'red',
      }),
    ),
  ];
}

function ageOf(iso: string | undefined, now: number): number | undefined {
  return iso === undefined ? undefined : Math.max(0, now - Date.parse(iso));
}

function formatAge(iso: string | undefined, now: number): string {
  const ms = ageOf(iso, now);
  return ms === undefined ? '' : formatDuration(ms);
}

function backlogLine({ destinations, ledger }: Snapshot, now: number): string {
  const ages = destinations.flatMap(({ oldestPendingAt }) => ageOf(oldestPendingAt, now) ?? []);
  const oldest = ages.length === 0 ? '' : `, oldest ${formatDuration(Math.max(...ages))}`;
  return `backlog   ${ledger.pending}${oldest}`;
}

function formatTimeLeft(iso: string | undefined, now: number): string {
  if (iso === undefined) return '';
  const left = Date.parse(iso) - now;
  return left <= 0 ? 'now' : `in ${formatDuration(left)}`;
}

function tokenLifetime({ tokenSecondsLeft: left }: DestinationAnswer): string {
  if (left === undefined) return '';
  return left < 3_600 ? `${Math.floor(left)} s` : formatDuration(left * 1_000);
}

function tableLines<Row>(rows: readonly Row[], columns: Parameters<typeof formatTable<Row>>[1]): string[] {
  return stripVTControlCharacters(formatTable(rows, columns)).split('\n');
}

function destinationLines(destinations: readonly DestinationAnswer[], now: number): Line[] {
  const [head = '', ...rows] = tableLines(destinations, [
    { heading: 'DESTINATION', cell: ({ name }) => name },
    { heading: 'STATE', cell: ({ state }) => state },
    { heading: 'PENDING', cell: ({ pending }) => pending },
    { heading: 'OLDEST', cell: ({ oldestPendingAt }) => formatAge(oldestPendingAt, now) },
    { heading: 'REQUESTS', cell: ({ concurrency: { used, limit } }) => `${used} of ${limit}` },
    { heading: 'TOKEN TTL', cell: tokenLifetime },
    { heading: 'RETRY', cell: ({ nextTryAt }) => formatTimeLeft(nextTryAt, now) },
  ]);
  const lines = destinations.flatMap(({ state, reason, detail }, index): Line[] => {
    const why = [reason, detail].filter((part) => part !== undefined).map(toPrintable);
    const tone = TONES[state] ?? 'red';
    return [
      { text: rows[index] ?? '', tone },
      ...(why.length === 0 ? [] : [{ text: `  ${why.join(': ')}`, tone }]),
    ];
  });
  return [{ text: head, tone: 'bold' }, ...lines];
}

function deadLines(deadLetters: readonly EventAnswer[], now: number): Line[] {
  if (deadLetters.length === 0) return [{ text: 'no dead letters', tone: 'dim' }];
  const [head = '', ...rows] = tableLines(deadLetters, [
    { heading: 'LATEST DEAD LETTERS', cell: ({ receipt }) => receipt },
    { heading: 'AGE', cell: ({ receivedAt }) => formatAge(receivedAt, now) },
    { heading: 'REASON', cell: ({ state, reason }) => reason ?? state },
    { heading: 'EVENT', cell: ({ eventName }) => eventName },
  ]);
  return [{ text: head, tone: 'bold' }, ...rows.map((text): Line => ({ text }))];
}

function ledgerLines({ ledger }: Snapshot): Line[] {
  return formatBalance(ledger)
    .split('\n')
    .map((text) => ({ text, tone: ledger.balanced ? 'bold' : 'red' }));
}

function snapshotLines(snapshot: Snapshot, { now, rates }: Status): Line[] {
  return [
    ...intakeLines(snapshot.health),
    { text: `rates     ${rateLine(rates)}` },
    { text: backlogLine(snapshot, now) },
    { text: '' },
    ...destinationLines(snapshot.destinations, now),
    { text: '' },
    ...deadLines(snapshot.deadLetters, now),
    { text: '' },
    ...ledgerLines(snapshot),
  ];
}

/** The lines of the status, from top to bottom. */
export function statusLines(status: Status): Line[] {
  const { url, now, snapshot, problem } = status;
  const time = formatTime(new Date(now).toISOString());
  return [
    { text: `capillary-relay  ${url}  ${time}`, tone: 'bold' },
    ...(problem === undefined ? [] : [{ text: problem, tone: 'red' as const }]),
    ...(snapshot === undefined ? [] : snapshotLines(snapshot, status)),
  ];
}

function truncate(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/**
 * Truncates lines to the width and colours them, unless NO_COLOR is set or the output is a pipe.
 */
export function paint(lines: readonly Line[], width = Infinity): string[] {
  return lines.map(({ text, tone }) => {
    const fitting = truncate(text, width);
    return tone === undefined || fitting === '' ? fitting : styleText(tone, fitting);
  });
}
