import type { PointsLotEntity, ProgramEntity } from '../../capillary/entities.ts';
import { parseLocalDate } from '../../capillary/times.ts';
import { BALANCE_SNAPSHOT, SNAPSHOT, type StoredSnapshot } from '../customer/logged-snapshots.ts';
import type { DatedPoints } from '../customer/points-log.ts';
import type { Facts } from '../families/family.ts';
import { programFacts } from '../families/program-balance.ts';

/** A bound on the state; of more lots the first ones to expire are kept. */
const MAX_LOTS = 500;

/**
 * The fact of what Capillary's API says about a customer's points in one program: balance, totals
 * and lots (`logged-snapshots.ts`). Its version is the time of the fetch and `SNAPSHOT_BY`. None if
 * the balance was not stated.
 *
 * @param timezone of the organisation: its days end the lots
 *   (docs/platforms/capillary.md#read-times)
 */
export function pointsSnapshotFacts(
  program: ProgramEntity,
  { timezone }: { readonly timezone: string },
): Facts {
  if (program.points === undefined) {
    return [];
  }
  const i = program.lots && datedLots(program.lots, timezone);
  const stored: StoredSnapshot = {
    b: program.points,
    l: program.lifetimePoints,
    o: program.redeemed,
    e: program.expired,
    a: program.adjusted,
    t: program.returned,
    p: program.promised,
    c: program.purchases,
    i,
  };
  const value = Object.fromEntries(
    Object.entries(stored).filter((entry: readonly [string, unknown]) => entry[1] !== undefined),
  );
  return programFacts(program.programId, { [i === undefined ? BALANCE_SNAPSHOT : SNAPSHOT]: value });
}

/** The points of each day at its end; undefined if a date cannot be read: some lots are missing. */
function datedLots(lots: readonly PointsLotEntity[], timezone: string): readonly DatedPoints[] | undefined {
  const byDay = new Map<number, number>();
  for (const { points, expiryDate } of lots) {
    const at = parseLocalDate(expiryDate, timezone, 'end');
    if (at === undefined) {
      return undefined;
    }
    if (points > 0) {
      byDay.set(at, (byDay.get(at) ?? 0) + points);
    }
  }
  return [...byDay].toSorted(([a], [b]) => a - b).slice(0, MAX_LOTS);
}
