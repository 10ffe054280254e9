import type { Doubt, Landings } from '../../journal/landings.ts';
import type { CheckProblem, Difference } from '../reconciliation-report.ts';
import { doubtOf } from './doubt-texts.ts';
import { checkEvents, type EventCheckParts, type EventFinding } from './event-check.ts';
import type { SentRecord, SentRecords } from './sent-records.ts';

export interface WatchedCheckParts extends EventCheckParts {
  readonly watching: Pick<Landings, 'doubt' | 'watched' | 'unwatch' | 'doubts' | 'clearDoubts'>;
  readonly sentRecords: SentRecords;
  /** Config: after this time a record has to be in Profile, ms. */
  readonly profileDelay: number;
  readonly onDoubts: (doubts: readonly Doubt[]) => void;
}

export interface WatchedResult {
  readonly problem?: CheckProblem;
  /** Those that are not doubts about an event. */
  readonly differences: readonly Difference[];
}

const PAGE_SIZE = 100;
const MAX_DOUBTS = 100;
/** An event whose customer never rests is given up after so long. */
const MAX_WATCH_MS = 7 * 86_400_000;
/** Adobe's own delay is that of 95 % of the records, so what is missing is looked up once more. */
const PATIENCE = 2;

/** A difference about which nothing is to be done. */
function closedDifference(
  { receipt, eventName, eventId }: SentRecord,
  finding: EventFinding,
): Difference | undefined {
  const of = { count: 1, isOpen: false, receipt, eventName, ...(eventId === undefined ? {} : { eventId }) };
  if (finding.kind === 'expired')
    return {
      ...of,
      kind: 'not-in-profile',
      cause: 'too-old-for-profile',
      detail: 'the event is older than its dataset keeps events in Profile',
    };
  if (finding.kind !== 'differs') return undefined;
  return {
    ...of,
    kind: 'profile-differs',
    cause: 'another-writer',
    detail: `the profile differs in ${finding.paths}, and another dataset writes to it: the merge policy decides whose values count`,
  };
}

/** Whether a later look can have another result. */
function isEarly(
  { settledAt }: SentRecord,
  finding: EventFinding | undefined,
  { now, profileDelay }: WatchedCheckParts,
): boolean {
  if (finding === undefined) return true;
  const age = now - settledAt;
  if (finding.kind === 'superseded') return age < MAX_WATCH_MS;
  return (finding.kind === 'missing' || finding.kind === 'differs') && age < PATIENCE * profileDelay;
}

async function checkPage(
  receipts: readonly string[],
  parts: WatchedCheckParts,
  signal: AbortSignal,
): Promise<WatchedResult> {
  const { destination, watching, sentRecords } = parts;
  const sent = await sentRecords.of(receipts);
  const checked = await checkEvents([...sent.values()], parts, signal);
  const over: string[] = receipts.filter((receipt) => !sent.has(receipt));
  const doubts: Doubt[] = [];
  const differences: Difference[] = [];
  for (const one of sent.values()) {
    const finding = checked.findings.get(one.receipt);
    if (finding === undefined || isEarly(one, finding, parts)) continue;
    over.push(one.receipt);
    const doubt = doubtOf(one.receipt, finding, false);
    const closed = closedDifference(one, finding);
    if (doubt !== undefined) doubts.push(doubt);
    else if (closed !== undefined) differences.push(closed);
  }
  if (doubts.length > 0) {
    await watching.doubt(destination, doubts);
    parts.onDoubts(doubts);
  }
  if (over.length > 0) await watching.unwatch(over);
  return { differences, ...(checked.ok ? {} : { problem: checked.problem }) };
}

/** Reads back the watched events, and the profiles of their customers. */
export async function checkWatched(parts: WatchedCheckParts, signal: AbortSignal): Promise<WatchedResult> {
  const { destination, watching, profileHorizon: until } = parts;
  const differences: Difference[] = [];
  const seen = new Set<string>();
  for (;;) {
    signal.throwIfAborted();
    // Those that stay watched come first: so many more are asked for.
    const limit = Math.min(500, seen.size + PAGE_SIZE);
    const page = await watching.watched(destination, { until, limit });
    const next = page.filter((receipt) => !seen.has(receipt)).slice(0, PAGE_SIZE);
    if (next.length === 0) return { differences };
    const result = await checkPage(next, parts, signal);
    differences.push(...result.differences);
    if (result.problem !== undefined) return { differences, problem: result.problem };
    const left = new Set(await watching.watched(destination, { until, limit }));
    for (const receipt of seen) if (!left.has(receipt)) seen.delete(receipt);
    for (const receipt of next) if (left.has(receipt)) seen.add(receipt);
  }
}

/** Looks up once more what was missing: what has come late is no doubt any more. */
export async function checkDoubts(
  parts: WatchedCheckParts,
  signal: AbortSignal,
): Promise<CheckProblem | undefined> {
  const { destination, watching, sentRecords } = parts;
  const { newest } = await watching.doubts(destination, MAX_DOUBTS);
  if (newest.length === 0) return undefined;
  const sent = await sentRecords.of(newest.map(({ receipt }) => receipt));
  const checked = await checkEvents([...sent.values()], parts, signal);
  const cleared = [...checked.findings].flatMap(([receipt, { kind }]) => (kind === 'found' ? [receipt] : []));
  if (cleared.length > 0) await watching.clearDoubts(cleared);
  return checked.ok ? undefined : checked.problem;
}
