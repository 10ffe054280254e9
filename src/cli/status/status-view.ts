import type { DestinationAnswer, EventAnswer, HealthAnswer } from '../admin-answers.ts';
import { formatBalance, formatUnconfigured } from '../ledger-command.ts';
import { cutAtWord, type FittingColumn, fittingTable } from '../fitting-table.ts';
import { formatAge, formatDuration, formatTime } from '../time-format.ts';
import { toPrintable } from '../table.ts';
import { isPausedByOperator } from './exit-reasons.ts';
import { enrichmentLines } from './enrichment-lines.ts';
import { LABEL_WIDTH, webhookLines } from './intake-lines.ts';
import { reconciliationLines } from './reconciliation-lines.ts';
import { replicaLines } from './replica-lines.ts';
import { DEAD_LETTER_COUNT, type Snapshot, type Rates } from './snapshot.ts';
import { fitHeight, KEEP, type Line, type Tone, wrapLine } from './status-line.ts';

/** What the status shows. */
export interface Status {
  readonly url: string;
  /** Options with which the commands that are shown reach this relay. */
  readonly options?: string;
  /** Those for commands that read the configuration only. */
  readonly configOptions?: string;
  /** Epoch ms. */
  readonly now: number;
  /** The latest; absent before the first. */
  readonly snapshot?: Snapshot;
  readonly rates?: Rates;
  /** Why the latest request failed, in a few words; what is shown is then old. */
  readonly problem?: string;
}

