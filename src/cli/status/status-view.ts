import type { DestinationAnswer, EventAnswer, HealthAnswer } from '../admin-answers.ts';
import { formatBalance } from '../ledger-command.ts';
import { formatTime, formatDuration } from '../time-format.ts';
import { toPrintable } from '../table.ts';
import { LABEL_WIDTH, webhookLines } from './intake-lines.ts';
import type { Snapshot, Rates } from './snapshot.ts';
import {
  cutAtWord,
  type FittingColumn,
  fittingTable,
  type Line,
  type Tone,
  wrapLine,
} from './status-line.ts';

/** What the status shows. */
export interface Status {
  readonly url: string;
  /** Options with which the commands that are shown reach this relay. */
  readonly options?: string;
  /** Epoch ms. */
  readonly now: number;
  /** The latest; absent before the first. */
  readonly snapshot?: Snapshot;
  readonly rates?: Rates;
  /** Why the latest request failed, in a few words; what is shown is then old. */
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
          hang: LABEL_WIDTH,
        };
  const others = failing.filter((check) => check !== closed);
  return [
    intake,
    ...others.map(
      ({ name, detail }): Line => ({
        text: `failing   ${toPrintable(name)}: ${toPrintable(detail)}`,
        tone: 'red',
        hang: LABEL_WIDTH,
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

function destinationLines(destinations: readonly DestinationAnswer[], now: number, width: number): Line[] {
  const columns: FittingColumn<DestinationAnswer>[] = [
    { heading: 'DESTINATION', cell: ({ name }) => name, cutTo: 60 },
    { heading: 'STATE', cell: ({ state }) => state },
    { heading: 'PENDING', cell: ({ pending }) => pending },
    { heading: 'OLDEST', cell: ({ oldestPendingAt }) => formatAge(oldestPendingAt, now), leaveOut: 3 },
    { heading: 'REQUESTS', cell: ({ concurrency: { used, limit } }) => `${used} of ${limit}`, leaveOut: 2 },
    { heading: 'TOKEN TTL', cell: tokenLifetime, leaveOut: 1 },
    { heading: 'RETRY', cell: ({ nextTryAt }) => formatTimeLeft(nextTryAt, now), leaveOut: 4 },
  ];
  const [head = '', ...rows] = fittingTable(destinations, columns, width);
  const lines = destinations.flatMap(({ state, reason, detail }, index): Line[] => {
    const why = [reason, detail].filter((part) => part !== undefined).map(toPrintable);
    const tone = TONES[state] ?? 'red';
    return [
      { text: rows[index] ?? '', tone },
      ...(why.length === 0 ? [] : [{ text: `  ${why.join(': ')}`, tone, hang: 4 }]),
    ];
  });
  return [{ text: head, tone: 'bold' }, ...lines];
}

function deadLines(deadLetters: readonly EventAnswer[], now: number, width: number): Line[] {
  if (deadLetters.length === 0) return [{ text: 'no dead letters', tone: 'dim' }];
  const columns: FittingColumn<EventAnswer>[] = [
    { heading: 'LATEST DEAD LETTERS', cell: ({ receipt }) => receipt },
    { heading: 'AGE', cell: ({ receivedAt }) => formatAge(receivedAt, now), leaveOut: 1 },
    { heading: 'REASON', cell: ({ state, reason }) => reason ?? state, cutTo: 16 },
    { heading: 'EVENT', cell: ({ eventName }) => eventName, cutTo: 12 },
  ];
  const [head = '', ...rows] = fittingTable(deadLetters, columns, width);
  return [{ text: head, tone: 'bold' }, ...rows.map((text): Line => ({ text }))];
}

function ledgerLines({ ledger }: Snapshot): Line[] {
  return formatBalance(ledger)
    .split('\n')
    .map((text) => ({ text, tone: ledger.balanced ? 'bold' : 'red' }));
}

function snapshotLines(snapshot: Snapshot, { now, rates, options }: Status, width: number): Line[] {
  return [
    ...intakeLines(snapshot.health),
    ...webhookLines(snapshot.intake, now, options),
    { text: `rates     ${rateLine(rates)}`, hang: LABEL_WIDTH },
    { text: backlogLine(snapshot, now) },
    { text: '' },
    ...destinationLines(snapshot.destinations, now, width),
    { text: '' },
    ...deadLines(snapshot.deadLetters, now, width),
    { text: '' },
    ...ledgerLines(snapshot),
  ];
}

/** What was known before the relay stopped answering, and how old it is. */
function staleLines(snapshot: Snapshot, status: Status, width: number): Line[] {
  const age = formatDuration(Math.max(0, status.now - snapshot.takenAt));
  return [
    { text: `the data below is ${age} old`, tone: 'bold' },
    { text: '' },
    ...snapshotLines(snapshot, { ...status, now: snapshot.takenAt }, width).map(
      (line): Line => ({ ...line, tone: 'dim' }),
    ),
  ];
}

const RETRYING = '; retrying';

/** The lines of the status, from top to bottom, none wider than `width`. */
export function statusLines(status: Status, width: number): Line[] {
  const { url, now, snapshot, problem } = status;
  const time = formatTime(new Date(now).toISOString());
  const head: Line = { text: `capillary-relay  ${url}  ${time}`, tone: 'bold' };
  const body = ((): Line[] => {
    if (problem === undefined) return snapshot === undefined ? [] : snapshotLines(snapshot, status, width);
    const line = cutAtWord(toPrintable(problem), width - RETRYING.length);
    return [
      { text: `${line}${RETRYING}`, tone: 'red' },
      ...(snapshot === undefined ? [] : staleLines(snapshot, status, width)),
    ];
  })();
  return [head, ...body].flatMap((line) => wrapLine(line, width));
}
