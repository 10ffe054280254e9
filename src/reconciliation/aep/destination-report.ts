import type { DestinationReconcileConfig } from '../../config/reconcile-config.ts';
import type { RecordedDoubts } from '../../journal/landings.ts';
import type {
  DestinationReconciliation,
  Difference,
  DifferenceKind,
  LandedSums,
} from '../reconciliation-report.ts';
import type { CheckState, RunState } from './check-state.ts';
import type { DestinationReconcilerParts, FailedBatches } from './destination-parts.ts';
import { differenceOf, kindOf } from './doubt-texts.ts';
import { rangeDifference } from './range-check.ts';

const MAX_DIFFERENCES = 100;

export interface ReportParts extends Pick<DestinationReconcilerParts, 'destination' | 'sources' | 'journal'> {
  readonly failedBatches: FailedBatches;
  readonly reconcile: DestinationReconcileConfig;
  readonly state: CheckState;
}

type Open = Partial<Record<DifferenceKind, number>>;

/** Of the sources that feed the destination now. */
async function sumsOf({ journal, sources }: ReportParts): Promise<LandedSums> {
  const [ledger, landings] = [await journal.ledger(), await journal.landings()];
  let [stillDelivered, landed, refusedLater] = [0, 0, 0];
  for (const { name } of sources) {
    stillDelivered += ledger[name]?.delivered ?? 0;
    landed += landings[name]?.landed ?? 0;
    refusedLater += landings[name]?.refusedLater ?? 0;
  }
  // Two reads: an event that was confirmed between them counts as landed.
  const delivered = Math.max(stillDelivered, landed) + refusedLater;
  return { delivered, landed, refusedLater, unconfirmed: delivered - landed - refusedLater };
}

function addOpen(open: Open, kind: DifferenceKind, count: number): void {
  open[kind] = (open[kind] ?? 0) + count;
}

function openOf({ counts }: RecordedDoubts, others: readonly Difference[]): Open {
  const open: Open = {};
  for (const [code, count] of Object.entries(counts)) addOpen(open, kindOf(code), count);
  for (const { isOpen, kind, count: own } of others) if (isOpen) addOpen(open, kind, own);
  return open;
}

function stateOf({ problem, lastRunAt }: RunState, open: Open): DestinationReconciliation['state'] {
  if (problem !== undefined) return 'failing';
  if (lastRunAt === undefined) return 'never';
  return Object.keys(open).length > 0 ? 'differences' : 'ok';
}

/** What is known about a destination, from the journal. */
export async function buildReport(parts: ReportParts): Promise<DestinationReconciliation> {
  const { destination, journal, failedBatches, state } = parts;
  const { name } = destination;
  const [counts, run, batches] = [await state.counts(), await state.run(), await failedBatches.report()];
  const doubts = await journal.doubts(name, MAX_DIFFERENCES);
  const ranges = counts.open
    .filter(({ deficit }) => deficit.event + deficit.profile > 0)
    .map((range) => rangeDifference(range, name, run.problem !== undefined));
  const open = openOf(doubts, [...ranges, ...run.differences]);
  for (const [kind, count] of Object.entries(batches.open)) addOpen(open, kind as DifferenceKind, count);
  const differences = [
    ...ranges,
    ...batches.differences.filter(({ isOpen }) => isOpen),
    ...doubts.newest.map(differenceOf),
    ...batches.differences.filter(({ isOpen }) => !isOpen),
    ...run.differences,
  ].slice(0, MAX_DIFFERENCES);
  const { problem, lastRunAt, seesProfileUntil } = run;
  return {
    destination: name,
    state: stateOf(run, open),
    ...(lastRunAt === undefined ? {} : { lastRunAt }),
    ...(problem === undefined ? {} : { problem }),
    differences,
    open,
    ...(counts.mark === undefined ? {} : { seesLakeUntil: counts.mark }),
    ...(seesProfileUntil === undefined ? {} : { seesProfileUntil }),
    sums: await sumsOf(parts),
    readBack: run.readBack,
  };
}