interface Room {
  readonly width: number;
  /** There is no room for lists. */
  readonly isBrief: boolean;
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

function formatAgeOf(iso: string | undefined, now: number): string {
  const ms = ageOf(iso, now);
  return ms === undefined ? '' : formatAge(ms);
}

function backlogLine({ destinations, ledger }: Snapshot, now: number): string {
  const ages = destinations.flatMap(({ oldestPendingAt }) => ageOf(oldestPendingAt, now) ?? []);
  const oldest = ages.length === 0 ? '' : `, oldest ${formatAge(Math.max(...ages))}`;
  return `backlog   ${ledger.pending}${oldest}`;
}

function formatTimeLeft(iso: string | undefined, now: number): string {
  if (iso === undefined) return '';
  const left = Date.parse(iso) - now;
  return left <= 0 ? 'now' : `in ${formatDuration(Math.ceil(left / 1_000) * 1_000)}`;
}

function tokenLifetime({ tokenSecondsLeft: left }: DestinationAnswer): string {
  if (left === undefined) return '';
  return left < 3_600 ? `${Math.floor(left)} s` : formatDuration(left * 1_000);
}

/** The command that ends an operator's pause, or shows more of a failure. */
function commandFor(destination: DestinationAnswer, options: string): string {
  const action = isPausedByOperator(destination) ? `resume ${toPrintable(destination.name)}` : 'list';
  return `    capillary-relay destinations ${action}${options}`;
}

/** Where it has another state than in the replica that answers. */
function otherReplicaLines({ otherReplicas = [] }: DestinationAnswer): Line[] {
  return otherReplicas.map(({ replica, state, reason }) => ({
    text: `  ${state} in ${toPrintable(replica)}${reason === undefined ? '' : `: ${toPrintable(reason)}`}`,
    tone: TONES[state] ?? 'red',
    hang: 4,
    keep: KEEP.refusals,
  }));
}

function destinationLines(
  destinations: readonly DestinationAnswer[],
  { now, options = '' }: Status,
  width: number,
): Line[] {
  const columns: FittingColumn<DestinationAnswer>[] = [
    { heading: 'DESTINATION', cell: ({ name }) => name, cutTo: 60 },
    { heading: 'STATE', cell: ({ state }) => state },
    { heading: 'PENDING', cell: ({ pending }) => pending },
    { heading: 'OLDEST', cell: ({ oldestPendingAt }) => formatAgeOf(oldestPendingAt, now), leaveOut: 3 },
    { heading: 'REQUESTS', cell: ({ concurrency: { used, limit } }) => `${used} of ${limit}`, leaveOut: 2 },
    { heading: 'TOKEN TTL', cell: tokenLifetime, leaveOut: 1 },
    { heading: 'RETRY', cell: ({ nextTryAt }) => formatTimeLeft(nextTryAt, now), leaveOut: 4 },
  ];
  const [head = '', ...rows] = fittingTable(destinations, columns, width);
  const lines = destinations.flatMap((destination, index): Line[] => {
    const { state, reason, detail } = destination;
    const isFlowing = state === 'flowing';
    const why = [reason, detail].filter((part) => part !== undefined).map(toPrintable);
    const tone = TONES[state] ?? 'red';
    return [
      { text: rows[index] ?? '', tone, ...(isFlowing ? { keep: KEEP.rest } : {}) },
      ...(why.length === 0 ? [] : [{ text: `  ${why.join(': ')}`, tone, hang: 4, keep: KEEP.refusals }]),
      ...otherReplicaLines(destination),
      ...(isFlowing ? [] : [{ text: commandFor(destination, options), tone, hang: 6, keep: KEEP.hints }]),
    ];
  });
  return [{ text: head, tone: 'bold' }, ...lines];
}

/** The list, or where there is no room for it the number. */
function deadLines(
  deadLetters: readonly EventAnswer[],
  { now, options = '' }: Status,
  { width, isBrief }: Room,
): Line[] {
  const count = deadLetters.length;
  if (count === 0) return [{ text: 'no dead letters', tone: 'dim', keep: KEEP.rates }];
  if (isBrief) {
    const number = count < DEAD_LETTER_COUNT ? `${count}` : `${count} or more`;
    const text = `${number} dead letters: capillary-relay dead-letters list${options}`;
    return [{ text, keep: KEEP.rest }];
  }
  const columns: FittingColumn<EventAnswer>[] = [
    { heading: 'LATEST DEAD LETTERS', cell: ({ receipt }) => receipt },
    {
      heading: 'AGE',
      cell: ({ settledAt, receivedAt }) => formatAgeOf(settledAt ?? receivedAt, now),
      leaveOut: 1,
    },
    { heading: 'REASON', cell: ({ state, reason }) => reason ?? state, cutTo: 16 },
    { heading: 'EVENT', cell: ({ eventName }) => eventName, cutTo: 12 },
  ];
  const [head = '', ...rows] = fittingTable(deadLetters, columns, width);
  return [{ text: head, tone: 'bold' }, ...rows.map((text): Line => ({ text }))];
}

function ledgerLines({ ledger }: Snapshot): Line[] {
  const balance = formatBalance(ledger)
    .split('\n')
    .map((text): Line => ({ text, tone: ledger.balanced ? 'bold' : 'red' }));
  return [...balance, ...formatUnconfigured(ledger).map((text): Line => ({ text, tone: 'yellow' }))];
}

/** A secret that cannot be read now stops the next start. */
function secretLines({ unusableSecretFiles: count }: Snapshot, configOptions = ''): Line[] {
  if (count === 0) return [];
  const files = count === 1 ? 'file' : 'files';
  const text = `secrets   ${count} secret ${files} cannot be used: capillary-relay check${configOptions}`;
  return [{ text, tone: 'red', hang: LABEL_WIDTH }];
}

/** History that the operator expects to find, and will not. */
function roomLines({ removedEarly: count }: Snapshot): Line[] {
  if (count === 0) return [];
  const text = `store     was full: ${count} bodies and records of finished events were removed before store.retention`;
  return [{ text, tone: 'yellow', hang: LABEL_WIDTH, keep: KEEP.rates }];
}

/** Nobody delivers these until an operator decides. */
function misplacedLines({ misplaced: count }: Snapshot, options = ''): Line[] {
  if (count === 0) return [];
  const text = `misplaced ${count} pending events wait where their source no longer sends: capillary-relay destinations reroute --dry-run${options}`;
  return [{ text, tone: 'red', hang: LABEL_WIDTH }];
}

function snapshotLines(snapshot: Snapshot, status: Status, room: Room): Line[] {
  const { now, rates, options } = status;
  return [
    ...intakeLines(snapshot.health),
    ...secretLines(snapshot, status.configOptions),
    ...misplacedLines(snapshot, options),
    ...roomLines(snapshot),
    ...webhookLines(snapshot.intake, now, options),
    { text: `rates     ${rateLine(rates)}`, hang: LABEL_WIDTH, keep: KEEP.rates },
    { text: backlogLine(snapshot, now), keep: KEEP.rates },
    ...enrichmentLines(snapshot.enrichment, now),
    ...reconciliationLines(snapshot.reconciliation, now),
    { text: '' },
    ...replicaLines(snapshot.replicas, now, room.width),
    ...destinationLines(snapshot.destinations, status, room.width),
    { text: '' },
    ...deadLines(snapshot.deadLetters, status, room),
    { text: '' },
    ...ledgerLines(snapshot),
  ];
}

/** What was known before the relay stopped answering, and how old it is. */
function staleLines(snapshot: Snapshot, status: Status, room: Room): Line[] {
  const age = formatDuration(Math.max(0, status.now - snapshot.takenAt));
  return [
    { text: `the data below is ${age} old`, tone: 'bold' },
    { text: '' },
    ...snapshotLines(snapshot, { ...status, now: snapshot.takenAt }, room).map(
      (line): Line => ({ ...line, tone: 'dim' }),
    ),
  ];
}

const RETRYING = '; retrying';

function linesFor(status: Status, room: Room): Line[] {
  const { url, now, snapshot, problem } = status;
  const time = formatTime(new Date(now).toISOString());
  const head: Line = { text: `capillary-relay  ${url}  ${time}`, tone: 'bold' };
  const body = ((): Line[] => {
    if (problem === undefined) return snapshot === undefined ? [] : snapshotLines(snapshot, status, room);
    const line = cutAtWord(toPrintable(problem), room.width - RETRYING.length);
    return [
      { text: `${line}${RETRYING}`, tone: 'red' },
      ...(snapshot === undefined ? [] : staleLines(snapshot, status, room)),
    ];
  })();
  return [head, ...body].flatMap((line) => wrapLine(line, room.width));
}

/**
 * The lines of the status, from top to bottom, none wider than `width`. If there are more than
 * `height`, the list of dead letters becomes a number, and what matters least is left out.
 */
export function statusLines(status: Status, width: number, height = Infinity): Line[] {
  const lines = linesFor(status, { width, isBrief: false });
  return lines.length <= height ? lines : fitHeight(linesFor(status, { width, isBrief: true }), height);
}
