import type { SourceReconcileConfig } from '../../config/reconcile-config.ts';
import type { TimeRange } from '../../journal/landings.ts';
import type { ReconciliationObserver, RunRequest } from '../reconcile-run.ts';
import { oldestSlot, OVERLAP_MS, slotGroupsOf, SLOT_MS, slotOf } from './log-slots.ts';
import { KNOWN_SINCE_MARGIN_MS } from './row-verdict.ts';
import type { LogGap, SentNotes, SentState } from './sent-notes.ts';
import { rememberedWith } from './sent-report.ts';
import { newlyFound, type SlotAccount } from './slot-account.ts';
import type { SlotScan } from './slot-scan.ts';

export interface LogRunParts {
  /** Of the source. */
  readonly name: string;
  readonly reconcile: Pick<SourceReconcileConfig, 'window' | 'delay' | 'resend'>;
  readonly notes: SentNotes;
  readonly slots: SlotScan;
  readonly observer: Pick<ReconciliationObserver, 'found'>;
  /** As the journal answers it, epoch ms. */
  readonly knownSince: number | undefined;
  /** Epoch ms. */
  readonly now: () => number;
}

/** What one run looks at. */
interface RunPlan {
  readonly range: TimeRange;
  /** Where a run without a request would begin. */
  readonly ordinaryFrom: number;
  readonly resend: boolean;
  /** Slots before the range that are to be scanned again. */
  readonly again: readonly TimeRange[];
}

/** Capillary may repeat an event for so long. Source: docs/platforms/capillary.md#patience */
const UNSETTLED_MS = 604_800_000;
/** Slots before the range that one run scans again. */
const MAX_AGAIN = 200;
/** Fewer slots are looked at one by one. */
const MIN_GROUP = 3;

function planOf({ reconcile, notes, now }: LogRunParts, request: RunRequest): RunPlan {
  const { state } = notes;
  const until = now() - reconcile.delay;
  const oldest = oldestSlot(now());
  const newestMark = state.mark;
  const first = slotOf(newestMark === undefined ? until - reconcile.window : newestMark - OVERLAP_MS);
  const ordinaryFrom = Math.max(first, oldest);
  const { unfinished } = state;
  const since = request.since === undefined ? undefined : slotOf(request.since);
  const isFirst = newestMark === undefined && since !== undefined;
  const wanted = [isFirst ? since : ordinaryFrom, since ?? ordinaryFrom, unfinished?.next ?? ordinaryFrom];
  const from = Math.max(oldest, Math.min(...wanted));
  const resend = request.resend === true || unfinished?.resend === true || reconcile.resend;
  const isToRepeat = (account: SlotAccount): boolean =>
    account.from < from &&
    account.from >= oldest &&
    ((account.unsettled > 0 && account.from > until - UNSETTLED_MS) || (resend && account.missing > 0));
  const again: TimeRange[] = [];
  for (const account of notes.accounts())
    if (isToRepeat(account) && again.length < MAX_AGAIN)
      again.push({ from: account.from, until: account.from + SLOT_MS });
  return { range: { from, until }, ordinaryFrom, resend, again };
}

/** What was sent longer ago than the log shows, and was not compared in time. */
function gapOf({ notes: { state }, now }: LogRunParts, from: number): LogGap | undefined {
  const { mark } = state;
  return mark !== undefined && mark < from ? { from: mark, until: from, foundAt: now() } : undefined;
}

/** A clock that was ahead has left a mark of the future: what follows would not be compared. */
async function forgetFutureMark({ notes, now }: LogRunParts): Promise<void> {
  const { mark, ...state } = notes.state;
  if (mark !== undefined && mark > now()) await notes.save({ state });
}

/** Scans what a run has to look at, and stores what was found after each slot. */
export async function compareSlots(
  parts: LogRunParts,
  request: RunRequest,
  signal: AbortSignal,
): Promise<void> {
  const { name, notes, slots, observer, knownSince } = parts;
  await forgetFutureMark(parts);
  const { range, ordinaryFrom, resend, again } = planOf(parts, request);
  if (range.from >= range.until) return;

  /** What has been forgotten since cannot be judged as well as it was. */
  const isPast = (slot: TimeRange, account: SlotAccount | undefined): boolean =>
    knownSince !== undefined &&
    account?.until === slot.until &&
    !(resend && account.missing > 0) &&
    slot.until <= knownSince + KNOWN_SINCE_MARGIN_MS;

  /** The state when everything up to a time has been compared. */
  const advanced = (until: number): SentState => {
    const { unfinished: before, ...state } = notes.state;
    const mark = Math.max(state.mark ?? until, until);
    const from = before === undefined ? range.from : Math.min(before.from, range.from);
    const isEarlier = from < ordinaryFrom && until < ordinaryFrom;
    if (isEarlier) return { ...state, mark, unfinished: { from, next: until, resend } };
    const coveredFrom = Math.min(state.coveredFrom ?? from, from);
    return { ...state, mark, coveredFrom };
  };

  const scanOne = async (slot: TimeRange, isInRange: boolean): Promise<void> => {
    signal.throwIfAborted();
    const before = notes.account(slot.from);
    const scanned = isPast(slot, before) ? undefined : await slots.scan(slot, { knownSince, resend });
    const state = isInRange ? advanced(slot.until) : notes.state;
    if (scanned === undefined) return notes.save({ state, progress: null });
    const { account, differences } = scanned;
    await notes.save({
      state: { ...state, differences: rememberedWith(state.differences, slot.from, differences) },
      account,
      progress: null,
    });
    for (const found of newlyFound(account, before)) observer.found({ side: 'capillary', name, ...found });
  };

  const gap = gapOf(parts, range.from);
  if (gap !== undefined) {
    const { gaps = [] } = notes.state;
    await notes.save({ state: { ...notes.state, mark: gap.until, gaps: [...gaps, gap] } });
  }
  for (const slot of again) await scanOne(slot, false);
  for (const group of slotGroupsOf(range)) {
    const [first, last] = [group[0], group.at(-1)];
    if (first === undefined || last === undefined) continue;
    const whole = { from: first.from, until: last.until };
    const isKnown = group.some(({ from }) => notes.account(from) !== undefined);
    if (group.length >= MIN_GROUP && !isKnown && (await slots.count(whole)) === 0)
      await notes.save({ state: advanced(whole.until) });
    else for (const slot of group) await scanOne(slot, true);
  }
}
