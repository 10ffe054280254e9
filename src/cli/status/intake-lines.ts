import { ACCEPTED_OUTCOMES } from '../../admin/accepted-outcomes.ts';
import { PROBLEMS } from '../../http/problems.ts';
import type { IntakeAnswer, SourceIntakeAnswer } from '../admin-answers.ts';
import { formatAge } from '../time-format.ts';
import { toPrintable } from '../table.ts';
import { refusesEverything, UNKNOWN } from './exit-reasons.ts';
import { KEEP, type Line, type Tone } from './status-line.ts';

/** Width of the names in front of the first lines. */
export const LABEL_WIDTH = 10;

const NEW = ['accepted', 'partly-malformed'];
const DUPLICATE = 'duplicate';
/** Stored as malformed dead letters. */
const MALFORMED = ['not-json', 'not-an-event', 'wrong-org', 'oversized', 'partly-malformed'];
/** Refusals after which Capillary sends the event again. */
const REPEATED_STATUSES = [408, 429];

/** Sources with refusals that are listed. */
const MAX_SOURCES = 5;

/** Outcomes that differ from the code in the answer; here they say whether a part is stored. */
const ANSWERED: Readonly<Record<string, string>> = { oversized: 'body-too-large' };

function statusOf(code: string): number | undefined {
  return (PROBLEMS as Readonly<Record<string, { status: number } | undefined>>)[code]?.status;
}

function sumOf(outcomes: Readonly<Record<string, number>>, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (outcomes[name] ?? 0), 0);
}

function totalOf(sources: readonly SourceIntakeAnswer[], names: readonly string[]): number {
  return sources.reduce((sum, { outcomes }) => sum + sumOf(outcomes, names), 0);
}

/** The codes that were answered, the most frequent first. */
function refusalsOf({ outcomes }: SourceIntakeAnswer): [code: string, count: number][] {
  const counts = new Map<string, number>();
  for (const [outcome, count] of Object.entries(outcomes)) {
    if (ACCEPTED_OUTCOMES.has(outcome)) continue;
    const code = ANSWERED[outcome] ?? outcome;
    counts.set(code, (counts.get(code) ?? 0) + count);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a);
}

/** The statuses after which an event is lost unless somebody acts. */
function finalStatusesOf(source: SourceIntakeAnswer): number[] {
  if (source.source === UNKNOWN) return [];
  return refusalsOf(source)
    .flatMap(([code]) => statusOf(code) ?? [])
    .filter((status) => status >= 400 && status < 500 && !REPEATED_STATUSES.includes(status));
}

function toneOf(source: SourceIntakeAnswer, intake: IntakeAnswer, now: number): Tone {
  return finalStatusesOf(source).length > 0 || refusesEverything(source, intake, now) ? 'red' : 'yellow';
}

function refusalParts(source: SourceIntakeAnswer, now: number): string[] {
  const { lastRefusedAt, refused } = source;
  if (refused === 0) return [];
  return [
    ...refusalsOf(source).map(([code, count]) =>
      [count, '×', statusOf(code), toPrintable(code)].filter((part) => part !== undefined).join(' '),
    ),
    ...(lastRefusedAt === undefined ? [] : [`the last ${formatAge(now - Date.parse(lastRefusedAt))} ago`]),
  ];
}

function quarantineText({ quarantined, newestQuarantined: newest }: SourceIntakeAnswer, now: number): string {
  const count = `${quarantined} in quarantine`;
  if (newest === undefined) return count;
  const reasons = newest.reasons.length === 0 ? '' : ` (${newest.reasons.map(toPrintable).join(', ')})`;
  return `${count}, the newest ${formatAge(now - Date.parse(newest.receivedAt))} old${reasons}`;
}

interface Shown {
  readonly intake: IntakeAnswer;
  /** Epoch ms. */
  readonly now: number;
  /** With which the commands reach this relay. */
  readonly options: string;
}

