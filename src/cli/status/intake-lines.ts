import { PROBLEMS } from '../../http/problems.ts';
import type { IntakeAnswer, SourceIntakeAnswer } from '../admin-answers.ts';
import { formatDuration } from '../time-format.ts';
import { toPrintable } from '../table.ts';
import type { Line, Tone } from './status-line.ts';

/** Width of the names in front of the first lines. */
export const LABEL_WIDTH = 10;

/** Requests that name no configured source are counted under this name. */
const UNKNOWN = 'unknown';
const ACCEPTED = ['accepted', 'partly-malformed'];
const DUPLICATE = 'duplicate';
/** Stored as malformed dead letters. */
const MALFORMED = ['not-json', 'not-an-event', 'wrong-org', 'oversized', 'partly-malformed'];
/** Refusals after which Capillary sends the event again. */
const REPEATED_STATUSES = [408, 429];

/** Refusals in a row that count as refusing everything. */
const MANY_IN_A_ROW = 10;
/** Sources with refusals that are listed. */
const MAX_SOURCES = 5;

const STATUSES: Readonly<Record<string, number>> = {
  oversized: 413,
  ...Object.fromEntries(Object.entries(PROBLEMS).map(([code, { status }]) => [code, status])),
};

function sumOf(outcomes: Readonly<Record<string, number>>, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (outcomes[name] ?? 0), 0);
}

function totalOf(sources: readonly SourceIntakeAnswer[], names: readonly string[]): number {
  return sources.reduce((sum, { outcomes }) => sum + sumOf(outcomes, names), 0);
}

function refusalsOf({ outcomes }: SourceIntakeAnswer): [outcome: string, count: number][] {
  return Object.entries(outcomes)
    .filter(([outcome]) => outcome !== DUPLICATE && !ACCEPTED.includes(outcome))
    .toSorted(([, a], [, b]) => b - a);
}

/** Whether an event is lost unless somebody acts: Capillary gives up after most 4xx. */
function isFinal(outcome: string): boolean {
  const status = STATUSES[outcome] ?? 0;
  return status >= 400 && status < 500 && !REPEATED_STATUSES.includes(status);
}

/** Whether a configured source refuses every webhook at present. */
export function refusesEverything(source: SourceIntakeAnswer): boolean {
  if (source.source === UNKNOWN || source.refused === 0) return false;
  const accepted = sumOf(source.outcomes, [...ACCEPTED, DUPLICATE]);
  return accepted === 0 || source.refusedInARow >= MANY_IN_A_ROW;
}

function toneOf(source: SourceIntakeAnswer): Tone {
  return source.source !== UNKNOWN && refusalsOf(source).some(([outcome]) => isFinal(outcome))
    ? 'red'
    : 'yellow';
}

/**
 * The commands that show what was refused.
 * @param options those with which the commands reach this relay
 */
function hintsOf({ source, outcomes, quarantined }: SourceIntakeAnswer, options: string): string[] {
  const name = toPrintable(source);
  return [
    ...(quarantined > 0 && (outcomes['not-verified'] ?? 0) > 0
      ? [`capillary-relay quarantine list --source ${name}${options}`]
      : []),
    ...(sumOf(outcomes, MALFORMED) > 0
      ? [`capillary-relay dead-letters list --source ${name} --reason malformed${options}`]
      : []),
  ];
}

function sourceLines(answer: SourceIntakeAnswer, now: number, options: string): Line[] {
  const { source, lastRefusedAt, quarantined } = answer;
  const tone = toneOf(answer);
  // A name that a sender made up is not shown.
  const name = source === UNKNOWN ? 'unknown sources' : toPrintable(source);
  const parts = [
    ...refusalsOf(answer).map(([outcome, count]) => {
      const status = STATUSES[outcome];
      return `${count} × ${status === undefined ? '' : `${status} `}${toPrintable(outcome)}`;
    }),
    ...(lastRefusedAt === undefined
      ? []
      : [`the last ${formatDuration(Math.max(0, now - Date.parse(lastRefusedAt)))} ago`]),
    ...(quarantined > 0 ? [`${quarantined} quarantined`] : []),
  ];
  return [
    { text: `  ${name}: ${parts.join(', ')}`, tone, hang: 4 },
    ...hintsOf(answer, options).map((text): Line => ({ text: `    ${text}`, tone, hang: 6 })),
  ];
}

function periodOf({ since, minutes }: IntakeAnswer, now: number): string {
  const age = Math.max(0, now - Date.parse(since));
  // Counted in whole minutes, so a full period can be up to one minute shorter.
  return age < (minutes - 1) * 60_000 ? `in ${formatDuration(age)} since the start` : `in ${minutes} min`;
}

/** The answers of the last minutes in one line, and below it the sources that refused something. */
export function webhookLines(intake: IntakeAnswer, now: number, options = ''): Line[] {
  const { sources } = intake;
  const refusing = sources.filter(({ refused }) => refused > 0).toSorted((a, b) => b.refused - a.refused);
  const refused = refusing.reduce((sum, source) => sum + source.refused, 0);
  const quarantined = sources.reduce((sum, source) => sum + source.quarantined, 0);
  const counts = [
    `${totalOf(sources, ACCEPTED)} accepted`,
    `${totalOf(sources, [DUPLICATE])} duplicate`,
    `${refused === 0 ? 'none' : refused} refused`,
  ].join(', ');
  const held = quarantined === 0 ? '' : `; ${quarantined} quarantined`;
  const text = `${'webhooks'.padEnd(LABEL_WIDTH)}${counts} ${periodOf(intake, now)}${held}`;
  const tones = refusing.map(toneOf);
  const mild = refused > 0 || quarantined > 0 ? ({ tone: 'yellow' } as const) : {};
  const more = refusing.length - MAX_SOURCES;
  return [
    { text, hang: LABEL_WIDTH, ...(tones.includes('red') ? { tone: 'red' } : mild) },
    ...refusing.slice(0, MAX_SOURCES).flatMap((source) => sourceLines(source, now, options)),
    ...(more > 0
      ? [{ text: `  and ${more} more sources: capillary-relay status --json${options}`, ...mild }]
      : []),
  ];
}
