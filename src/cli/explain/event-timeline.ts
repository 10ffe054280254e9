import type { TimelineEntry } from '../admin-answers.ts';
import { formatTable } from '../table.ts';
import { formatDuration, formatPreciseTime } from '../time-format.ts';
import { describeVerifier } from './verifier-texts.ts';

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

/** What an attempt means for its message. */
const OUTCOMES: Readonly<Record<string, string>> = {
  retry: 'failed, to be sent again',
  destination: 'held, because the cause is the destination and not this event',
  throttled: 'held, because Adobe throttles',
};

/** `ExperienceEvent` for `event`. */
export function messageName(kind: string): string {
  return MESSAGE_NAMES[kind] ?? kind;
}

/** Joins the non-empty parts with commas. */
export function joinParts(...parts: readonly (string | number | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}

/** `dead (rejected)`. */
export function formatState({ state, reason }: { readonly state: string; readonly reason?: string }): string {
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
  return `${messageName(kind)} ${OUTCOMES[outcome] ?? outcome}: ${facts}${detail === undefined ? '' : `: ${detail}`}`;
}

function formatEntry(entry: TimelineEntry): string {
  switch (entry.what) {
    case 'received':
      return `from ${entry.source}, ${entry.bytes} bytes`;
    case 'verified':
      return describeVerifier(entry.by);
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

/** What happened to an event, oldest first. */
export function formatTimeline(entries: readonly TimelineEntry[]): string {
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