/** What the source refused and what of it waits, with the commands that show it. */
function sourceLines(source: SourceIntakeAnswer, { intake, now, options }: Shown): Line[] {
  const tone = toneOf(source, intake, now);
  // A name that a sender made up is not shown.
  const isUnknown = source.source === UNKNOWN;
  const name = isUnknown ? 'unknown sources' : toPrintable(source.source);
  const keep = isUnknown ? KEEP.held : KEEP.refusals;
  const refusals = refusalParts(source, now).join(', ');
  const held = source.quarantined === 0 ? '' : quarantineText(source, now);
  const hints = [
    ...(held === '' ? [] : [`capillary-relay quarantine list --source ${name}${options}`]),
    ...(source.malformed > 0 && sumOf(source.outcomes, MALFORMED) > 0
      ? [`capillary-relay dead-letters list --source ${name} --reason malformed${options}`]
      : []),
  ];
  return [
    { text: `  ${name}: ${refusals === '' ? held : refusals}`, tone, hang: 4, keep },
    ...(refusals === '' || held === '' ? [] : [{ text: `    ${held}`, tone, hang: 6, keep: KEEP.held }]),
    ...hints.map((text): Line => ({ text: `    ${text}`, tone, hang: 6, keep: KEEP.hints })),
  ];
}

/** `since the start 8 s ago`, or `in 15 min`. */
function periodOf({ since, minutes }: IntakeAnswer, now: number): string {
  const age = Math.max(0, now - Date.parse(since));
  // Counted in whole minutes, so a full period can be up to one minute shorter.
  return age < (minutes - 1) * 60_000 ? `since the start ${formatAge(age)} ago` : `in ${minutes} min`;
}

/** Below the totals: what a refusal means for the event. */
function lossLines(sources: readonly SourceIntakeAnswer[], intake: IntakeAnswer, now: number): Line[] {
  // What was refused before a restart is known from the quarantine.
  const hasFresh = (source: SourceIntakeAnswer): boolean =>
    source.quarantined > 0 && refusesEverything(source, intake, now);
  const quarantined = sources.some(hasFresh) ? [PROBLEMS['not-verified'].status] : [];
  const found = new Set<number>([...sources.flatMap(finalStatusesOf), ...quarantined]);
  const statuses = [...found].toSorted((a, b) => a - b);
  const last = statuses.pop();
  if (last === undefined) return [];
  const list = statuses.length === 0 ? `${last}` : `${statuses.join(', ')} or ${last}`;
  const text = `  Capillary does not repeat a ${list}: lost unless released or replayed`;
  return [{ text, tone: 'red', hang: 4, keep: KEEP.held }];
}

/**
 * The answers of the last minutes in one line, and below it the sources that refused something or
 * have requests in the quarantine.
 */
export function webhookLines(intake: IntakeAnswer, now: number, options = ''): Line[] {
  const { sources, otherPaths } = intake;
  const shown = sources
    .filter(({ refused, quarantined }) => refused > 0 || quarantined > 0)
    .toSorted((a, b) => b.refused - a.refused || b.quarantined - a.quarantined);
  const refused = shown.reduce((sum, source) => sum + source.refused, 0);
  const counts = [
    `${totalOf(sources, NEW)} accepted`,
    `${totalOf(sources, [DUPLICATE])} duplicate`,
    `${refused === 0 ? 'none' : refused} refused`,
  ].join(', ');
  const text = `${'webhooks'.padEnd(LABEL_WIDTH)}${counts} ${periodOf(intake, now)}`;
  const tones = shown.map((source) => toneOf(source, intake, now));
  const mild = shown.length > 0 ? ({ tone: 'yellow' } as const) : {};
  const more = shown.length - MAX_SOURCES;
  return [
    { text, hang: LABEL_WIDTH, ...(tones.includes('red') ? { tone: 'red' } : mild) },
    ...lossLines(shown, intake, now),
    ...shown.slice(0, MAX_SOURCES).flatMap((source) => sourceLines(source, { intake, now, options })),
    ...(more > 0
      ? [{ text: `  and ${more} more sources: capillary-relay status --json${options}`, ...mild }]
      : []),
    ...(otherPaths === 0
      ? []
      : [
          {
            text: `  other paths: ${otherPaths} × 404, no webhooks`,
            tone: 'dim' as const,
            keep: KEEP.rates,
          },
        ]),
  ];
}
