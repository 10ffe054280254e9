import { stripVTControlCharacters, styleText } from 'node:util';
import type { DestinationAnswer, EventAnswer, HealthAnswer } from '../admin-answers.ts';
import { formatBalance } from '../ledger.ts';
import { formatMoment, formatSpan } from '../moment.ts';
import { printable } from '../printable.ts';
import { formatTable } from '../table.ts';
import type { Look, Rates } from './look.ts';

type Tone = 'bold' | 'green' | 'yellow' | 'red' | 'dim';

/** One line of the screen. */
export interface Line {
  readonly text: string;
  readonly tone?: Tone;
}

/** What there is to show. */
export interface Status {
  readonly url: string;
  /** Epoch ms. */
  readonly now: number;
  /** The last one that came out; absent before the first. */
  readonly look?: Look;
  readonly rates?: Rates;
  /** Why the relay could not be asked just now. */
  readonly trouble?: string;
}

const TONES: Readonly<Record<string, Tone>> = { flowing: 'green', waiting: 'yellow', paused: 'red' };

function perSecond(rate: number): string {
  return rate > 0 && rate < 0.05 ? '<0.1' : rate.toFixed(1);
}

function rateLine(rates: Rates | undefined): string {
  return rates === undefined
    ? 'rates from the next look on'
    : `${perSecond(rates.accepted)} accepted/s, ${perSecond(rates.delivered)} delivered/s, ${perSecond(rates.dead)} dead/s`;
}

/** The check `journal` of /readyz is what the intake goes by. */
function intakeLines({ checks }: HealthAnswer): Line[] {
  const failing = checks.filter(({ ok }) => !ok);
  const closed = failing.find(({ name }) => name === 'journal');
  const intake: Line =
    closed === undefined
      ? { text: 'intake    open', tone: 'green' }
      : {
          text: `intake    CLOSED, webhooks are answered 503: ${printable(closed.detail ?? '')}`,
          tone: 'red',
        };
  const others = failing.filter((check) => check !== closed);
  return [
    intake,
    ...others.map(
      ({ name, detail }): Line => ({
        text: `failing   ${printable(name)}: ${printable(detail)}`,
        tone: 'red',
      }),
    ),
  ];
}

function ageOf(iso: string | undefined, now: number): number | undefined {
  return iso === undefined ? undefined : Math.max(0, now - Date.parse(iso));
}

function age(iso: string | undefined, now: number): string {
  const ms = ageOf(iso, now);
  return ms === undefined ? '' : formatSpan(ms);
}

function backlogLine({ destinations, ledger }: Look, now: number): string {
  const ages = destinations.flatMap(({ oldestPendingAt }) => ageOf(oldestPendingAt, now) ?? []);
  const oldest = ages.length === 0 ? '' : `, the oldest for ${formatSpan(Math.max(...ages))}`;
  return `backlog   ${ledger.pending}${oldest}`;
}

function until(iso: string | undefined, now: number): string {
  if (iso === undefined) return '';
  const left = Date.parse(iso) - now;
  return left <= 0 ? 'now' : `in ${formatSpan(left)}`;
}

function tokenOf({ tokenSecondsLeft: left }: DestinationAnswer): string {
  if (left === undefined) return '';
  return left < 3_600 ? `${Math.floor(left)} s` : formatSpan(left * 1_000);
}

function tableLines<Row>(rows: readonly Row[], columns: Parameters<typeof formatTable<Row>>[1]): string[] {
  return stripVTControlCharacters(formatTable(rows, columns)).split('\n');
}

function destinationLines(destinations: readonly DestinationAnswer[], now: number): Line[] {
  const [head = '', ...rows] = tableLines(destinations, [
    { heading: 'DESTINATION', cell: ({ name }) => name },
    { heading: 'STATE', cell: ({ state }) => state },
    { heading: 'PENDING', cell: ({ pending }) => pending },
    { heading: 'OLDEST', cell: ({ oldestPendingAt }) => age(oldestPendingAt, now) },
    { heading: 'REQUESTS', cell: ({ concurrency: { used, limit } }) => `${used} of ${limit}` },
    { heading: 'TOKEN FOR', cell: tokenOf },
    { heading: 'NEXT TRY', cell: ({ nextTryAt }) => until(nextTryAt, now) },
  ]);
  const lines = destinations.flatMap(({ state, reason, detail }, index): Line[] => {
    const why = [reason, detail].filter((part) => part !== undefined).map(printable);
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
    { heading: 'LAST DEAD LETTERS', cell: ({ receipt }) => receipt },
    { heading: 'AGE', cell: ({ receivedAt }) => age(receivedAt, now) },
    { heading: 'REASON', cell: ({ state, reason }) => reason ?? state },
    { heading: 'EVENT', cell: ({ eventName }) => eventName },
  ]);
  return [{ text: head, tone: 'bold' }, ...rows.map((text): Line => ({ text }))];
}

function ledgerLines({ ledger }: Look): Line[] {
  return formatBalance(ledger)
    .split('\n')
    .map((text) => ({ text, tone: ledger.balanced ? 'bold' : 'red' }));
}

function body(seen: Look, { now, rates }: Status): Line[] {
  return [
    ...intakeLines(seen.health),
    { text: `rates     ${rateLine(rates)}` },
    { text: backlogLine(seen, now) },
    { text: '' },
    ...destinationLines(seen.destinations, now),
    { text: '' },
    ...deadLines(seen.deadLetters, now),
    { text: '' },
    ...ledgerLines(seen),
  ];
}

/** The lines of the status, top first. */
export function statusLines(status: Status): Line[] {
  const { url, now, look, trouble } = status;
  const moment = formatMoment(new Date(now).toISOString());
  return [
    { text: `capillary-relay  ${url}  ${moment}`, tone: 'bold' },
    ...(trouble === undefined ? [] : [{ text: trouble, tone: 'red' as const }]),
    ...(look === undefined ? [] : body(look, status)),
  ];
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** Cut to the width and coloured as the terminal takes it: NO_COLOR is obeyed, and a pipe gets none. */
export function paint(lines: readonly Line[], width = Infinity): string[] {
  return lines.map(({ text, tone }) => {
    const fitting = cut(text, width);
    return tone === undefined || fitting === '' ? fitting : styleText(tone, fitting);
  });
}
