import type { Journal } from '../../journal/journal.ts';
import type { Doubt, Landings } from '../../journal/landings.ts';
import type { MessageKind } from '../../journal/stored-event.ts';
import type { CheckProblem, Difference } from '../reconciliation-report.ts';
import type { KindCounts, OpenRange } from './check-state.ts';
import { doubtOf, isOfProfileOnly } from './doubt-texts.ts';
import { checkEvents, type EventCheckParts, type EventFinding } from './event-check.ts';
import type { SentRecord, SentRecords } from './sent-records.ts';

/** Events of one page; those of one customer in it need one call. */
const PAGE_SIZE = 100;

export interface RangeCheckParts extends Omit<EventCheckParts, 'journal'> {
  readonly journal: Pick<Journal, 'list'> & Pick<Landings, 'doubt' | 'unwatch' | 'deliverySpans'>;
  readonly sentRecords: SentRecords;
  /** New doubts. */
  readonly onDoubts: (doubts: readonly Doubt[]) => void;
}

export interface CheckedRange {
  readonly range: OpenRange;
  readonly problem?: CheckProblem;
}

/** Whether what is missing has been found, so that the counts agree. */
export function isExplained({ deficit, missing }: OpenRange): boolean {
  return missing.event >= deficit.event && missing.profile >= deficit.profile;
}

/** Whether every event has been looked up, so that no count is needed. */
function isVerified({ unreadable }: OpenRange): boolean {
  return unreadable === 0;
}

/** What was asked for has been found: the rest of the range has landed. */
export function isSettled(range: OpenRange): boolean {
  return range.isRead && (isExplained(range) || isVerified(range));
}

function isMissing(finding: EventFinding, kind: MessageKind): boolean {
  if (finding.kind === 'missing') return finding.of.includes(kind) && !isOfProfileOnly(finding.cause);
  return kind === 'profile' && finding.kind === 'differs' && finding.cause !== 'another-writer';
}

/** What a count of the data lake can lack. */
function countMissing(findings: readonly EventFinding[]): KindCounts {
  return {
    event: findings.filter((finding) => isMissing(finding, 'event')).length,
    profile: findings.filter((finding) => isMissing(finding, 'profile')).length,
  };
}

function canBeRead({ event, profile }: SentRecord, { facts }: RangeCheckParts): boolean {
  const isForProfile = (kind: 'event' | 'profile'): boolean =>
    facts.find((one) => one.kind === kind)?.isForProfile === true;
  return (event === undefined || isForProfile('event')) && (profile === undefined || isForProfile('profile'));
}

/** Looks up one page of a range. */
async function checkPage(
  range: OpenRange,
  parts: RangeCheckParts,
  signal: AbortSignal,
): Promise<CheckedRange> {
  const { journal, destination, sentRecords } = parts;
  const { from: settledSince, until: settledUntil } = range;
  const filter = { destination, states: ['delivered' as const], settledSince, settledUntil };
  const page = await journal.list(filter, {
    limit: PAGE_SIZE,
    ...(range.cursor === undefined ? {} : { cursor: range.cursor }),
  });
  const receipts = page.items.map(({ receipt }) => receipt);
  const sent = receipts.length === 0 ? new Map<string, SentRecord>() : await sentRecords.of(receipts);
  const readable = [...sent.values()].filter((one) => canBeRead(one, parts));
  const checked = await checkEvents(readable, parts, signal);
  const doubts = [...checked.findings].flatMap(([receipt, finding]) => doubtOf(receipt, finding, true) ?? []);
  if (doubts.length > 0) {
    await journal.doubt(destination, doubts);
    // What is known to be missing need not be read back.
    await journal.unwatch(doubts.map(({ receipt }) => receipt));
    parts.onDoubts(doubts);
  }
  // A page that was not looked up completely is looked up again.
  if (!checked.ok) return { range, problem: checked.problem };
  const missing = countMissing([...checked.findings.values()]);
  const expired = [...checked.findings.values()].filter(({ kind }) => kind === 'expired').length;
  const { cursor: _, ...rest } = range;
  return {
    range: {
      ...rest,
      missing: {
        event: range.missing.event + missing.event,
        profile: range.missing.profile + missing.profile,
      },
      found: range.found + readable.length - doubts.length - expired,
      unreadable: range.unreadable + receipts.length - readable.length + expired,
      ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
      isRead: page.cursor === undefined,
    },
  };
}

/**
 * Looks up the events of a range, page by page.
 * @param save called after each page, so that an interrupted run goes on there
 */
export async function checkRange(
  open: OpenRange,
  parts: RangeCheckParts,
  save: (range: OpenRange) => Promise<void>,
  signal: AbortSignal,
): Promise<CheckedRange> {
  let range = open;
  while (!range.isRead) {
    const checked = await checkPage(range, parts, signal);
    if (checked.problem !== undefined) return checked;
    range = checked.range;
    await save(range);
  }
  return { range };
}

/** Whether nothing of the range counts as delivered any more, because it was sent again. */
export async function isReplayed(range: OpenRange, parts: RangeCheckParts): Promise<boolean> {
  const spans = await parts.journal.deliverySpans(parts.destination, range);
  return spans.every(({ events }) => events === 0);
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}

/**
 * A range whose counts differ although nothing explains it. While its events are looked up, it need
 * not be a loss.
 * @param isBlocked whether they cannot be looked up
 */
export function rangeDifference(range: OpenRange, destination: string, isBlocked: boolean): Difference {
  const { from, until, deficit, missing, unreadable, cause, inLake } = range;
  const count = Math.max(deficit.event - missing.event, deficit.profile - missing.profile, 1);
  const what = [
    ...(deficit.event > 0 ? [`${deficit.event} events`] : []),
    ...(deficit.profile > 0 ? [`${deficit.profile} profile records`] : []),
  ].join(' and ');
  const seen = range.isRead
    ? `${missing.event + missing.profile} are known, ${unreadable} events cannot be looked up`
    : 'the events are being looked up';
  const lake = inLake === undefined ? '' : `its dataset got ${inLake} records from all writers; `;
  return {
    kind: 'counts-differ',
    cause,
    count,
    isOpen: range.isRead || isBlocked || missing.event + missing.profile > 0,
    window: { from, until },
    detail: `the dataflow has read ${what} fewer than were acknowledged; ${lake}${seen}`,
    fix: `capillary-relay events replay --states delivered --filter destination=${destination} --settled-since ${timeOf(from)} --settled-until ${timeOf(until)} --as-new`,
  };
}
