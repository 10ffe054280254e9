import type { Difference, DifferenceKind, SourceReconciliation } from '../reconciliation-report.ts';
import { type LogGap, plusSums, type SentNotes } from './sent-notes.ts';
import type { SlotDifference } from './slot-account.ts';

const MAX_REPORTED = 100;
/** More differences are not remembered; the accounts of the slots count all. */
const MAX_REMEMBERED = 200;

/** The newest ones; open ones rather than others. */
function newest(differences: readonly SlotDifference[], limit: number): SlotDifference[] {
  return differences
    .toSorted((a, b) => Number(b.isOpen) - Number(a.isOpen) || b.slot - a.slot)
    .slice(0, limit)
    .toSorted((a, b) => b.slot - a.slot);
}

/** Replaces the differences of one slot. */
export function rememberedWith(
  before: readonly SlotDifference[],
  slot: number,
  differences: readonly SlotDifference[],
): readonly SlotDifference[] {
  return newest([...before.filter((one) => one.slot !== slot), ...differences], MAX_REMEMBERED);
}

/** Nobody can tell how many events it has, so it counts as one. */
function gapDifference({ from, until }: LogGap, fix: string): SlotDifference {
  return {
    slot: from,
    kind: 'beyond-log',
    cause: 'log-too-old',
    count: 1,
    isOpen: true,
    window: { from, until },
    detail: 'it was not compared in time: Capillary shows 30 days, so nobody knows how many events it has',
    fix,
  };
}

function stateOf({ state }: SentNotes, isOpen: boolean): SourceReconciliation['state'] {
  if (state.problem !== undefined) return 'failing';
  if (state.lastRunAt === undefined) return 'never';
  return isOpen ? 'differences' : 'ok';
}

/**
 * The report of a source as operators see it.
 * @param beyondLogFix what repairs the profiles of events that the log does not have any more
 */
export function sentReport(source: string, notes: SentNotes, beyondLogFix: string): SourceReconciliation {
  const { state } = notes;
  const gaps = (state.gaps ?? []).map((gap) => gapDifference(gap, beyondLogFix));
  const open: Partial<Record<DifferenceKind, number>> = {};
  let sums = state.older;
  for (const account of notes.accounts()) {
    sums = plusSums(sums, account);
    for (const [kind, count] of Object.entries(account.open) as [DifferenceKind, number][])
      open[kind] = (open[kind] ?? 0) + count;
  }
  if (gaps.length > 0) open['beyond-log'] = (open['beyond-log'] ?? 0) + gaps.length;
  const sent = sums.accepted + sums.recovered + sums.unrecoverable + sums.missing;
  const differences = newest([...state.differences, ...gaps], MAX_REPORTED).map(
    ({ slot: _slot, ...difference }): Difference => difference,
  );
  return {
    source,
    state: stateOf(notes, Object.keys(open).length > 0),
    sums: { sent, ...sums },
    differences,
    open,
    ...(state.coveredFrom === undefined ? {} : { coveredFrom: state.coveredFrom }),
    ...(state.mark === undefined ? {} : { seesUntil: state.mark }),
    ...(state.lastRunAt === undefined ? {} : { lastRunAt: state.lastRunAt }),
    ...(state.problem === undefined ? {} : { problem: state.problem }),
  };
}
