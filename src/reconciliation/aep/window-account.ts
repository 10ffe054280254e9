import type { TimeRange } from '../../journal/landings.ts';

/*
 * The arithmetic of the comparison of counts. AEP does not say when it received the records of a
 * run, only when the run started: records that were acknowledged near the end of a window can be in
 * a run that starts after it. So what is missing at the end of a window is carried into the next
 * one as long as it can be under way, and becomes a deficit as soon as it cannot.
 */

/** What windows leave to the next one. */
export interface Carry {
  /**
   * Records that were acknowledged and are in no run yet; negative: records of a run that went on
   * beyond the end of the window, and that can be of the next one.
   */
  readonly records: number;
  /** Epoch ms since when there have been some: where the count was the lowest since. */
  readonly since: number;
  /** The lowest number since `since`. */
  readonly lowest: number;
}

export const NO_CARRY: Carry = { records: 0, since: 0, lowest: 0 };

/** Of one kind of message and one window. */
export interface WindowFigures {
  readonly acknowledged: number;
  /** Records of the runs that started in the window, those that failed too. */
  readonly ingested: number;
  /** Acknowledged so shortly before the end of the window that they can be in a later run. */
  readonly underWay: number;
  /** Records of the runs that started so shortly after its end that they can have these. */
  readonly ingestedAfter: number;
  /** Records of the runs that started in the window and went on beyond its end. */
  readonly overlapping: number;
}

export interface WindowAccount {
  readonly carry: Carry;
  /** Records that are missing, whatever is under way. */
  readonly deficit: number;
  /** Since when they can be missing, epoch ms. */
  readonly since: number;
}

/**
 * A surplus is never a deficit of others: AEP has a record twice if it was sent again after an
 * attempt without an answer.
 */
export function accountOf({ from, until }: TimeRange, before: Carry, figures: WindowFigures): WindowAccount {
  const { acknowledged, ingested, underWay, ingestedAfter, overlapping } = figures;
  const open = before.records + acknowledged - ingested;
  if (open <= 0) {
    const records = 0 - Math.min(-open, overlapping);
    return { carry: { records, since: until, lowest: 0 }, deficit: 0, since: until };
  }
  const late = Math.min(open, underWay, ingestedAfter);
  const deficit = open - late;
  const since = before.records > 0 ? before.since : from;
  const lowest = before.records > 0 ? before.lowest : 0;
  // What is missing has been so since the lowest point, or for longer than can be told.
  const carry =
    late <= lowest || deficit > 0
      ? { records: late, since: until, lowest: late }
      : { records: late, since, lowest };
  return { carry, deficit, since };
}

/** After records that were carried turned out to be missing. */
export function withoutMissing(carry: Carry, missing: number): Carry {
  if (missing <= 0 || carry.records <= 0) return carry;
  const records = Math.max(0, carry.records - missing);
  return { ...carry, records, lowest: Math.min(carry.lowest, records) };
}
